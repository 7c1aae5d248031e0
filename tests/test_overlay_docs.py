"""docs/overlays.md says what the code does: parameters, bounds, presets, scales."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
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


def test_the_examples_run() -> None:
    """Both blocks of Python, as printed, on small markets with the assets they name."""
    from backtester_scenarios.correlated_returns import CorrelatedReturns

    from backtester.scenario_files import load_scenario

    shocks, scales = re.findall(r"```python\n(.*?)```", TEXT, re.S)
    market = load_scenario("normal").draw(first=0, paths=3, bars=100, seed=0)
    scope = {"panel": market, "sizes": np.array([0.0, -0.2, -0.37])}
    exec(compile(shocks, "docs/overlays.md", "exec"), scope)
    btc = market.assets.index("BTC")
    fall = scope["stack"].prices[-1, :, btc] / market.prices[-1, :, btc]  # type: ignore[attr-defined]
    assert fall == pytest.approx([1.0, 0.8, 0.63])
    regime = {"volatility": {"BTC": 0.6, "USDC": 0.02}, "correlation": {"default": 0.0}}
    pair = CorrelatedReturns(
        name="pair", prices={"BTC": 100.0, "USDC": 1.0}, regimes={"normal": regime}
    )
    scope = {"panel": pair.draw(first=0, paths=1, bars=600, seed=0)}
    exec(compile(scales, "docs/overlays.md", "exec"), scope)
    assert "Depeg" in scope["found"].scales  # type: ignore[attr-defined]
