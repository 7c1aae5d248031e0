"""Writes the tables and the plot of docs/no_trade_band.md from `band_study`.

``python -m tests.published.band_pages``: about a minute.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from backtester.arrays import Float

from . import band_study

PAGE = Path(__file__).resolve().parents[2] / "docs" / "no_trade_band.md"
PLOT = PAGE.with_suffix(".svg")
WIDTH, HEIGHT, MARGIN = 270, 250, 46


def _markdown(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, ("---:",) * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def table_of(rows: Float, name: str) -> str:
    """Policy against optimum over one cost."""
    head = (name, "cost, policy", "cost, optimum", "ratio", "band, policy", "band, optimum")
    return _markdown(
        head,
        [
            (f"{x:.3g}", f"{ours:.3e}", f"{least:.3e}", f"{ours / least:.4f}", f"{b:.4f}",
             f"{best:.4f}")
            for x, ours, least, b, best in rows
        ],
    )  # fmt: skip


def mixed_table(rows: Float) -> str:
    """Both costs at once."""
    head = (
        "K", "cost, policy", "cost, optimum", "ratio", "policy: to, from", "optimum: to, from"
    )  # fmt: skip
    return _markdown(
        head,
        [
            (f"{x:.3g}", f"{ours:.3e}", f"{least:.3e}", f"{ours / least:.4f}",
             f"{a:.4f}, {b:.4f}", f"{p:.4f}, {q:.4f}")
            for x, ours, least, a, b, p, q in rows
        ],
    )  # fmt: skip


def bars_rows() -> dict[str, dict[int, tuple[float, ...]]]:
    """`band_study.bars` by cost (c or K) and bars a day."""
    return {
        name: {n: band_study.bars(n, gas=name == "K") for n in (1, 4, 24)} for name in ("c", "K")
    }


def bars_table(seen: dict[str, dict[int, tuple[float, ...]]]) -> str:
    """Bar sizes."""
    head = ("cost", "bars a day", "band", "trades a day", "cost, s² measured", "cost, s² known")
    rows = [
        (name, str(n), f"{band:.4f}", f"{trades:.3f}", f"{paid:.3e}", f"{known:.3e}")
        for name, found in seen.items()
        for n, (band, trades, paid, known) in found.items()
    ]
    return _markdown(head, rows)


class _Panel:
    """One log-log panel of the plot."""

    def __init__(self, left: int, title: str, axis: str, x: Float, y: Float) -> None:
        self.left = left
        self.x = np.log10([x.min() / 1.5, x.max() * 1.5])
        self.y = np.log10([y.min() / 1.5, y.max() * 1.5])
        self.parts = [
            f'<rect x="{left}" y="30" width="{WIDTH}" height="{HEIGHT}" class="frame"/>',
            f'<text x="{left + WIDTH / 2:.0f}" y="20" class="mid">{title}</text>',
            f'<text x="{left + WIDTH / 2:.0f}" y="{HEIGHT + 66}" class="mid">{axis}</text>',
        ]
        for decade in range(int(np.ceil(self.x[0])), int(np.floor(self.x[1])) + 1):
            a, _ = self.at(10.0**decade, y.min())
            self.parts.append(
                f'<line x1="{a:.1f}" x2="{a:.1f}" y1="30" y2="{HEIGHT + 30}" class="grid"/>'
                f'<text x="{a:.1f}" y="{HEIGHT + 46}" class="mid">1e{decade}</text>'
            )
        for tick in (0.003, 0.01, 0.03, 0.05, 0.1, 0.2, 0.3, 1, 3, 10, 30):
            if self.y[0] <= np.log10(tick) <= self.y[1]:
                _, b = self.at(x.min(), tick)
                self.parts.append(
                    f'<line x1="{left}" x2="{left + WIDTH}" y1="{b:.1f}" y2="{b:.1f}" '
                    f'class="grid"/><text x="{left - 5}" y="{b + 4:.1f}" class="end">{tick}</text>'
                )

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Pixels of a point."""
        a = (np.log10(x) - self.x[0]) / (self.x[1] - self.x[0])
        b = (np.log10(y) - self.y[0]) / (self.y[1] - self.y[0])
        return self.left + WIDTH * float(a), 30 + HEIGHT * (1.0 - float(b))

    def line(self, x: Float, y: Float, kind: str) -> None:
        """A curve."""
        points = " ".join("{:.1f},{:.1f}".format(*self.at(a, b)) for a, b in zip(x, y, strict=True))
        self.parts.append(f'<polyline points="{points}" class="{kind}"/>')

    def dots(self, x: Float, y: Float) -> None:
        """The optimum."""
        for a, b in zip(x, y, strict=True):
            left, top = self.at(a, b)
            self.parts.append(f'<circle cx="{left:.1f}" cy="{top:.1f}" r="4" class="best"/>')

    def label(self, x: float, y: float, text: str) -> None:
        """A word beside a curve."""
        left, top = self.at(x, y)
        self.parts.append(f'<text x="{left:.1f}" y="{top:.1f}">{text}</text>')


