"""What a claim is, when it holds, and what a row says where it does not."""

from __future__ import annotations

import math

import pytest

from backtester.errors import ConfigError, DataError
from backtester.verify import table
from backtester.verify.claim import Claim, Row, checked


def claim(published: str, ours: float, tolerance: float | None = None, unit: str = "") -> Row:
    return Claim("T", "x", published, lambda: ours, "a book", tolerance, unit).check()


@pytest.mark.parametrize(
    ("published", "ours", "holds"),
    [
        ("0.778", 0.77850, True),
        ("0.778", 0.77851, False),
        ("0.778", 0.77750, True),
        ("0.778", 0.77749, False),
        ("-0.5", -0.5499, True),
        ("-0.5", 0.5, False),
        ("37", 37.5, True),
        ("37", 37.6, False),
        ("0.00", 0.005, True),
        ("0.00", -0.0051, False),
    ],
)
def test_half_a_unit_of_the_last_printed_digit(published: str, ours: float, holds: bool) -> None:
    assert claim(published, ours).holds is holds


def test_a_stated_tolerance_is_relative_but_absolute_at_zero() -> None:
    assert claim("1000", 1000.9, 1e-3).holds and not claim("1000", 1001.1, 1e-3).holds
    assert claim("0", 9e-4, 1e-3).holds and not claim("0", 2e-3, 1e-3).holds


@pytest.mark.parametrize("published", ["", "about 1", "nan", "inf", "1e-4", "0,5", "+1", ".5"])
def test_a_number_is_a_decimal(published: str) -> None:
    with pytest.raises(ConfigError, match="means nothing"):
        claim(published, 1.0)


@pytest.mark.parametrize("tolerance", [0.0, -1.0, math.nan])
def test_a_tolerance_is_positive(tolerance: float) -> None:
    with pytest.raises(ConfigError, match="means nothing"):
        claim("1", 1.0, tolerance)


@pytest.mark.parametrize("ours", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_does_not_hold(ours: float) -> None:
    assert not claim("1", ours, 1e9).holds


def test_what_cannot_be_computed_does_not_hold_and_says_why() -> None:
    def fails() -> float:
        raise DataError("the matrix is singular", cure="None.")

    first, second = checked(
        [Claim("T", "x", "1", fails, "a book"), Claim("T", "y", "1", lambda: 1.0, "a book")]
    )
    assert not first.holds and second.holds
    assert "DataError: the matrix is singular" in table.ours(first)
    assert table.error(first) == "none"
    assert table.verdict([first, second]) == "1 of 2 hold"


@pytest.mark.parametrize(
    ("row", "published", "ours", "error", "within"),
    [
        (claim("0.778", 0.77771), "0.778", "0.77771", "4e-04", "6e-04"),
        (claim("-0.5", -0.5), "−0.5", "−0.500", "0", "1e-01"),
        (claim("0", -1e-14), "0", "0.00", "0 abs", "5e-01 abs"),
        (claim("9486.83", 9486.833, unit="$"), "$9486.83", "$9486.8330", "3e-07", "5e-07"),
        (claim("-2", -2.0, unit="$/y"), "−$2/y", "−$2.00/y", "0", "3e-01"),
        (claim("14.894", 14.8936, unit="%"), "14.894 %", "14.89360 %", "3e-05", "3e-05"),
    ],
)
def test_how_numbers_are_written(
    row: Row, published: str, ours: str, error: str, within: str
) -> None:
    found = (table.published(row), table.ours(row), table.error(row), table.within(row))
    assert found == (published, ours, error, within)


def test_markdown_cells_cannot_break_the_table() -> None:
    row = Claim("T", "|x| at ρ = -0.5", "1", lambda: 1.0, "a | b").check()
    text = table.markdown([row], data=True)
    assert "| \\|x\\| at ρ = −0.5 | 1 | 1.00 | 0 | 5e-01 | yes | a \\| b |" in text
    assert "DEM/GBP" not in text and "DEM/GBP" in table.markdown([row], data=False)
