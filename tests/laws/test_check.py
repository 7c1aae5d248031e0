"""`check_strategy` itself: markets made to measure, reports, and what it raises."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backtester.accounting.book import Book
from backtester.errors import ConfigError, PluginError
from backtester.hedging.decision import HedgeDecision, Target
from backtester.laws import check_strategy
from backtester.laws.bench import bench_for
from backtester.laws.check import LAWS
from backtester.laws.market import HEDGES, SPOT, layouts, synthetic
from backtester.market.view import MarketView
from backtester.plugins import load_strategy
from backtester.strategy import Strategy

DOCS = Path(__file__).resolve().parents[2] / "docs"


class Idle(Strategy[None]):
    """Holds nothing."""

    wait: float = 0.0
    names: tuple[str, ...] = ()

    @property
    def warmup(self) -> float:
        return self.wait

    def requires(self) -> tuple[str, ...]:
        return self.names

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        return HedgeDecision(exposure=book.exposure, risk=Target(np.zeros_like(book.hedges)))


class NeedsParameter(Idle):
    """Cannot be made without its parameter."""

    must: int


def test_a_class_of_a_notebook_can_be_checked() -> None:
    seen: list[str] = []
    report = check_strategy(Idle, progress=lambda done, total, what: seen.append(what))
    assert report.ok and report.strategy == "Idle" and "Idle" in report.origin
    assert seen == list(LAWS)
    assert [r.name for r in report.results] == ["interface", "contract", *LAWS]


@pytest.mark.slow
@pytest.mark.parametrize("estimator", ["ccc", "dcc", "cdcc", "spearman", "kendall", "factor"])
def test_every_estimator_keeps_the_laws(estimator: str) -> None:
    chosen = {"estimator": estimator, "window": 20.0, "halflife": 20.0}
    report = check_strategy("CrossAssetCorrelationHedge", parameters=chosen)
    assert report.ok, report.text()


def test_the_strategy_in_the_docs_keeps_the_laws(tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / "plugins.md").read_text(), re.DOTALL)
    (tmp_path / "ewma.py").write_text(blocks[0])
    report = check_strategy(str(tmp_path / "ewma.py"))
    assert report.ok, report.text()


def test_the_docs_explain_every_law() -> None:
    text = (DOCS / "plugins.md").read_text()
    assert [law for law in ("interface", "contract", *LAWS) if f"`{law}`" not in text] == []


def test_a_check_leaves_the_callers_generators_alone() -> None:
    random.seed(4)
    np.random.seed(4)  # noqa: NPY002
    check_strategy(Idle)
    after = random.random(), np.random.random()  # noqa: NPY002
    random.seed(4)
    np.random.seed(4)  # noqa: NPY002
    assert after == (random.random(), np.random.random())  # noqa: NPY002


@pytest.mark.parametrize(
    ("reference", "parameters", "kind", "words"),
    [
        (Idle, {"wat": 1.0}, ConfigError, "no parameter 'wat'"),
        (NeedsParameter, {}, ConfigError, "'must'"),
        (int, {}, PluginError, "is not a strategy class"),
        ("Nope", {}, PluginError, "'Nope'"),
    ],
)
def test_what_cannot_be_checked_raises(
    reference: Any, parameters: dict[str, Any], kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words):
        check_strategy(reference, parameters=parameters)


def test_a_long_warmup_makes_a_long_market() -> None:
    bench = bench_for(Idle, {"wait": 400.0}, 0)
    assert bench.panel().bars == 470
    assert len(bench.decided()) == 70


def test_a_warmup_that_is_no_number() -> None:
    report = check_strategy(Idle, parameters={"wait": float("inf")})
    assert [r.name for r in report.failures] == ["interface"]
    assert "warmup is inf" in report.text()


@pytest.mark.parametrize(
    ("names", "exposed", "instruments"),
    [
        ((), SPOT, HEDGES),
        (("XAU",), SPOT, ("XAU", *HEDGES)),
        (("BTC",), ("ETH", "COIN-A"), ("BTC", *HEDGES)),
        (("SOL-PERP",), ("SOL", "BTC"), ("SOL-PERP", *HEDGES)),
        (("BTC", "ETH"), ("COIN-A", "COIN-B"), ("BTC", "ETH", *HEDGES)),
    ],
)
def test_a_market_has_what_a_strategy_asks_for(
    names: tuple[str, ...], exposed: tuple[str, ...], instruments: tuple[str, ...]
) -> None:
    first = layouts(Idle(names=names))[0]
    assert (first.exposed, first.instruments) == (exposed, instruments)
    panel = synthetic(first, bars=100, paths=3, seed=0)
    assert panel.assets == first.assets
    assert panel.funding is not None and np.abs(panel.funding).max() > 0


def test_choices_are_not_taken_for_assets() -> None:
    kind = load_strategy("CrossAssetCorrelationHedge")
    made = kind.configured({"estimator": "sample", "hedge_with": ["OIL"]})
    assert layouts(made)[0].instruments == ("OIL", *HEDGES)


def test_a_path_is_the_same_among_any_number() -> None:
    layout = layouts(Idle())[0]
    few, many = (synthetic(layout, bars=50, paths=p, seed=1) for p in (1, 5))
    np.testing.assert_array_equal(few.prices, many.prices[:, :1])
