"""The HTML files: well formed, complete, self-contained, and closed to everything else."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from backtester.report.compare import compare_html
from backtester.report.stress import stress_html

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Outline(HTMLParser):
    """Every start tag with its attributes; refuses tags that are not closed in order."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.scripts: list[tuple[dict[str, str], str]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {k: v or "" for k, v in attrs}
        assert len(named) == len(attrs), f"an attribute of <{tag}> is given twice"
        self.tags.append((tag, named))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "script":
            self.scripts.append((named, ""))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> closes another element at {self.getpos()}"

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            attrs, text = self.scripts[-1]
            self.scripts[-1] = (attrs, text + data)
        else:
            self.text.append(data)


def outline(html: str) -> Outline:
    parser = Outline()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    return parser


@pytest.fixture(scope="module", params=["compare", "stress"])
def page(request: pytest.FixtureRequest, comparison: Any, stress: Any) -> str:
    return compare_html(comparison) if request.param == "compare" else stress_html(stress)


def test_well_formed_and_ids_unique(page: str) -> None:
    parser = outline(page)
    ids = [attrs["id"] for _, attrs in parser.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    links = [a["href"] for t, a in parser.tags if t == "a"]
    assert all(link.startswith("#") and link[1:] in ids for link in links)


def test_makes_no_request(page: str) -> None:
    parser = outline(page)
    for tag, attrs in parser.tags:
        assert tag not in ("iframe", "object", "embed", "base", "form", "img")
        for name, value in attrs.items():
            assert not name.startswith("on"), (tag, name)
            if name in ("src", "href", "action", "srcset", "poster", "data"):
                assert value.startswith(("#", "data:,")), (tag, name, value)
            if name == "style":
                assert "url(" not in value
    css = page[page.index("<style>") : page.index("</style>")]
    assert "url(" not in css
    assert "@import" not in css
    ours = next(text for attrs, text in parser.scripts if not attrs and "Named one by one" in text)
    assert "//" not in re.sub(r"^\s*//.*$", "", ours, flags=re.M)


def test_policy_allows_only_the_two_scripts(page: str) -> None:
    parser = outline(page)
    metas = [a for t, a in parser.tags if t == "meta"]
    policy = next(a["content"] for a in metas if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in policy
    assert "unsafe-inline" not in policy.split("style-src")[0]
    executed = [text for attrs, text in parser.scripts if attrs.get("type") != "application/json"]
    assert len(executed) == 2
    for text in executed:
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    first = page.index("<script")
    assert page.index("Content-Security-Policy") < first


def test_one_copy_of_plotly_and_small_otherwise(page: str) -> None:
    assert page.count("* plotly.js v") == 1
    assert len(page.encode()) < 6_500_000
    parser = outline(page)
    plotly = max(len(text) for _, text in parser.scripts)
    assert len(page) - plotly < 1_700_000


def test_every_plot_has_data_words_and_a_table(page: str) -> None:
    parser = outline(page)
    plots = [a for t, a in parser.tags if a.get("class") == "plot"]
    data = {a["id"]: t for a, t in parser.scripts if a.get("type") == "application/json"}
    assert plots
    assert len(data) == len(plots)
    for attrs in plots:
        assert attrs["role"] == "img"
        assert len(attrs["aria-label"]) > 60
        figure = json.loads(data[attrs["id"] + "-data"])
        assert figure["data"]
    assert page.count("The numbers of this plot") == len(plots)


def test_says_what_a_reader_must_know(page: str) -> None:
    text = " ".join(outline(page).text)
    for words in (
        "34 trials (5 parameter sets of 3 strategies, and 12 earlier; on 2 markets)",
        "3.1e−13 of capital",
        "limits could not all hold",
        "insufficient",
        "fills at the next event",
        "ex post",
        "worst 2.5 %",
        "A history is one path",
        "hedge-backtester",
        "abab",
        "0.1.0",
    ):
        assert words in text, words


def test_figures_are_valid_plotly(comparison: Any, stress: Any) -> None:
    import plotly.graph_objects as go

    for html in (compare_html(comparison), stress_html(stress)):
        for attrs, text in outline(html).scripts:
            if attrs.get("type") != "application/json":
                continue
            figure = json.loads(re.sub(r'"@\w+"', '"#888"', text))
            for trace in figure["data"]:
                if isinstance(trace.get("x"), dict) and "offset" in trace["x"]:
                    trace["x"] = trace["x"]["offset"]
            go.Figure(data=figure["data"], layout=figure["layout"])


def test_looking_ahead_is_flagged(comparison_of: Any) -> None:
    honest = compare_html(comparison_of(bars=60, paths=6))
    ahead = compare_html(comparison_of(bars=60, paths=6, execution="same_close", audits=False))
    assert "Looks ahead" not in honest
    assert "Looks ahead: execution is same_close" in ahead
    assert "No replay was made: vectorbt is not installed" in ahead


def test_same_study_same_bytes(comparison: Any) -> None:
    assert compare_html(comparison) == compare_html(comparison)


def test_one_regime_and_one_strategy(comparison_of: Any, names: Any) -> None:
    few = names(strategies=("Only",), markets=("m",), assets=("A", "B"), regimes=("normal",))
    html = compare_html(comparison_of(few, bars=40))
    outline(html)
    assert "Only one regime was visited" in html
    assert "No hedge helps" in html


def test_a_delay_is_said(comparison_of: Any) -> None:
    late = compare_html(comparison_of(bars=60, paths=6, audits=False, delay=2))
    assert "its orders fill 2 events later" in late
    assert "fills 2 events later" in late
