"""What holds for every overlay: neutral is identity, a path knows no neighbour, bounds, time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtester.market.moments import moments_of
from backtester.market.panel import MarketPanel
from backtester.overlay import apply_overlays
from backtester.overlay_files import OVERLAYS, overlay_named

from .conftest import FIELDS, KINDS, PANEL, SWITCHING, one, overlaid, same_bits

MOMENTS = moments_of(PANEL)
EVERY = pytest.mark.parametrize("kind", sorted(KINDS))


def test_every_built_in_is_tested() -> None:
    assert set(KINDS) == set(OVERLAYS)


@EVERY
def test_parameters_are_bounded_and_described(kind: str) -> None:
    overlay = overlay_named(kind)
    assert overlay.PARAMETERS
    for p in overlay.parameters():
        assert p.low < p.high and p.unit and p.meaning
        assert p.neutral is None or p.low <= p.neutral <= p.high
        assert p.name in overlay.model_fields


@EVERY
def test_neutral_values_change_no_bit(kind: str, history: MarketPanel) -> None:
    overlay = one(kind)
    neutral = overlay.neutral()
    assert overlay.apply(PANEL, values=neutral, moments=MOMENTS) is PANEL
    assert overlay.apply(history, values=neutral) is history
    # beside paths that do move, and on stamps outside the shock's time
    half = {n: np.where(np.arange(8) % 2, v, getattr(overlay, n)) for n, v in neutral.items()}
    mixed = overlay.apply(PANEL, values=half, moments=MOMENTS, seed=1)
    still = np.arange(1, 8, 2)
    assert same_bits(mixed.select(still), PANEL.select(still))
    moved = overlay.apply(PANEL, moments=MOMENTS, seed=1)
    assert same_bits(moved.until(11), PANEL.until(11))
    assert not same_bits(moved, PANEL)


@EVERY
def test_a_stack_of_candidates_is_each_of_them_alone(kind: str) -> None:
    overlay = one(kind)
    rng = np.random.default_rng(0)
    given = {
        p.name: rng.uniform(max(p.low, -0.5), min(p.high, 1.5), 8)
        for p in overlay.parameters()
        if p.neutral is not None
    } | {"start_days": rng.integers(0, 30, 8).astype(float), "recovery_days": rng.uniform(0, 9, 8)}
    given = {
        n: np.clip(v, *next((p.low, p.high) for p in overlay.parameters() if p.name == n))
        for n, v in given.items()
    }
    stacked = overlay.apply(PANEL, values=given, first=20, seed=9, moments=MOMENTS)
    for p in range(8):
        alone = overlay.apply(
            PANEL.path(p),
            values={n: float(v[p]) for n, v in given.items()},
            first=20 + p,
            seed=9,
            moments=MOMENTS,
        )
        assert same_bits(stacked.path(p), alone, *FIELDS), p


@EVERY
def test_paths_measured_by_themselves_know_no_neighbour(kind: str) -> None:
    stacked = one(kind).apply(PANEL, first=20, seed=9)
    for p in (0, 5):
        alone = one(kind).apply(PANEL.path(p), first=20 + p, seed=9)
        assert same_bits(stacked.path(p), alone), p


@given(first=st.integers(0, 40), paths=st.integers(1, 20), bars=st.integers(12, 60))
@settings(max_examples=20, deadline=None)
def test_a_path_of_a_scenario_is_a_function_of_seed_and_path(
    first: int, paths: int, bars: int
) -> None:
    whole = EVERYTHING.draw(first=0, paths=60, bars=60, seed=2)
    part = EVERYTHING.draw(first=first, paths=paths, bars=bars, seed=2)
    assert part.regime_names == whole.regime_names
    assert same_bits(part, whole.select(np.arange(first, first + paths)).until(bars + 1))


def listed(kind: str) -> dict[str, Any]:
    return {"overlay": kind, **KINDS[kind]}


EVERYTHING = overlaid(*(listed(k) for k in KINDS if k != "Outage"), base=SWITCHING)


def test_shocks_do_not_depend_on_parameters() -> None:
    """θ and −θ with every asset on the same side use one factor: their changes mirror."""
    overlay = one("CorrelationPath", opposed=["A", "B", "C"])
    own, up, down = (
        np.log(overlay.apply(PANEL, values={"theta": v}, moments=MOMENTS, seed=4).prices[..., 0])
        for v in (0.0, 0.5, -0.5)
    )
    base = np.log(PANEL.prices[..., 0])
    assert np.array_equal(own, base)
    middle = (up + down) / 2.0  # the factor's part cancels; what is left is (√(1−θ) − 1) r
    again = (
        one("CorrelationPath").apply(PANEL, values={"theta": 0.5}, moments=MOMENTS, seed=5).prices
    )
    assert np.abs(up - down).max() > 0.1
    assert not np.allclose(np.log(again[..., 0]), up)
    assert np.abs(middle - base)[:11].max() == 0.0


def test_order_is_that_of_the_kinds_and_composition_adds_logs() -> None:
    jump, peg, wild = one("Jump"), one("Depeg"), one("Volatility")
    together = apply_overlays(PANEL, [jump, wild, peg], moments=MOMENTS, seed=1)
    turned = apply_overlays(PANEL, [peg, jump, wild], moments=MOMENTS, seed=1)
    assert same_bits(together, turned)  # volatility first, however they are listed
    alone = [np.log(o.apply(PANEL, moments=MOMENTS, seed=1).prices) for o in (jump, peg, wild)]
    base = np.log(PANEL.prices)
    assert np.log(together.prices) == pytest.approx(sum(x - base for x in alone) + base, abs=1e-12)


def test_two_of_a_kind_draw_their_own_shocks() -> None:
    path = one("CorrelationPath", theta=0.3)
    once = apply_overlays(PANEL, [path], moments=MOMENTS, seed=1)
    values = [path.neutral(), {"theta": 0.3}]
    second = apply_overlays(PANEL, [path, path], values=values, moments=MOMENTS, seed=1)
    assert not np.allclose(second.prices, once.prices)


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"Outage"}))  # which freezes both
def test_perpetuals_keep_their_basis(kind: str) -> None:
    """Within what the overlay itself adds to it: the basis parameter, at most a tenth."""
    shocked = one(kind).apply(PANEL, moments=MOMENTS, seed=3)

    def basis(panel: MarketPanel) -> np.ndarray:
        return np.log(panel.prices[..., 3] / panel.prices[..., 0])

    allowed = 0.01 if kind == "FundingShock" else 0.0
    assert np.abs(basis(shocked) - basis(PANEL)).max() <= allowed + 1e-12


@EVERY
def test_labels_mark_the_shock_and_nothing_else(kind: str) -> None:
    shocked = one(kind, label="event").apply(PANEL, moments=MOMENTS, seed=3)
    assert shocked.regime_names == ("normal", "crisis", "event")
    assert shocked.regime is not None and PANEL.regime is not None
    event = shocked.regime == 2
    assert event[12:14].any() and not event[:11].any()
    assert np.array_equal(shocked.regime[~event], PANEL.regime[~event])
    silent = one(kind, label=None).apply(PANEL, moments=MOMENTS, seed=3)
    assert silent.regime_names == PANEL.regime_names
    assert same_bits(silent, PANEL, "regime")


def test_a_shock_that_starts_at_once_labels_row_zero_like_the_first_bar() -> None:
    shocked = one("Volatility", start_days=0.0, ramp_days=0.0, label="event").apply(PANEL)
    assert shocked.regime is not None
    assert (shocked.regime[0] == 2).all() and (shocked.regime[1] == 2).all()
    assert np.array_equal(shocked.prices[0], PANEL.prices[0])


def test_a_history_keeps_its_labels_open(history: MarketPanel) -> None:
    shocked = one("Volatility").apply(history)
    assert shocked.regime is None and not np.array_equal(shocked.prices, history.prices)


def test_a_time_without_a_stamp_is_told() -> None:
    late = one("Jump", start_days=500.0).apply(PANEL)
    assert same_bits(late, PANEL)
    assert "no stamp of the market lies within its time" in late.notes[-1]
