"""cvxpy problems the package has never seen, batched, against ``problem.solve()`` path by path."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from backtester_strategies.cross_asset import CrossAssetCorrelationHedge
from machine_rows import watching
from table import Report
from workload import Variant, best, scenario, timed

from backtester.accounting.book import Book
from backtester.arrays import Float
from backtester.hedging.decision import HedgeDecision
from backtester.market.view import MarketView

K, R, SCENARIOS = 5, 8, 40

Made = tuple[Any, dict[str, Float]]


def market(paths: int) -> dict[str, Float]:
    """Risk root times hedges, exposure and today's hedge of `paths` problems, in units of 1."""
    rng = np.random.default_rng(5)
    root = 0.03 * (0.7 + 0.3 * rng.random((paths, R, 1))) * rng.normal(size=(paths, R, K))
    return {
        "F": root,
        "f": (root @ rng.normal(0.2, 0.1, (paths, K, 1)))[:, :, 0],
        "h0": 0.1 * rng.normal(size=(paths, K)),
        "buy": rng.uniform(2e-4, 6e-4, (paths, K)),
        "sell": rng.uniform(4e-4, 9e-4, (paths, K)),
    }


def quadratic(paths: int) -> Made:
    """Buying and selling cost differently, and two groups of instruments have a limit each."""
    import cvxpy as cp

    data = market(paths)
    h, bought = cp.Variable(K, name="h"), cp.Variable(K, nonneg=True, name="bought")
    sold = cp.Variable(K, nonneg=True, name="sold")
    p = {name: cp.Parameter(a.shape[1:], name=name, nonneg=name in ("buy", "sell"))
         for name, a in data.items()}  # fmt: skip
    cost = p["buy"] @ bought + p["sell"] @ sold
    limits = [
        bought - sold == h - p["h0"],
        cp.abs(h) <= 0.6,
        cp.sum(h[:2]) >= -0.5,
        cp.sum(h[2:]) <= 0.5,
    ]
    risk = 10.0 * cp.sum_squares(p["F"] @ h + p["f"])
    return cp.Problem(cp.Minimize(risk + cost), limits), data


def shortfall(paths: int) -> Made:
    """Expected shortfall over scenarios (Rockafellar & Uryasev), with the cost of the trade."""
    import cvxpy as cp

    rng = np.random.default_rng(6)
    data = {
        "returns": 0.03 * rng.standard_t(4, (paths, SCENARIOS, K)),
        "loss": 0.03 * rng.standard_t(4, (paths, SCENARIOS)),
        "h0": 0.1 * rng.normal(size=(paths, K)),
    }
    h, level = cp.Variable(K, name="h"), cp.Variable(name="level")
    p = {name: cp.Parameter(a.shape[1:], name=name) for name, a in data.items()}
    over = cp.pos(p["loss"] - p["returns"] @ h - level)
    tail = level + cp.sum(over) / (0.1 * SCENARIOS)
    return cp.Problem(cp.Minimize(tail + 5e-4 * cp.norm1(h - p["h0"])), [cp.abs(h) <= 1.0]), data


def cone(paths: int) -> Made:
    """The cheapest trade that brings residual volatility under a limit."""
    import cvxpy as cp

    data = {name: a for name, a in market(paths).items() if name in ("F", "f", "h0")}
    data["limit"] = 0.8 * np.linalg.norm(data["f"], axis=1)
    h = cp.Variable(K, name="h")
    p = {name: cp.Parameter(a.shape[1:], name=name) for name, a in data.items()}
    limits = [cp.norm2(p["F"] @ h + p["f"]) <= p["limit"], cp.abs(h) <= 1.0]
    return cp.Problem(cp.Minimize(5e-4 * cp.norm1(h - p["h0"])), limits), data


