"""The maximum-likelihood problem of `garch.fit_garch`: the search, and the proof of its end."""

from __future__ import annotations

from typing import Literal

import numpy as np

from backtester.arrays import Bool, Float
from backtester.estimation.differences import Terms, hessian, scores

PARAMETERS = ("mean", "omega", "alpha", "beta", "nu")
NORMAL = 200.0  # degrees of freedom from which a Student t is a normal

Backcast = Literal["arch", "mean_square"]

_EDGE = 1e-6  # a parameter this near a bound is on it
_DECREMENT = 1e-6  # log-likelihood one more Newton step may promise


class Problem:
    """Likelihood of scaled returns in (μ, ω, α, β, 1/ν), of which some are free.

    At persistence 1 the point is *tied*: β moves as 1 − α.
    """

    def __init__(self, data: Float, free: Bool, backcast: Backcast) -> None:
        self.data, self.free, self.backcast = data, free, backcast

    def start(self, mean: float) -> float:
        """e² and h before the first bar."""
        if self.backcast == "mean_square":
            return float(np.mean((self.data - mean) ** 2))
        centre = self.data.mean() if self.free[0] else 0.0
        head = (self.data[:75] - centre) ** 2
        weights = 0.94 ** np.arange(len(head))
        return float(np.sum(weights * head) / weights.sum())

    def terms(self, free: Bool, point: Float) -> Terms:
        """Log-likelihood by bar as a function of the parameters `free`; the others at `point`."""
        from backtester.estimation.garch_kernels import garch_terms

        start = -1.0 if self.backcast == "mean_square" else self.start(0.0)
        tied = _tied(point)

        def evaluate(values: Float) -> Float:
            mean, omega, alpha, beta, tail = _filled(point, free, values, tied)
            nu = 1.0 / tail if tail > 0.0 else 0.0
            return np.asarray(garch_terms(self.data, mean, omega, alpha, beta, nu, start))

        return evaluate

    def solve(self) -> tuple[Float | None, str]:
        """Parameters at a proven optimum, or None and why not."""
        message = ""
        for tolerance in (1e-10, 1e-8, 1e-6):
            point, message, status = self._arch(tolerance)
            if point is None:
                continue
            polished, decrement = self._polish(point)
            if decrement < _DECREMENT and (status == 0 or not self.bounds(polished)):
                return polished, message
            if np.isinf(decrement):
                message += ", where the likelihood has no maximum"
            else:
                message += f", where a Newton step promises {decrement:.1e} of log-likelihood"
        return None, message

    def _arch(self, tolerance: float) -> tuple[Float | None, str, int]:
        import warnings

        from arch.univariate import GARCH, ConstantMean, Normal, StudentsT, ZeroMean

        centre = float(self.data.mean()) if self.free[0] else 0.0
        before: Float | None = None
        for _ in range(20):  # a start at the mean squared residual moves with μ
            model = (ConstantMean if self.free[0] else ZeroMean)(self.data, rescale=False)
            model.volatility = GARCH(p=1, o=0, q=1)
            model.distribution = StudentsT() if self.free[4] else Normal()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what it would warn of is proven below
                result = model.fit(
                    disp="off",
                    show_warning=False,
                    backcast=self.start(centre),
                    tol=tolerance,
                    starting_values=before,
                    options={"maxiter": 1000},
                )
            before = np.asarray(result.params, dtype=np.float64)
            message = str(result.optimization_result.message)
            if not np.isfinite(before).all():
                return None, message, 1
            moved = abs(before[0] - centre) if self.free[0] else 0.0
            centre = float(before[0]) if self.free[0] else 0.0
            if self.backcast == "arch" or moved < 1e-9:
                break
        point = np.zeros(5)
        point[self.free] = before
        if self.free[4]:
            point[4] = 1.0 / min(point[4], NORMAL)
        return point, message, int(result.convergence_flag)

    def bounds(self, point: Float) -> tuple[str, ...]:
        """Names of the parameters that are on a bound at `point`."""
        _, omega, alpha, beta, tail = point
        at = {
            "omega": omega < _EDGE,
            "alpha": alpha < _EDGE,
            "beta": beta < _EDGE or _tied(point),
            "nu": bool(self.free[4]) and not 1.0 / NORMAL < tail < 0.485,
        }
        return tuple(name for name, on in at.items() if on)

    def inside(self, point: Float) -> Bool:
        """Which parameters (5,) are free and off their bounds."""
        edge = self.bounds(point)
        inner = self.free.copy()
        inner[[PARAMETERS.index(name) for name in edge]] = False
        if "alpha" in edge:  # without news β is not identified
            inner[3] = False
        return inner

    def steps(self, point: Float) -> Float:
        """Sizes (5,) on which the likelihood changes, for differences."""
        _, omega, alpha, beta, tail = point
        return np.array(
            [
                0.3,
                max(omega, _EDGE),
                max(alpha, 1e-3),
                min(max(1.0 - alpha - beta, 1e-3), max(beta, 1e-3)),
                max(min(tail, 0.5 - tail), 1e-3),
            ]
        )

    def derivatives(self, point: Float, free: Bool) -> tuple[Float, Float]:
        """Scores (T, K) and mean Hessian (K, K) in the parameters `free`."""
        terms, step = self.terms(free, point), self.steps(point)[free]
        return scores(terms, point[free], 1e-4 * step), hessian(terms, point[free], 1e-3 * step)

    def _polish(self, point: Float) -> tuple[Float, float]:
        """Newton steps in the parameters off their bounds, and what one more would promise."""
        decrement = np.inf
        for _ in range(20):
            free, tied = self.inside(point), _tied(point)
            slopes, curve = self.derivatives(point, free)
            if not np.isfinite(curve).all() or np.linalg.eigvalsh(curve)[-1] >= 0.0:
                return point, np.inf
            gradient = slopes.mean(axis=0)
            move = -np.linalg.solve(curve, gradient)
            decrement = 0.5 * float(gradient @ move) * len(self.data)
            if decrement < 1e-12:
                break
            better = self._uphill(point, free, move, tied)
            if better is None:
                break
            point = better
        return point, decrement

    def _uphill(self, point: Float, free: Bool, move: Float, tied: bool) -> Float | None:
        """A better point along `move`, or None."""
        terms, length = self.terms(free, point), 1.0
        value = terms(point[free]).sum()
        while length > 1e-3:
            trial = _filled(point, free, point[free] + length * move, tied)
            if free[4]:  # tails that turn out normal stay there
                trial[4] = max(trial[4], 1.0 / NORMAL)
            same = np.array_equal(self.inside(trial)[:4], free[:4])
            if same and terms(trial[free]).sum() > value:
                return trial
            length *= 0.5
        return None


def _tied(point: Float) -> bool:
    """Whether the persistence is 1."""
    return bool(point[2] + point[3] > 1.0 - _EDGE)


def _filled(point: Float, free: Bool, values: Float, tied: bool) -> Float:
    """`point` with `values` of the parameters `free`."""
    full = point.copy()
    full[free] = values
    if tied:
        full[3] = point[2] + point[3] - full[2]
    return full
