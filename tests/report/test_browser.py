"""The pages in a real browser: every plot drawn, nothing injected, nothing refused, not blank.

These tests never skip: without a browser nobody would know that a page is blank.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import zlib
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from backtester.report.compare import compare_html
from backtester.report.stress import stress_html

from .hostile import HOSTILE, hostile_names
from .test_pages import outline

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--virtual-time-budget=15000",
    "--enable-logging=stderr",
)


class Elements(HTMLParser):
    """Every element of the drawn page, SVG included."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {k: v or "" for k, v in attrs}))


def browser() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    pytest.fail("no browser found: install the Debian package chromium (apt-get install chromium)")


def chromium(page: Path, profile: Path, *flags: str) -> tuple[str, str]:
    """Output and log of one start of the browser."""
    done = subprocess.run(
        [browser(), *FLAGS, f"--user-data-dir={profile}", *flags, page.as_uri()],
        capture_output=True,
        timeout=120,
        check=True,
    )
    return done.stdout.decode(), done.stderr.decode()


@pytest.fixture(scope="module")
def hostile_pages(names: Any, comparison_of: Any, stress_of: Any) -> dict[str, str]:
    """Pages whose every name is hostile, regimes included."""
    base = hostile_names(names, 0)
    chosen = names(
        study=HOSTILE[1],
        strategies=(*base.strategies, *HOSTILE[9:16]),
        markets=(HOSTILE[2], HOSTILE[19]),
        assets=(HOSTILE[3], HOSTILE[6], HOSTILE[20]),
        regimes=(HOSTILE[21], HOSTILE[0]),
    )
    return {
        "compare": compare_html(comparison_of(chosen, bars=60, paths=6)),
        "stress": stress_html(stress_of(chosen, bars=60, paths=6)),
    }


@pytest.mark.parametrize("kind", ["compare", "stress"])
def test_hostile_names_inject_nothing(
    kind: str, hostile_pages: dict[str, str], tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    page.write_text(hostile_pages[kind], encoding="utf-8")
    dom, log = chromium(page, tmp_path / "profile", "--dump-dom")
    tags = outline(hostile_pages[kind]).tags
    plots = [a["id"] for _, a in tags if a.get("class") == "plot"]
    assert len(re.findall(r'data-state="drawn"', dom)) == len(plots)
    assert dom.count('class="main-svg"') >= 2 * len(plots)
    assert "could not be drawn (" not in dom.split("<script")[0]
    assert "Content Security Policy" not in log
    assert not re.search(r"CONSOLE.*(Error|Refused|Uncaught)", log)
    title = re.search(r"<title>(.*?)</title>", dom, re.S)
    assert title is not None
    assert title[1].startswith("&lt;/script&gt;&lt;script&gt;document.title='pwned'")
    parser = Elements()
    parser.feed(dom)
    assert {"svg", "text"} <= {t for t, _ in parser.found}
    assert "pwned" not in {a.get("id") for _, a in parser.found}
    for tag, attrs in parser.found:
        assert tag not in {"img", "iframe", "u", "i", "x"}, attrs
        assert not {"onerror", "onload", "onmouseover", "onfocus", "autofocus"} & set(attrs)
        if tag == "a":  # only our own contents and skip links, none in a plot
            assert attrs["href"].startswith("#")
        if tag == "tspan":  # a label rendered as markup would carry a style of its own
            assert "font-weight" not in attrs.get("style", "")
            assert "baseline-shift" not in attrs.get("style", "")
    before, after = Counter(t for t, _ in tags), Counter(t for t, _ in parser.found)
    for tag in ("h1", "h2", "b", "script", "title", "option", "table", "tr", "sub", "sup"):
        assert after[tag] == before[tag], tag


def test_screenshot_is_not_blank(comparison: Any, tmp_path: Path) -> None:
    page, shot = tmp_path / "page.html", tmp_path / "shot.png"
    page.write_text(compare_html(comparison), encoding="utf-8")
    chromium(page, tmp_path / "profile", "--window-size=1280,4200", f"--screenshot={shot}")
    assert distinct_bytes(shot.read_bytes()) > 100


def distinct_bytes(png: bytes) -> int:
    """How many different bytes the picture data of a PNG holds; a blank page has a handful."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    at, data = 8, b""
    while at < len(png):
        size, kind = int.from_bytes(png[at : at + 4], "big"), png[at + 4 : at + 8]
        if kind == b"IDAT":
            data += png[at + 8 : at + 8 + size]
        at += 12 + size
    return len(set(zlib.decompress(data)))


def test_a_missing_browser_fails_with_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(pytest.fail.Exception, match="install the Debian package chromium"):
        browser()