def versus(make: Callable[[int], Made], paths: int, singly: int = 20) -> dict[str, Any]:
    """Seconds a path of both, and how the batch's answers are certified."""
    from backtester.hedging.generic import BatchedProblem

    problem, data = make(paths)
    batched = BatchedProblem(problem)
    answer = batched.solve(data)
    ours = best(lambda: batched.solve(data), 3) / paths
    parameters = {p.name(): p for p in problem.parameters()}
    each, apart, wanted = [], [], []
    for i in range(min(singly, paths)):

        def theirs(i: int = i, options: dict[str, float] | None = None) -> None:
            for name, parameter in parameters.items():
                parameter.value = data[name][i]
            problem.solve(solver="CLARABEL", warm_start=False, **(options or {}))

        theirs()
        each.append(best(theirs, 2))
        tight = {"tol_gap_abs": 1e-11, "tol_gap_rel": 1e-11, "tol_feas": 1e-11}
        theirs(options=tight)
        want = float(problem.value)
        for variable in problem.variables():
            variable.value = answer.value(variable.name())[i]
        apart.append(abs(float(problem.objective.value) - want))
        wanted.append(abs(want))
    good = np.isfinite(answer.gap)
    return {
        "ours": ours,
        "theirs": float(np.median(each)),
        "variables": batched.layout.n,
        # of a usual objective: some are zero; a value that is not a number must show
        "apart": float(np.max(apart) / np.median(wanted)),
        "gap": float(answer.gap[good].max(initial=0.0)),
        "uncertified": paths - int(good.sum()),
        "routes": ", ".join(f"{route} {n}" for route, n in answer.counts.items() if n),
    }


@dataclass(frozen=True)
class Modelled(Variant):
    """The first row with a risk that is solved as a cvxpy problem of the package."""

    kind: str = ""

    @property
    def strategy(self) -> CrossAssetCorrelationHedge:
        """The cross-asset hedge under another risk."""
        kind = self.kind

        class Strategy(CrossAssetCorrelationHedge):
            def decide(self, view: MarketView, book: Book, state: Any) -> HedgeDecision:
                from backtester.hedging import decision as risks

                given = super().decide(view, book, state)
                assert isinstance(given.risk, risks.Quadratic)
                normal = given.risk.covariance
                risk: risks.Risk
                if kind == "Robust":
                    calm = 0.5 * normal + 0.5 * normal * np.eye(normal.shape[-1])
                    risk = risks.Robust(np.stack([normal, calm], axis=1))
                elif kind == "ExpectedShortfall":
                    days = np.random.default_rng(7).standard_t(4, (SCENARIOS, normal.shape[-1]))
                    risk = risks.ExpectedShortfall(0.02 * days, 0.9)
                else:
                    risk = risks.MultiPeriod(normal, 3)
                return HedgeDecision(exposure=given.exposure, risk=risk)

        return Strategy(halflife=30.0)


def captured(kind: str) -> Callable[[int], Made]:
    """The problems that the engine hands to the solver on one day under that risk."""

    def make(paths: int) -> Made:
        from backtester.hedging.framed import compiled, flags, values

        panel = scenario(0.7).draw(first=0, paths=paths, bars=32, seed=3)
        with watching() as seen:
            timed([panel], Modelled("", kind, kind=kind))
        batch = seen[-1][0]
        need, index = next(iter(flags(batch)))
        part = batch.select(index)
        size, own = part.form.template.values(part.form.arrays, part)
        return compiled(part.form.template, need).problem, own | values(part, need, size)

    return make


def generic(report: Report, problems: int) -> None:
    """Problems of a user's own; and those the package brings."""
    some = max(2, problems // 10)
    rows = (
        ("generic_dpp_speedup", quadratic, problems, "a QP with two costs and group limits"),
        ("generic_dpp_speedup_shortfall", shortfall, some, f"shortfall, {SCENARIOS} scenarios"),
        ("generic_dpp_speedup_cone", cone, problems, "a residual-volatility limit (cone)"),
        ("robust_speedup", captured("Robust"), some, "least regret over two regimes"),
        (
            "shortfall_speedup", captured("ExpectedShortfall"), some,
            f"expected shortfall, {SCENARIOS} scenarios",
        ),
        ("multi_period_speedup", captured("MultiPeriod"), some, "a plan over three periods"),
    )  # fmt: skip
    for key, make, paths, what in rows:
        needed = "generic" if key.startswith("generic") else "forms"
        if importlib.util.find_spec(f"backtester.hedging.{needed}") is None:
            report.add(key, None, f"not built: backtester.hedging.{needed}")
            continue
        try:
            found = versus(make, paths)
        except Exception as error:  # a row must not take the others down; it says what happened
            report.add(key, None, f"failed: {type(error).__name__}: {str(error)[:120]}")
            continue
        report.add(
            key,
            found["theirs"] / found["ours"],
            f"times; {what}; {found['variables']} canonical variables; ours "
            f"{1e6 * found['ours']:.0f} µs a path, by {found['routes']}; objective apart by "
            f"{found['apart']:.1e}, certified gap {found['gap']:.1e}, {found['uncertified']} of "
            f"{paths} not certified; peer: µs of problem.solve()",
            1e6 * found["theirs"],
            **{f"{key}_gap": found["apart"], f"{key}_ours_us": 1e6 * found["ours"]},
        )
