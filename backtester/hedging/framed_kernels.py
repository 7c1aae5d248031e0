"""Sums over rows of small matrices, path by path: bits must not depend on the number of paths."""

from __future__ import annotations

import numpy as np

from backtester.arrays import Float
from backtester.hedging.kernels import jit


@jit
def _largest_column(F: Float, out: Float) -> None:
    P, R, K = F.shape
    for p in range(P):
        out[p] = 0.0
        for k in range(K):
            total = 0.0
            for r in range(R):
                total += F[p, r, k] * F[p, r, k]
            out[p] = max(out[p], total)


@jit
def _second_moments(scenarios: Float, out: Float) -> None:
    P, S, N = scenarios.shape
    for p in range(P):
        for n in range(N):
            for m in range(n + 1):
                total = 0.0
                for s in range(S):
                    total += scenarios[p, s, n] * scenarios[p, s, m]
                out[p, n, m] = total / S
                out[p, m, n] = total / S


def largest_column(F: Float) -> Float:
    """Largest squared column (…,) of matrices (…, R, K)."""
    flat = np.require(F, np.float64, ["C", "W"]).reshape(-1, *F.shape[-2:])
    out = np.empty(len(flat))
    _largest_column(flat, out)
    return out.reshape(F.shape[:-2])


def second_moments(scenarios: Float) -> Float:
    """Σ_s r_s r_sᵀ / S (P, N, N) of scenarios (P, S, N)."""
    out = np.empty((len(scenarios), scenarios.shape[2], scenarios.shape[2]))
    _second_moments(np.require(scenarios, np.float64, ["C", "W"]), out)
    return out
