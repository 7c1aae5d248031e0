"""What `make bench` says: rows in the order they were measured, their targets, the file."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

TARGETS: dict[str, tuple[str, float]] = {
    "us_per_path_bar": ("≤", 2.0),
    "us_per_path_bar_turnover": ("≤", 2.0),
    "us_per_path_bar_neutral": ("≤", 5.0),
    "us_per_path_bar_gross": ("≤", 5.0),
    "us_per_path_bar_both": ("≤", 15.0),
    "us_per_path_bar_impact": ("≤", 8.0),
    "us_per_path_bar_gas": ("≤", 3.0),
    "share_trading": ("≥", 0.5),
    "reference_calls_per_million": ("≤", 100.0),
    "draw_us_per_path_bar": ("≤", 0.5),
    "richest_ensemble_s": ("≤", 20.0),
    "single_path_ms_per_1000_bars": ("≤", 60.0),
    "hourly_5y_s": ("≤", 2.0),
    "scaling_exponent_paths": ("≤", 1.02),
    "scaling_exponent_bars": ("≤", 1.02),
    "scaling_exponent_instruments": ("≤", 2.5),
    "peak_mb_ratio": ("≤", 1.1),
    "peak_mb_ratio_10k_2k": ("≤", 1.1),
    "parity_objective_gap": ("≤", 1e-8),
    "speedup_vs_cvxpy_dpp": ("≥", 1000.0),
    "speedup_vs_cvxpy_dpp_gross": ("≥", 300.0),
    "generic_dpp_speedup": ("≥", 20.0),
    "speedup_vs_vectorbt": ("≥", 5.0),
    "speedup_vs_cvxportfolio": ("≥", 3000.0),
    "import_s": ("≤", 0.4),
    "help_s": ("≤", 0.4),
}
"""What each figure should reach."""


def met(key: str, value: float | None) -> bool | None:
    """Whether a figure reaches its target; None without a target or a figure."""
    if key not in TARGETS or value is None:
        return None
    sign, bound = TARGETS[key]
    return value <= bound if sign == "≤" else value >= bound


class Report:
    """Every figure with what it is; a figure that could not be had is None and its note says why.

    `more` are figures that belong to a row and are written beside it.
    """

    def __init__(self) -> None:
        self.values: dict[str, float | None] = {}
        self.notes: dict[str, str] = {}

    def add(
        self, key: str, value: float | None, note: str, peer: float | None = None, **more: float
    ) -> None:
        """One figure, its peer's and what it is."""
        self.values[key] = value
        if peer is not None:
            self.values[f"{key}_peer"] = peer
        self.values.update(more)
        self.notes[key] = note
        shown = "–" if value is None else f"{value:,.4g}"
        print(f"  {key}: {shown}" + ("" if peer is None else f" (peer {peer:,.4g})"), flush=True)

    def targets(self) -> dict[str, dict[str, Any]]:
        """Target and verdict of each row that has one."""
        return {
            key: {"target": f"{sign} {bound:g}", "met": met(key, self.values[key])}
            for key, (sign, bound) in TARGETS.items()
            if key in self.values
        }

    def show(self, title: str) -> None:
        """The table, as wide as it must be."""
        from rich.console import Console
        from rich.table import Table

        table = Table(title=title)
        for name in ("figure", "ours", "peer", "target", "met", "what"):
            side: Any = "right" if name in ("ours", "peer", "target") else "left"
            table.add_column(name, justify=side, overflow="fold", no_wrap=name == "figure")
        for key, note in self.notes.items():
            value = self.values[key]
            cells = [value, self.values.get(f"{key}_peer")]
            sign, bound = TARGETS.get(key, ("", None))
            table.add_row(
                key,
                *("" if v is None else f"{v:,.4g}" for v in cells),
                "" if bound is None else f"{sign} {bound:g}",
                {True: "yes", False: "NO", None: "" if bound is None else "–"}[met(key, value)],
                note,
            )
        Console(width=150).print(table)


def write(document: dict[str, Any], path: Path) -> None:
    """In one step: a reader never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".json")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=1, allow_nan=False, ensure_ascii=False)
            file.write("\n")
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
