"""The gate of fixed costs: after the solve, keep back what is not worth its gas.

A fixed cost of every order is not convex and so no part of the hedge problem. The solved hedges h
are weighed afterwards against today's h0, with the objective J of the batch, in money over the
holding horizon, and gas g (K,), the very amounts the ledger charges:

1. instrument by instrument: while some trade improves J by no more than its own gas, the one that
   saves most is taken back to h0, the others staying as they are;
2. the whole decision: what is left is sent only where J(h0) − J(h) exceeds the gas of all of it.

Each step is exact for what it compares and lowers J + gas; it is not a search over all subsets of
instruments. A trade is taken back only where no limit is kept less well for it: a hedge outside its
box, gross or neutrality band is brought back whatever the gas. Alone, from a distance x to the
target, a trade gains ½AH(|x| − c/(AH))², so that it is sent where |x| > c/(AH) + √(2g/(AH)),
A = γσ².

Trades below 1e-10 of the path's scale, the rounding of a solver or of a stated target, are taken
back first: they would cost gas and do nothing.
"""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np

from backtester.arrays import Float
from backtester.hedging.batch import HedgeBatch, HedgeSolution


def gated(
    batch: HedgeBatch, solution: HedgeSolution, gas: Float, *, planned: bool = True
) -> HedgeSolution:
    """`solution` with the trades that are not worth their gas kept back.

    Parameters
    ----------
    batch, solution: the problems of P paths and their answers.
    gas: (K,) money per instrument traded.
    planned: False weighs nothing and only takes rounding back: hedges that were stated, or whose
        objective is not the batch's.

    A path kept back whole holds h0 to the bit, keeps its status, and is counted in
    ``counts["gated"]``; gap and violation remain those of the solved problem.
    """
    from backtester.hedging.gate_kernel import keep_back

    arrays = {
        item.name: np.require(getattr(batch, item.name), np.float64, ["C", "W"])
        for item in fields(HedgeBatch)
        if item.name != "turnover"  # a smaller trade never breaks it
    }
    h = np.array(solution.h, dtype=np.float64, order="C")
    held = keep_back(h, np.require(gas, np.float64, ["C", "W"]), planned, **arrays)
    counts = {**solution.counts, "gated": int(held)}
    return replace(solution, h=h, counts=counts)
