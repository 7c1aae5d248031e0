"""A plot as plain data: traces, layout, the numbers behind it as a table, and text for a reader.

Figures are built as dictionaries of plotly's own schema rather than `plotly.graph_objects`: that
import takes seconds, and every string in them must come from `safe_label` anyway. The test suite
validates each with plotly's own validators.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Trace = dict[str, Any]

# Okabe–Ito, ordered by contrast on white and on black; the seventh is darkened to be readable.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C7A00")
NEUTRAL = "@neutral"  # a token: report.js reads the colour from the style sheet, light or dark
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
TOOLS = 34  # pixels kept free above the legend for the tool bar that shows on hovering
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star")


@dataclass(frozen=True)
class Table:
    """The numbers of a plot: header with units, rows as shown, and how many columns are names."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    names: int = 1
    note: str = ""
    texts: tuple[int, ...] = ()  # further columns of text, aligned left


@dataclass(frozen=True)
class Choice:
    """A drop-down beside a plot: for each option the visibility of every trace."""

    label: str
    options: tuple[tuple[str, tuple[bool, ...]], ...]
    selected: int = 0


@dataclass(frozen=True)
class Figure:
    """One plot of a page; `key` is its element id and never holds user text."""

    key: str
    title: str
    alt: str
    traces: list[Trace]
    layout: dict[str, Any]
    table: Table
    note: str = ""
    choice: Choice | None = None
    height: int = 380
    wide: bool = False
    extra: dict[str, Any] = field(default_factory=dict)

    def payload(self) -> str:
        """The JSON the page's script reads, safe inside a script element."""
        data: dict[str, Any] = {"data": self.traces, "layout": {**self.layout, **self.extra}}
        if self.choice is not None:
            data["choice"] = [list(visible) for _, visible in self.choice.options]
            data["selected"] = self.choice.selected
        return script_json(data)


def script_json(data: Any) -> str:
    """Strict JSON that cannot end a script element or start a comment in it."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"), ensure_ascii=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def colour(i: int) -> str:
    """The i-th colour; strategies keep theirs in every plot."""
    return PALETTE[i % len(PALETTE)]


def dash(i: int) -> str:
    """A line style, so that colours that repeat still differ."""
    return DASHES[(i // len(PALETTE)) % len(DASHES)]


def symbol(i: int) -> str:
    """A marker, so that no reader depends on colour alone."""
    return SYMBOLS[i % len(SYMBOLS)]


def pattern(i: int) -> dict[str, Any]:
    """A texture over a bar's colour, for the same reason."""
    return {"shape": ("", "/", ".", "x")[i % 4], "fillmode": "overlay", "solidity": 0.25}


def faded(hex_colour: str, alpha: float) -> str:
    """The colour with an opacity; tokens keep their own."""
    if hex_colour.startswith("@"):
        return "@neutralfill"
    r, g, b = (int(hex_colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({r},{g},{b},{alpha})"


def legend_rows(names: Sequence[str], width: int = 1000) -> int:
    """Rows the legend needs at this many pixels, so that it never covers the plot."""
    needed = sum(7.2 * len(name) + 50 for name in names)
    return max(1, math.ceil(needed / width))


def layout(
    x: str, y: str, *, time: bool = False, legend_rows: int = 1, **more: Any
) -> dict[str, Any]:
    """Axes titled with units, the legend in a band of its own above the plot."""
    axis = {"automargin": True, "title": {"text": x, "standoff": 8}, "zeroline": False}
    if time:
        axis["type"] = "date"
    base: dict[str, Any] = {
        "xaxis": axis,
        "yaxis": {"automargin": True, "title": {"text": y, "standoff": 8}, "zeroline": False},
        "legend": {
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": 1.02,
            "yanchor": "bottom",
            "font": {"size": 12},
            "traceorder": "normal",
        },
        "margin": {"l": 64, "r": 16, "t": TOOLS + 22 * legend_rows, "b": 52},
        "hovermode": "x unified" if time else "closest",
        "hoverlabel": {"namelength": 32},
        "showlegend": True,
    }
    for key, value in more.items():
        base[key] = {**base[key], **value} if isinstance(base.get(key), dict) else value
    return base
