"""Ledoit–Wolf shrinkage of a sample covariance, for every path at once.

Sources: Ledoit & Wolf, "A well-conditioned estimator for large-dimensional covariance matrices",
J. Multivariate Analysis 88 (2004) – scaled identity; "Honey, I shrunk the sample covariance
matrix", J. Portfolio Management 30 (2004) – constant correlation. Uncentred: over the bars of a
hedge the mean return is noise, and effectiveness is scored on uncentred moments.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from backtester.arrays import Float
from backtester.estimation.correlation import correlation


class ShrinkTo(StrEnum):
    """What the sample covariance is drawn towards."""

    IDENTITY = "identity"  # the mean variance on the diagonal, nothing off it
    CONSTANT_CORRELATION = "constant_correlation"  # the sample's variances, its mean correlation


def sample_covariance(returns: Float) -> Float:
    """Uncentred covariance of `returns` (P, N, W), mean of x xᵀ over W: (P, N, N); 0 if W = 0."""
    rows = max(returns.shape[2], 1)
    return np.asarray(np.matmul(returns, returns.transpose(0, 2, 1)) / rows)


def ledoit_wolf(returns: Float, target: ShrinkTo = ShrinkTo.IDENTITY) -> tuple[Float, Float]:
    """Shrunk covariance (P, N, N) of `returns` (P, N, W) and its intensity (P,) in [0, 1]."""
    sample = sample_covariance(returns)
    if returns.shape[2] == 0:
        return sample, np.zeros(returns.shape[0])
    if target is ShrinkTo.IDENTITY:
        aim, intensity = _identity(returns, sample)
    else:
        aim, intensity = _constant_correlation(returns, sample)
    return sample + intensity[:, None, None] * (aim - sample), intensity


def _identity(returns: Float, sample: Float) -> tuple[Float, Float]:
    paths, assets, rows = returns.shape
    mean = np.diagonal(sample, axis1=1, axis2=2).copy().sum(axis=-1) / assets
    aim = mean[:, None, None] * np.eye(assets)
    size = (sample * sample).reshape(paths, -1).sum(axis=-1)
    # Σ_ij Σ_t x_i² x_j² = Σ_t |x_t|⁴: the noise of every entry without an N×N pass over time.
    squares = np.ascontiguousarray((returns * returns).transpose(0, 2, 1)).sum(axis=-1)
    noise = ((squares * squares).sum(axis=-1) / rows - size) / rows
    return aim, _ratio(noise, size - assets * mean * mean, size)


def _constant_correlation(returns: Float, sample: Float) -> tuple[Float, Float]:
    paths, assets, rows = returns.shape
    deviation = np.sqrt(np.diagonal(sample, axis1=1, axis2=2))
    flat = correlation(sample).reshape(paths, -1)
    pairs = max(assets * (assets - 1), 1)
    level = (flat.sum(axis=-1) - assets) / pairs
    aim = level[:, None, None] * (deviation[:, :, None] * deviation[:, None, :])
    diagonal = np.arange(assets)
    aim[:, diagonal, diagonal] = sample[:, diagonal, diagonal]

    squares = returns * returns
    fourth = np.matmul(squares, squares.transpose(0, 2, 1)) / rows
    variance = fourth - sample * sample  # asymptotic variance of each sample entry
    third = np.matmul(squares * returns, returns.transpose(0, 2, 1)) / rows
    covary = third - sample[:, diagonal, diagonal][:, :, None] * sample
    inverse = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=deviation > 0.0)
    weighted = covary * (inverse[:, :, None] * deviation[:, None, :])
    weighted[:, diagonal, diagonal] = 0.0
    shared = np.ascontiguousarray(variance[:, diagonal, diagonal]).sum(axis=-1)
    shared = shared + level * weighted.reshape(paths, -1).sum(axis=-1)
    noise = (variance.reshape(paths, -1).sum(axis=-1) - shared) / rows
    gap = (aim - sample).reshape(paths, -1)
    size = (sample * sample).reshape(paths, -1).sum(axis=-1)
    return aim, _ratio(noise, (gap * gap).sum(axis=-1), size)


def _ratio(noise: Float, distance: Float, size: Float) -> Float:
    """noise/distance clipped to [0, 1]; 0 where the sample already equals its target."""
    real = distance > 1e-14 * size
    share = np.divide(noise, distance, out=np.zeros_like(noise), where=real)
    return np.asarray(np.clip(share, 0.0, 1.0))
