"""docs/overlays.md says what the code does: parameters, bounds, presets, scales."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from backtester_scenarios.overlays.liquidity import PRESETS

from backtester.overlay_files import OVERLAYS, overlay_named

TEXT = (Path(__file__).resolve().parents[1] / "docs" / "overlays.md").read_text(encoding="utf-8")


def test_every_overlay_and_parameter_is_described() -> None:
    for name in OVERLAYS:
        kind = overlay_named(name)
        row = next(line for line in TEXT.splitlines() if line.startswith(f"| `{name}` |"))
        for parameter in kind.PARAMETERS:
            assert f"`{parameter.name}`" in row
        for field in set(kind.model_fields) - {p.name for p in kind.parameters()}:
            assert f"`{field}" in TEXT, (name, field)


def test_the_presets_are_those_of_the_code() -> None:
    for name, values in PRESETS.items():
        row = next(line for line in TEXT.splitlines() if line.startswith(f"| `{name}` |"))
        assert [float(c) for c in row.split("|")[2:6]] == list(values.values())


def test_the_scales_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| `(\w+)\.(\w+)` \|(.*)\| [^|]+ \|$", TEXT, re.M)
    assert len(rows) == 10
    for overlay, parameter, cells in rows:
        scale = overlay_named(overlay).scale(parameter)
        for z, cell in zip((-2, -1, 1, 2, 3), cells.split("|"), strict=True):
            if cell.strip() == "–":
                assert (scale.up if z > 0 else scale.down) is None
            else:
                shown = float(cell.replace("−", "-"))
                assert float(scale.value(z)) == pytest.approx(shown, rel=0.006)
