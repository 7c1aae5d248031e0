"""Other people's regime detectors, small and as usually described: what ours is measured against.

Each takes returns (T, P, 2) of book and hedge and answers where it calls a crisis, (T, P), from the
past alone. A level is compared with its own past by the quantile or by three standard errors; no
peer knows the truth. Sources: docs/regimes.md.
"""

from __future__ import annotations

import numpy as np

from backtester.arrays import Bool, Float
from backtester.regimes.markov_kernels import fit_markov, hamilton_filter, log_densities

LEAST, REFIT, QUANTILE = 500, 60, 0.85


def expanding_quantile(values: Float, quantile: float) -> Float:
    """Quantile of what came before each bar, refreshed every 20 bars; infinite before `LEAST`."""
    out = np.full(values.shape, np.inf)
    for t in range(LEAST, len(values), 20):
        out[t : t + 20] = np.nanquantile(values[:t], quantile, axis=0)
    return out


def rolling_correlation(returns: Float, window: int = 60) -> Bool:
    """|Fisher z of the rolling correlation − its past mean| above two standard errors."""
    x, y = returns[..., 0], returns[..., 1]

    def total(values: Float) -> Float:
        reach = np.cumsum(np.concatenate([np.zeros((1, values.shape[1])), values]), axis=0)
        return np.asarray(reach[window:] - reach[:-window])

    rho = np.full(x.shape, np.nan)
    rho[window - 1 :] = total(x * y) / np.sqrt(total(x * x) * total(y * y))
    z = np.arctanh(np.clip(rho, -0.999, 0.999))
    past = np.full(z.shape, np.nan)
    for t in range(LEAST, len(z)):
        past[t] = np.nanmean(z[window - 1 : t], axis=0) if t % 20 == 0 else past[t - 1]
    past[:LEAST] = np.nan
    return np.asarray(np.abs(z - past) > 2.0 / np.sqrt(window - 3))


def turbulence(returns: Float) -> Bool:
    """Kritzman and Li (2010): five-bar mean Mahalanobis distance above its past 85 % quantile."""
    bars, paths, _ = returns.shape
    distance = np.full((bars, paths), np.nan)
    for t in range(LEAST // 2, bars, 20):
        past = returns[:t]
        centre = past.mean(axis=0)
        gap = past - centre
        inverse = np.linalg.inv(np.einsum("tpi,tpj->pij", gap, gap) / t)
        now = returns[t : t + 20] - centre
        distance[t : t + 20] = np.einsum("tpi,pij,tpj->tp", now, inverse, now)
    smooth = np.full(distance.shape, np.nan)
    for lag in range(5):
        rolled = np.roll(distance, lag, axis=0) / 5
        smooth = rolled if lag == 0 else smooth + rolled
    return np.asarray(smooth > expanding_quantile(smooth, QUANTILE))


def absorption(returns: Float) -> Bool:
    """Kritzman et al. (2011): ΔAR = (AR of 15 bars − AR of 250)/σ above one, first eigenvalue."""
    fast, slow = _share(returns, 15), _share(returns, 250)
    spread = np.full(slow.shape, np.nan)
    for t in range(LEAST, len(slow)):
        spread[t] = np.nanstd(fast[t - 250 : t], axis=0)
    return np.asarray((fast - slow) / spread > 1.0)


def _share(returns: Float, window: int) -> Float:
    x, y = returns[..., 0], returns[..., 1]
    moments = np.stack([x * x, y * y, x * y])
    reach = np.cumsum(np.concatenate([np.zeros((3, 1, x.shape[1])), moments], axis=1), axis=1)
    a, b, c = (reach[:, window:] - reach[:, :-window]) / window
    out = np.full(x.shape, np.nan)
    out[window - 1 :] = 0.5 + np.sqrt(0.25 * (a - b) ** 2 + c**2) / (a + b)
    return out


def markov_on_returns(returns: Float) -> Bool:
    """Two Gaussian states with full covariances fitted by EM to raw returns, filtered P > ½.

    The rarer state is the crisis. On two states of constant covariance it is the true model.
    """
    bars, paths, _ = returns.shape
    out = np.zeros((bars, paths), dtype=bool)
    for p in range(paths):
        for t in range(LEAST, bars, REFIT):
            x = np.ascontiguousarray(returns[:t, p])
            found = max((_em(x, g) for g in _groups(x)), key=lambda f: f[4])
            means, covariances, chain, smooth = found[:4]
            stop = min(bars, t + REFIT)
            here = np.ascontiguousarray(returns[max(0, t - 250) : stop, p])
            density = log_densities(here, means, covariances, 0.0)
            filtered = hamilton_filter(density, chain, smooth.mean(axis=0))[0]
            rare = int(np.argmin(smooth.mean(axis=0)))
            out[t:stop, p] = filtered[-(stop - t) :, rare] > 0.5
    return out


def _groups(x: Float) -> list[Bool]:
    size = np.abs(x).sum(axis=1)
    smooth = np.convolve(x[:, 0] * x[:, 1] / x.std(axis=0).prod(), np.ones(20) / 20, "same")
    high, low = np.quantile(smooth, [0.8, 0.2])
    return [size > np.quantile(size, 0.8), smooth > high, smooth < low]


def _em(x: Float, group: Bool) -> tuple[Float, Float, Float, Float, float, bool]:
    parts = (x[~group], x[group])
    found: tuple[Float, Float, Float, Float, float, bool] = fit_markov(
        x,
        np.array([part.mean(axis=0) for part in parts]),
        np.array([np.cov(part.T, bias=True) for part in parts]),
        np.array([[0.98, 0.02], [0.05, 0.95]]),
        np.array([0.5, 0.5]),
        np.zeros((2, 2)),
        np.cov(x.T, bias=True),
        1e-3,
        False,
        300,
        1e-7,
    )
    return found


PEERS = {
    "rolling correlation, 60 bars": rolling_correlation,
    "turbulence": turbulence,
    "absorption ratio": absorption,
    "HMM on raw returns": markov_on_returns,
}
