"""The gate of fixed costs: what it keeps back, what it may not, and that it lowers J + gas."""

from __future__ import annotations

from dataclasses import replace

import cvxpy as cp
import numpy as np
import pytest

from backtester.arrays import Float
from backtester.costs.gas import Gas
from backtester.costs.model import CostConfig, CostModel
from backtester.costs.quote import Quote
from backtester.errors import ConfigError, ProblemError, Status
from backtester.hedging.batch import HedgeBatch, HedgeSolution
from backtester.hedging.gate import gated
from backtester.hedging.solver import solve

CURVATURE, COST, GAS, HORIZON = 2.0, 0.001, 1e-4, 0.05


def alone(distance: Float, cost: float = COST) -> HedgeBatch:
    """One instrument at `distance` (P,) from its target 1: risk ½AH(h − 1)², cost c|z|."""
    paths = len(distance)
    column, one = np.ones((paths, 1)), np.ones(paths)
    return HedgeBatch(
        F=column[:, :, None], f=-column, risk_weight=CURVATURE * HORIZON * one,
        reward=0 * column, h0=1.0 + distance[:, None], linear=cost * column, impact=0 * column,
        lower=-np.inf * column, upper=np.inf * column, gross=np.inf * one,
        turnover=np.inf * one, A=np.zeros((paths, 0, 1)), b=np.zeros((paths, 0)),
        band=np.zeros((paths, 0)), scale=one,
    )  # fmt: skip


def several(seed: int = 0, paths: int = 300, k: int = 4) -> HedgeBatch:
    """Random problems with proportional cost, impact, a reward and loose limits."""
    rng = np.random.default_rng(seed)
    one, many = np.ones(paths), np.ones((paths, k))
    return HedgeBatch(
        F=rng.normal(size=(paths, k + 1, k)), f=rng.normal(size=(paths, k + 1)),
        risk_weight=rng.uniform(0.5, 2.0, paths), reward=0.01 * rng.normal(size=(paths, k)),
        h0=0.3 * rng.normal(size=(paths, k)), linear=0.05 * rng.uniform(size=(paths, k)),
        impact=0.05 * rng.uniform(size=(paths, k)), lower=-5 * many, upper=5 * many,
        gross=9 * one, turnover=9 * one, A=np.zeros((paths, 0, k)), b=np.zeros((paths, 0)),
        band=np.zeros((paths, 0)), scale=one,
    )  # fmt: skip


def objective(batch: HedgeBatch, h: Float) -> Float:
    """J of each path, (P,) money."""
    residual = np.einsum("prk,pk->pr", batch.F, h) + batch.f
    z = np.abs(h - batch.h0)
    paid = (batch.linear * z + batch.impact * z**1.5 - batch.reward * h).sum(axis=1)
    return np.asarray(0.5 * batch.risk_weight * (residual**2).sum(axis=1) + paid)


def total(batch: HedgeBatch, h: Float, gas: Float) -> Float:
    """J + gas of each path."""
    return objective(batch, h) + ((h != batch.h0) * gas).sum(axis=1)


def gate(batch: HedgeBatch, gas: Float, *, planned: bool = True) -> tuple[HedgeSolution, Float]:
    solved = solve(batch)
    return gated(batch, solved, gas, planned=planned), solved.h


@pytest.mark.parametrize("cost", [0.0, COST])
def test_one_instrument_waits_for_the_closed_form_and_trades_to_the_edge(cost: float) -> None:
    weight = CURVATURE * HORIZON
    edge = cost / weight + np.sqrt(2.0 * GAS / weight)
    distance = edge * np.array([-1.5, -1.0001, -0.9999, -0.1, 0.0, 0.9999, 1.0001, 3.0])
    batch = alone(distance, cost)
    answer, solved = gate(batch, np.array([GAS]))
    sent = np.abs(distance) > edge
    np.testing.assert_array_equal(answer.h[~sent], batch.h0[~sent])  # to the bit
    np.testing.assert_array_equal(answer.h[sent], solved[sent])
    moved = (solved != batch.h0).ravel()
    assert answer.counts["gated"] == (moved & ~sent).sum() > 0
    assert (answer.status == Status.OK).all()


def test_the_gate_never_raises_objective_plus_gas_and_stops_where_nothing_is_saved() -> None:
    batch, gas = several(), np.array([0.02, 0.1, 0.0, 0.4])
    answer, solved = gate(batch, gas)
    before, after = total(batch, solved, gas), total(batch, answer.h, gas)
    assert (after <= before + 1e-12).all()
    assert (after <= objective(batch, batch.h0) + 1e-12).all()
    assert ((answer.h == solved) | (answer.h == batch.h0)).all()
    assert (answer.h != solved).any(axis=1).mean() > 0.2
    for i in range(4):  # no single trade that is left is worth less than its gas
        back = answer.h.copy()
        back[:, i] = batch.h0[:, i]
        assert (total(batch, back, gas) >= after - 1e-12).all()


def test_against_every_subset_of_the_trades() -> None:
    """Greedy reversion finds the best subset on 19 of 20 paths and 95 % of what can be saved."""
    batch, gas = several(seed=3, paths=1000), np.full(4, 0.1)
    answer, solved = gate(batch, gas)
    best = np.full(batch.paths, np.inf)
    for mask in range(16):
        keep = np.array([bool(mask >> i & 1) for i in range(4)])
        best = np.minimum(best, total(batch, np.where(keep, solved, batch.h0), gas))
    missed = total(batch, answer.h, gas) - best
    assert (missed > 1e-12).mean() <= 0.05
    assert missed.sum() <= 0.05 * (total(batch, solved, gas) - best).sum()


