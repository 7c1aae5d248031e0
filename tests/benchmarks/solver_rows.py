"""The solvers alone: against cvxpy in speed, and against Clarabel in accuracy."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from machine_rows import watching
from table import Report
from workload import VARIANTS, Variant, best, scenario, timed

from backtester.errors import Status
from backtester.executor import ProcessExecutor

TIGHT = {"tol_gap_abs": 1e-10, "tol_gap_rel": 1e-10, "tol_feas": 1e-10, "max_iter": 200}
UNIQUE = 1e6
"""Condition number of the risk matrix up to which the hedge itself is compared."""


def captured(variant: Variant, paths: int) -> Any:
    """The hedge problems of one day of a run: what the engine hands to the solvers."""
    with watching() as seen:
        timed([scenario(0.7).draw(first=0, paths=paths, bars=90, seed=3)], variant)
    return seen[-1][0]


def speed(report: Report, paths: int) -> None:
    """The batched solver, certificate included, against ``problem.solve()``; one core each."""
    from backtester.hedging.problem import Shape, compiled
    from backtester.hedging.solver import solve

    for key, place in (("speedup_vs_cvxpy_dpp", 0), ("speedup_vs_cvxpy_dpp_gross", 3)):
        batch = captured(VARIANTS[place], paths)
        ours = best(partial(solve, batch), 7) / batch.paths
        each = []
        for p in range(min(30, paths)):
            one = batch.select(np.array([p]))
            held = compiled(Shape.of(one))
            held._set(one, None)

            def reference(held: Any = held) -> None:
                held.problem.solve(solver="CLARABEL", warm_start=False)

            reference()
            each.append(best(reference, 2))
        theirs = float(np.median(each))
        note = (
            f"times; {VARIANTS[place].what}; ours {1e6 * ours:.2f} µs a problem, certificate "
            "included; peer: µs of problem.solve(), Clarabel, default tolerances"
        )
        extra = {f"{key}_ours_us": 1e6 * ours}
        report.add(key, theirs / ours, note, 1e6 * theirs, **extra)


@dataclass(frozen=True)
class Lot:
    """Some problems of one member and case, for a worker."""

    member: str
    case: str
    instruments: int
    paths: int


@dataclass
class Gaps:
    """Worst figures over problems both solved."""

    compared: int = 0
    problems: int = 0
    helped: int = 0  # problems the twin could not certify itself
    elastic: int = 0  # with limits that cannot all hold
    unsolved: int = 0  # by the reference, at these tolerances
    gap: float = 0.0  # |ours − theirs| relative to the size of the objective's terms
    better: float = -np.inf  # ours − theirs, signed: how much better the reference's ever was
    violation: float = 0.0
    residual: float = 0.0
    hedge: float = 0.0
    unique: int = 0

    def __iadd__(self, other: Gaps) -> Gaps:
        for name, value in vars(other).items():
            mine = getattr(self, name)
            setattr(self, name, mine + value if isinstance(value, int) else max(mine, value))
        return self


@lru_cache(maxsize=1)
def builders() -> Any:
    """The problems of the parity tests."""
    file = Path(__file__).resolve().parents[1] / "parity" / "conftest.py"
    spec = importlib.util.spec_from_file_location("bench_parity_problems", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def compare(lot: Lot) -> Gaps:
    """Twin against Clarabel at 1e-10 on one lot."""
    from backtester.hedging import problem
    from backtester.hedging.solver import solve

    make = builders()
    batch = make.build(
        11, lot.paths, lot.instruments, lot.case, **make.MEMBERS[lot.member]
    )  # fmt: skip
    twin = solve(batch)
    saved, settings = problem.PROXIMAL, problem.SETTINGS["CLARABEL"]
    # the very problem: no pull to today's hedge, and the tolerances asked for
    problem.PROXIMAL, problem.SETTINGS["CLARABEL"] = 0.0, TIGHT
    try:
        shapes: dict[Any, Any] = {}
        theirs, solved = batch.h0.copy(), np.zeros(batch.paths, dtype=bool)
        for p in np.flatnonzero(twin.status == Status.OK):
            one = batch.select(np.array([p]))
            shape = problem.Shape.of(one)
            held = shapes.get(shape) or shapes.setdefault(shape, problem.HedgeProblem(shape))
            answer = held.solve(one)
            # cvxpy's word for reduced accuracy does not count
            solved[p] = answer.ok and held.problem.status == "optimal"
            theirs[p] = answer.h
    finally:
        problem.PROXIMAL, problem.SETTINGS["CLARABEL"] = saved, settings
    asked = int((twin.status == Status.OK).sum())
    found = Gaps(
        problems=batch.paths,
        helped=batch.paths - twin.counts["twin"] - twin.counts["elastic"],
        elastic=twin.counts["elastic"],
        unsolved=asked - int(solved.sum()),
    )
    if not solved.any():
        return found
    part, h, r = batch.select(solved), twin.h[solved], theirs[solved]
    (ours, size), (other, _) = make.value(part, h), make.value(part, r)
    signed = (ours - other) / np.maximum(size, 1e-300)
    found.compared = int(solved.sum())
    found.gap, found.better = float(np.abs(signed).max()), float(signed.max())
    found.violation = float(twin.violation[solved].max())
    apart = np.linalg.norm(np.einsum("prk,pk->pr", part.F, h - r), axis=1)
    weigh = np.linalg.norm(part.f, axis=1) + np.linalg.norm(
        np.einsum("prk,pk->pr", part.F, np.abs(part.h0)), axis=1
    )
    found.residual = float((apart / np.maximum(weigh, 1e-300))[part.risk_weight > 0].max(initial=0))
    gram = np.einsum("prk,prl->pkl", part.F, part.F)
    unique = (np.linalg.cond(gram) < UNIQUE) & (part.risk_weight > 0)
    found.unique = int(unique.sum())
    found.hedge = float((np.abs(h - r).max(axis=1) / part.scale)[unique].max(initial=0.0))
    return found


def parity(report: Report, pool: ProcessExecutor, problems: int) -> None:
    """Random and degenerate problems, both cores."""
    make = builders()
    sizes = (1, 2, 5, 8)
    cells = len(make.MEMBERS) * len(make.CASES) * len(sizes)
    each = max(1, -(-problems // cells))
    lots = [
        Lot(member, case, k, each) for member in make.MEMBERS for case in make.CASES for k in sizes
    ]
    lots = lots[:: max(1, cells // problems)]
    thirty = [Lot(member, "plain", 30, min(each, 8)) for member in make.MEMBERS]
    total = Gaps()
    for part in pool.map(compare, [*lots, *thirty]):
        total += part
    report.add(
        "parity_objective_gap",
        total.gap,
        f"relative; twin against Clarabel at 1e-10, {total.compared:,} of {total.problems:,} "
        f"problems compared; not compared: limits in conflict {total.elastic:,}, not certified by "
        f"the twin {total.helped}, not solved by Clarabel {total.unsolved}; Clarabel was better by "
        f"at most {total.better:.1e}; violation {total.violation:.1e}; residual risk "
        f"{total.residual:.1e}; hedge, where unique ({total.unique:,}), {total.hedge:.1e}",
        parity_problems=float(total.compared),
        parity_not_certified=float(total.helped),
        parity_signed_gap=total.better,
        parity_violation=total.violation,
        parity_residual=total.residual,
        parity_hedge=total.hedge,
    )
