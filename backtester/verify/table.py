"""The table of claims as Markdown, as a document for JSON, and number by number as text."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from backtester.verify.claim import Row

SMALLEST = 1e-12  # an error below this is rounding and differs between platforms
NEEDS_DATA = (
    "The GARCH benchmark is not among them: its data, 1,974 daily DEM/GBP returns, may not be "
    "shipped. `backtester verify --data FILE` adds its rows; FILE is a CSV with one column of "
    "returns in percent, as in the archive of the Journal of Business & Economic Statistics."
)


def verdict(rows: Sequence[Row]) -> str:
    """Such as: 61 of 61 hold."""
    return f"{sum(row.holds for row in rows)} of {len(rows)} hold"


def ours(row: Row) -> str:
    """Our number with two digits more than the published one, its unit, or why there is none."""
    if row.problem:
        return row.problem
    decimals = len(row.claim.published.partition(".")[2]) + 2
    shown = f"{row.ours:.{decimals}f}"
    if float(shown) == 0.0:
        shown = shown.lstrip("-")
    return with_unit(shown, row.claim.unit)


def what(row: Row) -> str:
    """The quantity, with true minus signs before its numbers."""
    return re.sub(r"(?<![\w)])-(?=\d)", "−", row.claim.what)


def published(row: Row) -> str:
    """The published number and its unit."""
    return with_unit(row.claim.published, row.claim.unit)


def with_unit(number: str, unit: str) -> str:
    """A number as it is read: a true minus sign, a currency in front, any other unit behind."""
    number = number.replace("-", "−")
    if unit.startswith("$"):
        money = f"−${number[1:]}" if number.startswith("−") else f"${number}"
        return money + unit[1:]
    return f"{number} {unit}".rstrip()


def error(row: Row) -> str:
    """Relative error to one digit, `0` below rounding, marked where it is absolute."""
    if math.isnan(row.error):
        return "none"
    shown = "0" if row.error < SMALLEST else f"{row.error:.0e}"
    return shown if row.claim.value else f"{shown} abs"


def within(row: Row) -> str:
    """The tolerance, marked where it is absolute."""
    shown = f"{row.claim.within:.0e}"
    return shown if row.claim.value else f"{shown} abs"


def by_topic(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    """Rows under the title of their topic, in order."""
    return [(topic, list(group)) for topic, group in groupby(rows, key=lambda r: r.claim.topic)]


def markdown(rows: Sequence[Row], *, data: bool) -> str:
    """docs/verify.md; `data` tells whether the rows that need a file are among them."""
    lines = [
        "# Published numbers, reproduced",
        "",
        f"**{verdict(rows)}.** Each number that the package says it reproduces, beside its own",
        "answer, computed by the functions that studies use. Written by",
        "`backtester verify --markdown`; a test holds this page and the command together, and",
        "`backtester verify` ends with exit code 1 where a number does not hold.",
        "",
        "*Error* is relative to the published number, *within* the largest that is allowed: half a",
        "unit of the last printed digit, unless a source is exact or an answer sampled. *abs*",
        "marks both where the published number is zero.",
        "",
    ]
    if not data:
        lines += [*textwrap.wrap(NEEDS_DATA, 96), ""]
    for topic, group in by_topic(rows):
        lines += [f"## {topic}", ""]
        lines += ["| what | published | ours | error | within | holds | source |"]
        lines += ["|---|---:|---:|---:|---:|---|---|"]
        for row in group:
            cells = (
                what(row),
                published(row),
                ours(row),
                error(row),
                within(row),
                "yes" if row.holds else "**no**",
                row.claim.source,
            )
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        lines.append("")
    return "\n".join(lines)


def document(rows: Sequence[Row], *, data: bool) -> dict[str, Any]:
    """The table for JSON; numbers that are not finite are null."""
    return {
        "schema_version": 1,
        "rows": len(rows),
        "hold": sum(row.holds for row in rows),
        "not_counted": None if data else NEEDS_DATA,
        "claims": [
            {
                "topic": row.claim.topic,
                "what": row.claim.what,
                "unit": row.claim.unit,
                "published": row.claim.value,
                "printed": row.claim.published,
                "ours": row.ours if math.isfinite(row.ours) else None,
                "error": row.error if math.isfinite(row.error) else None,
                "error_is": "relative" if row.claim.value else "absolute",
                "within": row.claim.within,
                "holds": row.holds,
                "problem": row.problem or None,
                "source": row.claim.source,
            }
            for row in rows
        ],
    }
