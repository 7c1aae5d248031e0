"""The two-step likelihood of DCC and cDCC as a function of (a, b), the target profiled out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backtester.arrays import Float


def uncentred_correlation(values: Float) -> Float:
    """Correlation (N, N) of `values` (T, N) about zero."""
    moments = values.T @ values
    root = np.sqrt(np.diagonal(moments))
    matrix = moments / np.outer(root, root)
    np.fill_diagonal(matrix, 1.0)
    return np.asarray(matrix)


@dataclass(frozen=True, slots=True)
class DccLikelihood:
    """Terms in (a, b) of standardised residuals z (T, N).

    corrected: cDCC; composite: neighbouring pairs instead of the joint likelihood.
    """

    z: Float
    corrected: bool
    composite: bool

    def news(self, a: float, b: float) -> Float:
        """What moves Q, (T, N): z, or z* of cDCC."""
        from backtester.estimation.dcc_kernels import rescaled

        return np.asarray(rescaled(self.z, a, b)) if self.corrected else self.z

    def target(self, a: float, b: float) -> Float:
        """Correlation target S (N, N) at (a, b)."""
        return uncentred_correlation(self.news(a, b))

    def terms(self, point: Float) -> Float:
        """Log-likelihood of every bar (T,) at `point` (a, b) and the target that belongs to it."""
        from backtester.estimation.dcc_kernels import dcc_terms, pair_terms

        a, b = float(point[0]), float(point[1])
        news = self.news(a, b)
        kernel = pair_terms if self.composite else dcc_terms
        return np.asarray(kernel(self.z, news, uncentred_correlation(news), a, b))

    def target_slope(self, point: Float) -> Float:
        """Derivative (N, N) of the mean term in the target, at `point` and its target."""
        from backtester.estimation.dcc_kernels import pair_target_slope, target_slope

        a, b = float(point[0]), float(point[1])
        news = self.news(a, b)
        kernel = pair_target_slope if self.composite else target_slope
        return np.asarray(kernel(self.z, news, uncentred_correlation(news), a, b))

    def target_influence(self, point: Float) -> Float:
        """What each bar adds to the error of the target, (T, pairs), pairs i < j by row."""
        news = self.news(float(point[0]), float(point[1]))
        scaled = news / np.sqrt(np.mean(news * news, axis=0))
        target = uncentred_correlation(news)
        rows, columns = np.triu_indices(news.shape[1], 1)
        x, y = scaled[:, rows], scaled[:, columns]
        return np.asarray(x * y - 0.5 * target[rows, columns] * (x * x + y * y))
