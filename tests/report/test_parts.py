"""Numbers as shown, fewer points with the extremes kept, and what a verdict says."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from backtester.comparison import BreakEven
from backtester.metrics.evaluate import RUINED
from backtester.metrics.inference import Estimate
from backtester.report.compare import compare_html
from backtester.report.labels import (
    clean_text,
    distinct_labels,
    money,
    number,
    percent,
    plural,
    scientific,
    sentence,
)
from backtester.report.sampling import keep_extremes, keep_shared, packed, points_for, stamps
from backtester.report.scores import COLUMNS, Footnotes, letter, score_groups
from backtester.report.stress import stress_html, verdicts
from backtester.report.tables import comparison_table, stress_table
from backtester.report.terminal import Figures
from backtester.report.verdict import troubles, verdict

from .test_injection import printed


def test_numbers() -> None:
    assert number(-1234.5) == "−1,234.50"
    assert number(-0.001) == "0.00"
    assert number(float("nan")) == "–"
    assert number(0.5, 1, sign=True) == "+0.5"
    assert percent(0.1234) == "12.3"
    assert (money(1234567.8), money(12.345), money(0.0)) == ("1,234,568", "12.35", "0")
    assert (scientific(3.1e-13), scientific(0.0)) == ("3.1e−13", "0")
    assert plural(1, "path") == "1 path"
    assert sentence(["a", "b", "c"]) == "a, b and c"
    assert clean_text("a\nb\x00" + "c" * 500, 10) == "a·b·ccccc…"
    assert distinct_labels(("a", "a")) == ("a", "a (2)")
    assert [letter(i) for i in (0, 25, 26, 27)] == ["a", "z", "aa", "ab"]


@pytest.mark.parametrize("size", [0, 1, 5, 1500, 1501, 20_000])
def test_extremes_are_kept(size: int) -> None:
    values = np.random.default_rng(1).standard_t(2, size)
    chosen = keep_extremes(values, 1500)
    assert len(chosen) <= 1500
    assert (np.diff(chosen) > 0).all()
    if size:
        assert values[chosen].min() == values.min()
        assert values[chosen].max() == values.max()
        assert chosen[0] == 0
        assert chosen[-1] == size - 1


def test_gaps_do_not_hide_extremes() -> None:
    values = np.full(4000, np.nan)
    values[3000:3100] = np.arange(100.0)
    chosen = keep_extremes(values, 200)
    assert np.nanmax(values[chosen]) == 99.0
    assert np.nanmin(values[chosen]) == 0.0
    assert len(keep_shared(np.stack([values] * 3, axis=1), 300)) <= 300


def test_points_of_a_figure_are_bounded() -> None:
    assert points_for(1) == 1500
    assert points_for(24) == 1000
    assert points_for(10_000) == 200


def test_stamps_come_back() -> None:
    day = 86_400_000_000_000
    times = np.array([3, 4, 5, 8, 9], dtype=np.int64) * day
    found = stamps(times, np.array([0, 3]))
    offset = np.frombuffer(base64.b64decode(found["offset"]["bdata"]), dtype="<u2").astype(int)
    assert (found["base"] + offset * found["unit"]).tolist() == [259_200_000, 691_200_000]
    assert packed(np.array([1.5]))["dtype"] == "f4"


def test_verdict_names_the_best(comparison: Any) -> None:
    v = verdict(comparison, "switching")
    assert (v.kind, v.best) == ("helps", 2)
    assert "RollingOLS has the least net 10-bar shortfall" in v.text


def _changed(comparison: Any, **estimates: Estimate) -> Any:
    card = comparison.scorecard
    scores = tuple(replace(s, **estimates) if s.market == "switching" else s for s in card.scores)
    return replace(comparison, scorecard=replace(card, scores=scores))


def test_verdict_says_when_no_hedge_helps(comparison: Any) -> None:
    worse = _changed(comparison, net_es_change=Estimate(0.5, 0.1, 0.9), net_es=Estimate(9.0, 8, 10))
    v = verdict(worse, "switching")
    assert (v.kind, v.badge) == ("fails", "No hedge helps")
    assert "No hedge beats the unhedged book" in v.text


def test_verdict_admits_doubt(comparison: Any) -> None:
    v = verdict(_changed(comparison, net_es_change=Estimate(-0.5, -1.1, 0.1)), "switching")
    assert v.kind == "unsure"
    assert "includes zero" in v.text
    none = _changed(comparison, net_es_change=Estimate(-0.5, note="insufficient: 2 paths"))
    assert "insufficient: 2 paths" in verdict(none, "switching").text
    nan = _changed(comparison, net_es=Estimate(float("nan"), note="no bars"))
    assert verdict(nan, "switching").badge == "No verdict"


def test_ruin_is_said_beside_the_verdict(comparison: Any) -> None:
    assert "Ruin" not in verdict(comparison, "switching").text
    note = f"capped on 1 path that {RUINED}; one path: no interval"
    lost = Estimate(100.0, note=note)
    every = _changed(comparison, max_drawdown=lost, unhedged_drawdown=lost)
    text = verdict(every, "switching").text
    assert "Ruin: every book lost all the capital on a path" in text
    assert text.endswith("Give more capital or a smaller exposure.")
    bare = _changed(comparison, unhedged_drawdown=lost)
    assert "Ruin: the unhedged book lost all" in verdict(bare, "switching").text


def test_stress_verdicts(stress: Any) -> None:
    naked, _, best = verdicts(stress)
    assert naked.badge == "No hedge"
    assert best.kind == "helps"
    assert "Break-even correlations: effectiveness 0.346; net shortfall none" in best.text
    assert "(negative side: helps at every negative correlation)" in best.text


def test_stress_verdict_between_two_break_evens(stress: Any) -> None:
    sweep = stress.sweeps[2]
    sides = (
        BreakEven("net_es", "negative", -0.3, ""),
        BreakEven("net_es", "positive", 0.2, ""),
    )
    both = replace(stress, sweeps=(replace(sweep, break_even=sides),))
    assert "net shortfall −0.300 and 0.200 (harms in between)" in verdicts(both)[2].text


@pytest.mark.parametrize(
    ("change", "badge"),
    [
        (Estimate(1.0, 0.5, 1.5), "Fails"),
        (Estimate(1.0, -0.5, 2.5), "Not certain"),
        (Estimate(-1.0, -2.5, 0.5), "Not certain"),
        (Estimate(-1.0, note="insufficient: 2 paths"), "Not certain"),
        (Estimate(-1.0, -1.5, -0.5), "Helps"),
    ],
)
def test_stress_badges(stress: Any, change: Estimate, badge: str) -> None:
    changed = replace(stress, scenarios=_changed(stress.scenarios, net_es_change=change))
    assert verdicts(changed)[2].badge == badge


def test_break_evens_without_one(stress: Any) -> None:
    sweep = replace(stress.sweeps[2], break_even=())
    html = stress_html(replace(stress, sweeps=(sweep,)))
    assert "Break-even correlations:" not in html
    assert "none was swept" in stress_html(replace(stress, sweeps=()))


def test_troubles_carry_their_advice(comparison: Any) -> None:
    found = troubles(comparison.curves)
    assert [t.status for t in found] == ["HELD", "ELASTIC"]
    assert found[1].decisions == "6"
    assert "widen the limit" in found[1].advice


def test_score_table_starts_with_the_unhedged_book(comparison: Any) -> None:
    notes = Footnotes()
    groups = score_groups(comparison.scorecard, "switching", notes)
    assert [g.regime for g in groups] == ["All bars", "normal", "crisis"]
    for group in groups:
        first = group.rows[0]
        assert first.unhedged
        assert not any(cell.best for cell in first.cells)
        assert len(first.cells) == len(COLUMNS)
        assert first.cells[0].text == group.rows[1].cells[0].text  # Naked is the unhedged book
    assert ("a", "no volatility was removed") in notes.listed()


def test_insufficient_rows_never_win(comparison_of: Any) -> None:
    groups = score_groups(comparison_of(bars=60, paths=3).scorecard, "switching", Footnotes())
    assert groups[0].insufficient.startswith("insufficient: 3 paths")


@pytest.mark.parametrize("width", [60, 80, 200])
def test_terminal_tables(width: int, comparison: Any, stress: Any) -> None:
    for table in (comparison_table(comparison), stress_table(stress)):
        lines = printed(table, width).splitlines()
        assert max(map(len, lines), default=0) <= width
    text = printed(comparison_table(comparison), width)
    assert "Unhedged" in text
    assert "34 trials" in " ".join(text.split())


@pytest.mark.parametrize("width", [20, 40, 50, 60, 70, 80])
def test_no_heading_figure_or_name_is_cut_on_a_narrow_terminal(
    width: int, comparison: Any, stress: Any
) -> None:
    for table in (comparison_table(comparison), stress_table(stress)):
        text = printed(table, width)
        assert "…" not in text and max(map(len, text.splitlines())) <= width
    text = " ".join(printed(comparison_table(comparison), width).split())
    if width <= 60:
        scores = r"Unhedged Net ES % of capital: \S+( \?)? CE bp capital/y: \S+ HE net %: 0.0 Cost"
        assert re.search(scores, text)
    else:
        assert re.search("Net ES CE HE net Cost Book % of capital bp capital/y % bp exp./y", text)
    if width > 20:
        shown = " ".join(printed(stress_table(stress), width).split())
        assert "Break-even correlation" in shown and "exposures" in shown


def test_names_are_folded_before_a_table_gives_way_to_lines() -> None:
    table = Figures("Title", "Book", ("Net ES\n% of capital", "CE\nbp"))
    table.section("crisis")
    table.row("CrossAssetCorrelationHedge", "1.00", "−2")
    assert "CrossAssetCorrelationHedge   " in printed(table, 60)
    folded = printed(table, 41)
    assert "CrossAssetCorrelati " in folded and " onHedge " in folded and "% of capital" in folded
    assert [line.rstrip() for line in printed(table, 36).splitlines()] == [
        "Title",
        "crisis",
        "CrossAssetCorrelationHedge",
        "  Net ES % of capital: 1.00",
        "  CE bp: −2",
        "",
    ]


def test_terminal_without_colour(monkeypatch: pytest.MonkeyPatch, comparison: Any) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in printed(comparison_table(comparison))


def test_warnings_of_the_data_are_seen(comparison: Any, stress: Any) -> None:
    note = "Check the data: '<b>A</b>' falls by a factor of 7"

    def warned(found: Any) -> Any:
        first, *others = found.markets
        return replace(found, markets=(replace(first, notes=(*first.notes, note)), *others))

    compared = warned(comparison)
    stressed = replace(stress, scenarios=warned(stress.scenarios))
    for table in (comparison_table(compared), stress_table(stressed)):
        assert " ".join(printed(table, 80).split()).count(note) == 1
    assert f"{stress.scenarios.markets[0].name}: {note}" in printed(stress_table(stressed), 200)
    for page in (compare_html(compared), stress_html(stressed)):
        line = "<li>Check the data: &#39;&lt;b&gt;A&lt;/b&gt;&#39; falls by a factor of 7</li>"
        assert page.count(line) == 1 and "<b>A</b>" not in page
        banner = page[: page.index(line)].rpartition("<div")[2]
        assert banner.startswith(' class="banner"') and "<details" not in banner
