"""The batched twin: an exact primal active set in the K hedge variables, one path after another.

The problem (see `backtester.hedging.batch`) is minimised as a convex piecewise quadratic over the
box: trading cost and the budgets kink at h0 and 0, limit rows are exact penalties with bounded
multipliers (turnover < gross < neutrality, which is also the order in which limits give way when
they cannot all hold). Starting from today's hedge, every step goes to the minimiser of the current
piece or to the nearest kink, then the multiplier furthest outside its interval is released:
a monotone active set (Nocedal & Wright, *Numerical Optimization*, §16.5; Fletcher, *Practical
Methods of Optimization*, §14). A small proximal term pulls to h0, so that ties go to the hedge
nearest today's; its bias is removed at the end on the final active set.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from backtester.arrays import Byte, Float, Int
from backtester.hedging.batch import HedgeBatch
from backtester.hedging.certificate import FEASIBLE, OPTIMAL, check_path
from backtester.hedging.elastic import price
from backtester.hedging.kernels import inlined, jit
from backtester.hedging.kernels_path import solve_path
from backtester.hedging.kernels_rest import rests
from backtester.hedging.kernels_step import NUMBERS, VECTORS
from backtester.hedging.kernels_valid import valid_path

INVALID, FAILED, SOLVED, CERTIFIED = -1, 0, 1, 2
"""What became of a path: not well posed; no answer; an answer; an answer that is proved."""


class Candidate(NamedTuple):
    """The twin's answers to a batch, and what their certificates say."""

    h: Float  # (P, K)
    multipliers: Float  # (P, M + 2)
    code: Byte  # (P,) of the codes above
    gap: Float  # (P,) see `certificate.Certificate`
    violation: Float  # (P,)
    certified: int  # how many paths are


@inlined
def run_paths(
    F: Float, f: Float, risk_weight: Float, reward: Float, h0: Float, linear: Float, impact: Float,
    lower: Float, upper: Float, gross: Float, turnover: Float, A: Float, b: Float, band: Float,
    scale: Float, given: bool, h: Float, notes: Float, code: Byte, gap: Float,
    violation: Float, V: Float, N: Float, W: Int, Q: Float, L: Float, C: Float, Y: Float, S: Float,
    scratch: Float,
) -> int:  # fmt: skip
    """Every path in turn: well posed? penalties, answer, certificate; how many are certified."""
    M = A.shape[1]
    limits, slope, own = scratch[0], scratch[1], scratch[2]
    residual, lam = scratch[3], scratch[4]
    certified = 0
    for p in range(F.shape[0]):
        penalty, multipliers = notes[p, M + 2 :], notes[p, : M + 2]
        still = False
        if not given:
            if not valid_path(
                F[p], f[p], risk_weight[p], reward[p], h0[p], linear[p], impact[p], lower[p],
                upper[p], gross[p], turnover[p], A[p], b[p], band[p], scale[p],
            ):  # fmt: skip
                code[p], gap[p], violation[p] = INVALID, np.inf, np.inf
                continue
            still = M == 0 and rests(
                F[p], f[p], risk_weight[p], reward[p], h0[p], linear[p], lower[p], upper[p],
                gross[p], turnover[p], residual,
            )  # fmt: skip
            if not still and (M > 0 or gross[p] < np.inf or turnover[p] < np.inf):
                price(F[p], f[p], risk_weight[p], reward[p], h0[p], linear[p], scale[p], penalty)
        if still:
            for k in range(F.shape[2]):
                h[p, k] = h0[p, k]
            multipliers[0], multipliers[1] = 0.0, 0.0
            code[p], gap[p], violation[p] = CERTIFIED, 0.0, 0.0  # `rests` is the certificate's test
            certified += 1
            continue
        ok = solve_path(
            F[p], f[p], risk_weight[p], reward[p], h0[p], linear[p], impact[p], lower[p],
            upper[p], gross[p], turnover[p], A[p], b[p], band[p], scale[p], penalty, V, N, W,
            Q, L, C, Y, S, limits, h[p], multipliers,
        )  # fmt: skip
        code[p] = SOLVED if ok else FAILED
        gap[p], violation[p], _ = check_path(
            F[p], f[p], risk_weight[p], reward[p], h0[p], linear[p], impact[p], lower[p],
            upper[p], gross[p], turnover[p], A[p], b[p], band[p], scale[p], h[p], multipliers,
            penalty, False, 2.0, residual, lam, slope, own,
        )  # fmt: skip
        if ok and gap[p] <= OPTIMAL and violation[p] <= FEASIBLE:
            code[p] = CERTIFIED
            certified += 1
    return certified


@jit
def twin_paths(
    F: Float, f: Float, risk_weight: Float, reward: Float, h0: Float, linear: Float, impact: Float,
    lower: Float, upper: Float, gross: Float, turnover: Float, A: Float, b: Float, band: Float,
    scale: Float, given: bool, h: Float, notes: Float, code: Byte, gap: Float,
    violation: Float,
) -> int:  # fmt: skip
    """`run_paths` on one workspace: what a path leaves in it, the next overwrites.

    `notes` (P, M + 5) holds multipliers, then the three penalties: `given` ones are used, else
    they are computed where there are limits.
    """
    R, K = F.shape[1:]
    rows = A.shape[1] + 2
    most = max(K, rows)
    numbers = np.zeros((VECTORS + 2 * K + 2 * rows, K))  # few allocations: P may be 1
    V, Q, L = numbers[:VECTORS], numbers[VECTORS : VECTORS + K], numbers[VECTORS + K :][:K]
    C, Y = numbers[VECTORS + 2 * K :][:rows], numbers[VECTORS + 2 * K + rows :]
    N, S = np.zeros((NUMBERS, most)), np.zeros((rows, rows))
    W, scratch = np.zeros((4, most), dtype=np.int64), np.zeros((5, max(R, most, 3)))
    certified: int = run_paths(
        F, f, risk_weight, reward, h0, linear, impact, lower, upper, gross, turnover, A, b, band,
        scale, given, h, notes, code, gap, violation, V, N, W, Q, L, C, Y, S, scratch,
    )  # fmt: skip
    return certified


def attempt(batch: HedgeBatch, penalty: Float | None = None) -> Candidate:
    """The twin and the certificate on every path of a batch, in one pass.

    Parameters
    ----------
    penalty: (P, 3) of turnover, gross and neutrality; those of `elastic.penalties` by default,
        and then paths that are not well posed are left alone (`INVALID`).
    """
    P, _, K = batch.F.shape
    M = batch.A.shape[1]
    h, notes, code = np.empty((P, K)), np.empty((P, M + 5)), np.empty(P, dtype=np.int8)
    gap, violation = np.empty(P), np.empty(P)
    if penalty is not None:
        notes[:, M + 2 :] = penalty
    certified = twin_paths(
        batch.F, batch.f, batch.risk_weight, batch.reward, batch.h0, batch.linear, batch.impact,
        batch.lower, batch.upper, batch.gross, batch.turnover, batch.A, batch.b, batch.band,
        batch.scale, penalty is not None, h, notes, code, gap, violation,
    )  # fmt: skip
    return Candidate(h, notes[:, : M + 2], code, gap, violation, certified)


def solve_batch(batch: HedgeBatch, penalty: Float) -> tuple[Float, Float, Byte]:
    """The twin on well posed paths: ``(h (P, K), multipliers (P, M + 2), solved (P,))``.

    An answer is a candidate only; `backtester.hedging.certificate` decides.
    """
    found = attempt(batch, penalty)
    solved: Byte = (found.code >= SOLVED).astype(np.int8)
    return found.h, found.multipliers.copy(), solved
