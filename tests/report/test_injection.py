"""Hostile names change no element, no attribute and no script of a page, and crash no terminal."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest

from backtester.commands.listing import table_of
from backtester.plugins import Plugin
from backtester.report.compare import compare_html
from backtester.report.documents import inert, scorecard_csv, scorecard_json, stress_json
from backtester.report.labels import distinct_labels, safe_label
from backtester.report.stress import stress_html
from backtester.report.tables import comparison_table, stress_table

from .hostile import HOSTILE, hostile_names
from .test_pages import outline

SIZE = {"bars": 60, "paths": 6}
BATCHES = range(len(HOSTILE) // 9)


def _structure(html: str) -> list[tuple[str, tuple[str, ...], str, str]]:
    """Tags with the names of their attributes, ids and classes: nothing a name may change."""
    return [
        (tag, tuple(attrs), attrs.get("id", ""), attrs.get("class", ""))
        for tag, attrs in outline(html).tags
    ]


@pytest.fixture(scope="module")
def plain(comparison_of: Any, stress_of: Any) -> tuple[Any, Any]:
    return (
        _structure(compare_html(comparison_of(**SIZE))),
        _structure(stress_html(stress_of(**SIZE))),
    )


@pytest.mark.parametrize("batch", BATCHES)
def test_pages_keep_their_structure(
    batch: int, names: Any, comparison_of: Any, stress_of: Any, plain: Any
) -> None:
    chosen = hostile_names(names, batch)
    for html, expected in (
        (compare_html(comparison_of(chosen, **SIZE)), plain[0]),
        (stress_html(stress_of(chosen, **SIZE)), plain[1]),
    ):
        assert _structure(html) == expected
        for attrs, text in outline(html).scripts:
            if attrs.get("type") == "application/json":
                assert not set("<>&\u2028\u2029") & set(text)
                for label in _texts(json.loads(text)):
                    assert "<" not in label.replace("<extra></extra>", "")
                    assert not re.search(r"&[#\w]{2}", label)
        visible = " ".join(outline(html).text)
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", visible)


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [t for k, v in value.items() if k != "bdata" for t in _texts(v)]
    if isinstance(value, list):
        return [t for v in value for t in _texts(v)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("batch", BATCHES)
def test_terminal_and_documents(batch: int, names: Any, comparison_of: Any, stress_of: Any) -> None:
    chosen = hostile_names(names, batch)
    comparison, stress = comparison_of(chosen, **SIZE), stress_of(chosen, **SIZE)
    plugins = [(Plugin(n, "a:B", n, None if i % 2 else n), n) for i, n in enumerate(HOSTILE)]
    for table in (
        comparison_table(comparison),
        stress_table(stress),
        table_of("strategies", plugins),
    ):
        text = printed(table)
        assert "\x1b" not in text
        assert "\x07" not in text
        assert max(len(line) for line in text.splitlines()) <= 80
    for document in (scorecard_json(comparison), stress_json(stress)):
        text = json.dumps(document, allow_nan=False, ensure_ascii=False)
        assert json.loads(text) == document
        text.encode("utf-8")
    import csv

    for row in csv.reader(io.StringIO(scorecard_csv(comparison))):
        assert not [c for c in row[:3] if c.startswith(("=", "@", "+", "\t", "\r", "-"))]


def printed(table: Any, width: int = 80) -> str:
    from rich.console import Console

    console = Console(width=width, file=io.StringIO(), no_color=True, force_terminal=False)
    console.print(table)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return text


@pytest.mark.parametrize("text", HOSTILE)
def test_safe_label(text: str) -> None:
    label = safe_label(text)
    assert len(label) <= 28
    assert not set("<>\n\r\t\x00\u202e") & set(label)
    assert not re.search(r"&[#\w]{2}", label)
    assert "%{" not in label


def test_safe_label_keeps_ordinary_names() -> None:
    for name in ("S&P 500", "BTC-USD", "Öl & Gas", "ETH/BTC (1h)", "日経225"):
        assert safe_label(name) == name


def test_labels_that_meet_are_numbered() -> None:
    labels = distinct_labels(("a<", "a‹", "x" * 40 + "1", "x" * 40 + "2"))
    assert len(set(labels)) == 4
    assert all(len(label) <= 28 for label in labels)


def test_spreadsheet_formulas_are_inert() -> None:
    assert inert("=1+1") == "'=1+1"
    assert inert("  @SUM(A1)") == "'  @SUM(A1)"
    assert inert("plain") == "plain"