def test_no_gas_changes_nothing_and_great_gas_stops_everything() -> None:
    batch = several()
    nothing, solved = gate(batch, np.zeros(4))
    np.testing.assert_array_equal(nothing.h, solved)
    assert nothing.counts["gated"] == 0
    everything, _ = gate(batch, np.full(4, 1e9))
    np.testing.assert_array_equal(everything.h, batch.h0)
    assert everything.counts["gated"] == batch.paths


def broken(name: str) -> HedgeBatch:
    """A problem whose h0 = (1.2, 1.2) breaks one limit; the target is not far away."""
    batch = replace(alone(np.zeros(1)), lower=np.full((1, 1), -np.inf))
    two = np.full((1, 2), np.inf)
    changed = {
        "box": {"upper": np.array([[1.0, np.inf]])},
        "gross": {"gross": np.array([2.0])},
        "neutral": {
            "A": np.ones((1, 1, 2)), "b": np.array([[2.0]]), "band": np.array([[0.1]]),
        },
    }[name]  # fmt: skip
    fields = {
        "F": np.eye(2)[None], "f": np.full((1, 2), -1.2), "reward": np.zeros((1, 2)),
        "h0": np.full((1, 2), 1.2), "linear": np.zeros((1, 2)), "impact": np.zeros((1, 2)),
        "lower": -two, "upper": two, "A": np.zeros((1, 0, 2)),
    }  # fmt: skip
    return replace(batch, **{**fields, **changed})


@pytest.mark.parametrize("name", ["box", "gross", "neutral"])
def test_gas_never_keeps_a_hedge_outside_its_limits(name: str) -> None:
    batch = broken(name)
    answer, solved = gate(batch, np.full(2, 1e9))
    assert (solved != batch.h0).any()
    assert answer.violation[0] <= 1e-9
    assert (answer.h != batch.h0).any()
    if name == "box":
        assert answer.h[0, 0] == pytest.approx(1.0)
    elif name == "gross":
        assert np.abs(answer.h).sum() <= 2.0 + 1e-9
    else:
        assert abs(answer.h.sum() - 2.0) <= 0.1 + 1e-9


def test_rounding_costs_no_gas() -> None:
    batch = alone(np.array([1e-12, 1e-3]), cost=0.0)
    answer, _ = gate(batch, np.array([GAS]), planned=False)
    np.testing.assert_array_equal(answer.h[0], batch.h0[0])
    assert answer.h[1, 0] == pytest.approx(1.0, abs=1e-9)  # stated: not weighed


def test_a_path_does_not_depend_on_its_neighbours() -> None:
    batch, gas = several(), np.full(4, 0.1)
    together, _ = gate(batch, gas)
    order = np.random.default_rng(1).permutation(batch.paths)
    shuffled, _ = gate(batch.select(order), gas)
    np.testing.assert_array_equal(shuffled.h, together.h[order])


@pytest.mark.parametrize("size", [1e-3, 1e9])
def test_the_size_of_the_book_changes_no_choice(size: float) -> None:
    batch, gas = several(), np.full(4, 0.1)
    plain, _ = gate(batch, gas)
    larger = replace(
        batch, f=batch.f * size, h0=batch.h0 * size, risk_weight=batch.risk_weight / size,
        impact=batch.impact / np.sqrt(size), lower=batch.lower * size, upper=batch.upper * size,
        gross=batch.gross * size, turnover=batch.turnover * size, scale=batch.scale * size,
    )  # fmt: skip
    scaled, _ = gate(larger, gas * size)
    np.testing.assert_array_equal(scaled.h != larger.h0, plain.h != batch.h0)


# The term


def quote() -> Quote:
    full = np.ones((3, 2))
    return Quote(price=100 * full, half_spread=0 * full, depth=None, volatility=None)


@pytest.mark.parametrize(
    ("gas", "charged"), [(2.0, [2.0, 4.0, 0.0]), ({"B": 3.0}, [3.0, 3.0, 0.0])]
)
def test_gas_is_charged_once_for_every_instrument_filled(
    gas: float | dict[str, float], charged: list[float]
) -> None:
    model = CostModel.of(CostConfig(fee_bps=0, half_spread_bps=0, gas=gas), ("A", "B", "C"),
                         ("B", "C"))  # fmt: skip
    z = np.array([[1e-6, 0.0], [1e9, -1.0], [0.0, 0.0]])
    np.testing.assert_array_equal(model.charge(z, quote())["gas"], charged)
    assert model.gas is not None and not model.has_impact
    assert all((rate == 0).all() for rate in model.rates(quote()))  # planned by the gate


def test_no_gas_is_no_term() -> None:
    model = CostModel.of(CostConfig(gas={"A": 5.0}), ("A", "B"), ("B",))  # not a hedge
    assert model.gas is None
    assert [t.name for t in model.terms] == ["fee", "spread"]
    assert CostConfig(gas={"A": 5.0}).scaled(2.0).gas == {"A": 10.0}


def test_messages() -> None:
    with pytest.raises(ConfigError, match=r"costs\.gas names 'BB'"):
        CostModel.of(CostConfig(gas={"BB": 1.0}), ("A", "B"), ("B",))
    with pytest.raises(ProblemError, match="not convex"):
        Gas(np.ones(2)).expression(cp.Variable(2), np.ones(2))
