"""Plausibility of a calibration's history: funding and basis where they are known."""

from __future__ import annotations

import numpy as np
import pytest

from backtester.calibration import CopulaCalibration, calibrate, calibrate_copula
from backtester.calibration.own_scales import _longest, own_scales
from backtester.calibration.prepare import prepared
from backtester.errors import DataError

from .conftest import inputs


def test_the_scales_of_a_calibration_hold_its_perpetual(fitted: CopulaCalibration) -> None:
    scales = fitted.plausibility.scales
    assert set(scales["FundingShock"]) == {"level", "basis"}
    assert set(scales) >= {"CorrelationPath", "Decoupling", "Volatility", "Jump", "FundingShock"}
    assert not {k for k in fitted.plausibility.missing if k.startswith("FundingShock")}
    # stationary funding of deviation .2: the largest of a month is some two deviations away
    level = scales["FundingShock"]["level"]
    assert 0.2 < float(level.value(1.0)) < 0.9
    assert 0.001 < float(scales["FundingShock"]["basis"].value(1.0)) < 0.006


def test_only_the_stretch_that_is_known_counts() -> None:
    given = inputs(900)
    given["basis"] = given["basis"].iloc[100:500]
    given["funding"] = given["funding"].iloc[:60]
    data = prepared(
        given["prices"], None, "24/7", None, None, None, given["perpetuals"], given["funding"],
        given["basis"],
    )  # fmt: skip
    found = own_scales(data)
    basis = found.scales["FundingShock"]["basis"]
    assert "2000-04-10" in basis.source and basis.windows < 400
    assert "funding: market 'calibration' has" in found.missing["FundingShock.level"]


def test_a_regime_without_basis_has_that_of_all_bars() -> None:
    given = inputs(1500)
    whole = calibrate_copula(**given)
    crisis = whole.spells.label == whole.spells.names.index("crisis")
    stamps = whole.panel.to_frame().index[1:][~crisis]
    given["basis"] = given["basis"].loc[given["basis"].index.intersection(stamps)]
    found = calibrate_copula(**given)
    note = "Basis of A-PERP has fewer than 20 values in regime crisis: those of all bars are used"
    assert any(n.startswith(note) for n in found.notes) and note in found.to_yaml().replace(
        "\n  ", ""
    )
    fit = found.basis["A-PERP"]
    assert fit.bars["crisis"] == 0 and fit.level["crisis"] == pytest.approx(fit.level["normal"])
    with pytest.raises(DataError, match="has 0 values in regime 'crisis'"):
        calibrate(**given)


def test_a_history_too_short_for_windows_says_why() -> None:
    data = prepared(
        inputs(900)["prices"].iloc[:120], None, "24/7", None, None, None, None, None, None
    )
    found = own_scales(data)
    assert (found.scales == {} and "120 bars" in found.missing["every overlay"]) or (
        "119 bars" in found.missing["every overlay"]
    )


@pytest.mark.parametrize(
    ("known", "want"),
    [("0110111010", (4, 7)), ("0000", (0, 1)), ("1111", (0, 4)), ("10", (0, 1))],
)
def test_longest_run(known: str, want: tuple[int, int]) -> None:
    assert _longest(np.array([c == "1" for c in known])) == want
