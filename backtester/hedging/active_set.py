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
def run_path(
    F: Float, f: Float, risk_weight: float, reward: Float, h0: Float, linear: Float, impact: Float,
    lower: Float, upper: Float, gross: float, turnover: float, A: Float, b: Float, band: Float,
    scale: float, given: bool, h: Float, notes: Float, V: Float, N: Float, W: Int, Q: Float,
    L: Float, C: Float, Y: Float, S: Float, scratch: Float,
) -> tuple[int, float, float]:  # fmt: skip
    """One well posed path: penalties, answer, certificate. Returns code, gap and violation."""
    M = A.shape[0]
    limits, slope, own = scratch[0], scratch[1], scratch[2]
    residual, lam = scratch[3], scratch[4]
    penalty, multipliers = notes[M + 2 :], notes[: M + 2]
    if not given and (M > 0 or gross < np.inf or turnover < np.inf):
        price(F, f, risk_weight, reward, h0, linear, scale, penalty)
    ok = solve_path(
        F, f, risk_weight, reward, h0, linear, impact, lower, upper, gross, turnover, A, b, band,
        scale, penalty, V, N, W, Q, L, C, Y, S, limits, h, multipliers,
    )  # fmt: skip
    gap, violation, _ = check_path(
        F, f, risk_weight, reward, h0, linear, impact, lower, upper, gross, turnover, A, b, band,
        scale, h, multipliers, penalty, False, 2.0, residual, lam, slope, own,
    )  # fmt: skip
    code = SOLVED if ok else FAILED
    if ok and gap <= OPTIMAL and violation <= FEASIBLE:
        code = CERTIFIED
    return code, gap, violation


@inlined
def run_paths(
    F: Float, f: Float, risk_weight: Float, reward: Float, h0: Float, linear: Float, impact: Float,
    lower: Float, upper: Float, gross: Float, turnover: Float, A: Float, b: Float, band: Float,
    scale: Float, given: bool, h: Float, notes: Float, code: Byte, gap: Float,
    violation: Float, V: Float, N: Float, W: Int, Q: Float, L: Float, C: Float, Y: Float, S: Float,
    scratch: Float,
) -> int:  # fmt: skip
    """Every path in turn: well posed? at rest? else `run_path`; how many are certified."""
    M = A.shape[1]
    residual = scratch[3]
    certified = 0
    for p in range(F.shape[0]):
        if not given:
            if not valid_path(
                F[p], f[p], risk_weight[p], reward[p], h0[p], linear[p], impact[p], lower[p],
                upper[p], gross[p], turnover[p], A[p], b[p], band[p], scale[p],
            ):  # fmt: skip
                code[p], gap[p], violation[p] = INVALID, np.inf, np.inf
                continue
            if M == 0 and rests(
                F[p], f[p], risk_weight[p], reward[p], h0[p], linear[p], lower[p], upper[p],
                gross[p], turnover[p], residual,
            ):  # fmt: skip
                for k in range(F.shape[2]):
                    h[p, k] = h0[p, k]
                notes[p, 0], notes[p, 1] = 0.0, 0.0
                # what `rests` has tested is all that the certificate would
                code[p], gap[p], violation[p] = CERTIFIED, 0.0, 0.0
                certified += 1
                continue
        code[p], gap[p], violation[p] = run_path(
            F[p], f[p], risk_weight[p], reward[p], h0[p], linear[p], impact[p], lower[p],
            upper[p], gross[p], turnover[p], A[p], b[p], band[p], scale[p], given, h[p], notes[p],
            V, N, W, Q, L, C, Y, S, scratch,
        )  # fmt: skip
        certified += 1 if code[p] == CERTIFIED else 0
    return certified


@jit
def workspace(R: int, K: int, M: int) -> tuple[
    Float, Float, Int, Float, Float, Float, Float, Float, Float
]:  # fmt: skip
    """V, N, W, Q, L, C, Y, S and scratch of `run_paths`: what a path leaves, the next overwrites.

    Few allocations: P may be 1.
    """
    rows = M + 2
    most = max(K, rows)
    numbers = np.zeros((VECTORS + 2 * K + 2 * rows, K))
    V, Q, L = numbers[:VECTORS], numbers[VECTORS : VECTORS + K], numbers[VECTORS + K :][:K]
    C, Y = numbers[VECTORS + 2 * K :][:rows], numbers[VECTORS + 2 * K + rows :]
    N, S = np.zeros((NUMBERS, most)), np.zeros((rows, rows))
    W, scratch = np.zeros((4, most), dtype=np.int64), np.zeros((5, max(R, most, 3)))
    return V, N, W, Q, L, C, Y, S, scratch


@jit
def twin_paths(
    F: Float, f: Float, risk_weight: Float, reward: Float, h0: Float, linear: Float, impact: Float,
    lower: Float, upper: Float, gross: Float, turnover: Float, A: Float, b: Float, band: Float,
    scale: Float, given: bool, h: Float, notes: Float, code: Byte, gap: Float,
    violation: Float,
) -> int:  # fmt: skip
    """`run_paths` on one workspace.

    `notes` (P, M + 5) holds multipliers, then the three penalties: `given` ones are used, else
    they are computed where there are limits.
    """
    V, N, W, Q, L, C, Y, S, scratch = workspace(F.shape[1], F.shape[2], A.shape[1])
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