STYLE = """text{font:12px sans-serif;fill:#333}.mid{text-anchor:middle}.end{text-anchor:end}
.frame{fill:none;stroke:#888}.grid{stroke:#ddd}.best{fill:none;stroke:#c0392b;stroke-width:2}
polyline{fill:none;stroke-width:2}.ours{stroke:#1f4e79}.other{stroke:#888;stroke-dasharray:5 4}"""


def plot(
    fees: Float, gases: Float, certain: Float, seen: dict[str, dict[int, tuple[float, ...]]]
) -> str:
    """Bands over proportional cost, over fixed cost and over bars a day, as SVG."""
    step = MARGIN + WIDTH + 5
    bands = np.append(fees[:, 3], certain)
    one = _Panel(MARGIN, "proportional cost", "c", fees[:, 0], bands)
    one.line(fees[:, 0], certain, "other")
    two = _Panel(MARGIN + step, "fixed cost (gas gate)", "K", gases[:, 0], gases[:, 3])
    for panel, rows, law in ((one, fees, "slope 1/3"), (two, gases, "slope 1/4")):
        panel.line(rows[:, 0], rows[:, 3], "ours")
        panel.dots(rows[:, 0], rows[:, 4])
        panel.label(rows[2, 0] * 1.2, rows[2, 3] / 1.25, law)
    one.label(fees[0, 0] * 1.3, certain[0] * 0.9, "certainty equivalent: slope 1")
    per_day = np.array(list(seen["c"]), dtype=float)
    one_bar = band_study.DAY["cost"] / band_study.DAY["curvature"] * per_day
    ours = {name: np.array([row[0] for row in found.values()]) for name, found in seen.items()}
    three = _Panel(MARGIN + 2 * step, "bar size", "bars a day", per_day,
                   np.append(ours["c"], one_bar))  # fmt: skip
    three.line(per_day, one_bar, "other")
    three.label(per_day[0] * 1.2, one_bar[0] * 0.75, "one bar of risk against a whole cost")
    for name, band in ours.items():
        three.line(per_day, band, "ours")
        three.label(per_day[1], band[1] * (1.15 if name == "K" else 0.75), name)
    width, height = 3 * (MARGIN + WIDTH) + 30, HEIGHT + 80
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}">'
        f"<title>Half-width of the no-trade band: policy (line), optimum (circles)</title>"
        f'<style>{STYLE}</style><rect width="100%" height="100%" fill="#fff"/>'
        + "\n".join(one.parts + two.parts + three.parts)
        + "</svg>\n"
    )


def main() -> None:
    """Write the page's tables and the plot."""
    fees, gases, seen = band_study.fee_rows(), band_study.gas_rows(), bars_rows()
    certain = band_study.deterministic_bands(fees[:, 0])
    tables = {
        "fees": table_of(fees, "c"),
        "gas": table_of(gases, "K"),
        "both": mixed_table(band_study.mixed_rows()),
        "bars": bars_table(seen),
    }
    text = PAGE.read_text(encoding="utf-8")
    for name, table in tables.items():
        before, rest = text.split(f"<!-- {name} -->\n", 1)
        after = rest.split("<!-- end -->", 1)[1]
        text = f"{before}<!-- {name} -->\n\n{table}\n\n<!-- end -->{after}"
    PAGE.write_text(text, encoding="utf-8")
    PLOT.write_text(plot(fees, gases, certain, seen), encoding="utf-8")
    for name, rows in (("fees", fees), ("gas", gases)):
        print(name, *(f"{band_study.slope(rows[:, 0], rows[:, i]):.4f}" for i in (3, 4)))


if __name__ == "__main__":
    main()
