"""The GARCH(1,1) benchmark of Fiorentini, Calzolari & Panattoni (1996), on a file of the user's."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from backtester.arrays import Float
from backtester.errors import DataError
from backtester.verify.claim import Claim

TOPIC = "GARCH benchmark"
SOURCE = (
    "Bollerslev & Ghysels (1996), DEM/GBP; benchmark of Fiorentini, Calzolari & Panattoni (1996)"
)
OBSERVATIONS = 1974
FOUR_DIGITS = 1e-4  # as a relative error; programs differ by more (McCullough & Renfro 1998)
COEFFICIENTS = {
    "mean": "-0.00619041",
    "omega": "0.0107613",
    "alpha": "0.153134",
    "beta": "0.805974",
}
ERRORS = {
    "mean": "0.00846212",
    "omega": "0.00285271",
    "alpha": "0.0265228",
    "beta": "0.0335527",
}
SYMBOL = {"mean": "μ", "omega": "ω", "alpha": "α", "beta": "β"}


def benchmark_claims(file: Path) -> tuple[Claim, ...]:
    """Coefficients and standard errors of a GARCH(1,1) of the file's returns.

    Raises DataError where it is not one column of 1,974 returns.
    """
    from backtester.estimation.garch import fit_garch

    fit = fit_garch(returns_of(file), backcast="mean_square", name="DEM/GBP")
    claim = partial(Claim, TOPIC, source=SOURCE, tolerance=FOUR_DIGITS)
    values = (
        claim(SYMBOL[name], printed, partial(float, getattr(fit, name)))
        for name, printed in COEFFICIENTS.items()
    )
    errors = (
        claim(
            f"standard error of {SYMBOL[name]}", printed, partial(float, fit.classic_errors[name])
        )
        for name, printed in ERRORS.items()
    )
    return (*values, *errors)


def returns_of(file: Path) -> Float:
    """The returns in percent, (1974,); raises DataError."""
    import pandas as pd

    try:
        frame = pd.read_csv(file, sep=r"\s*,\s*|\s+", engine="python", skipinitialspace=True)
        columns = frame.select_dtypes("number").dropna(axis="columns", how="all")
        values = columns.iloc[:, -1].to_numpy(dtype="float64")
    except (OSError, UnicodeDecodeError, ValueError, IndexError) as error:
        raise DataError(
            f"{str(file)!r} cannot be read as a column of returns ({error})",
            cure="Give the DEM/GBP returns as CSV, one column, with or without a heading.",
        ) from error
    if values.shape != (OBSERVATIONS,):
        raise DataError(
            f"{str(file)!r} holds {len(values)} returns, not {OBSERVATIONS}",
            cure="The benchmark is the whole series of 3 January 1984 to 31 December 1991.",
        )
    return values
