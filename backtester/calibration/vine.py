"""Fit a vine copula; needs the extra ``vine``."""

from __future__ import annotations

from backtester.arrays import Float
from backtester.errors import ConfigError, DataError

FEWEST = 50
FAMILIES = ("indep", "gaussian", "student", "clayton", "gumbel", "frank", "joe")


def fit_vine(uniforms: Float) -> str:
    """The vine copula of `uniforms` (T, N), in (0, 1), as JSON for generator VineCopula.

    Structure by Dissmann's maximum spanning tree on Kendall's τ, families (with rotations) by BIC,
    parameters by maximum likelihood; one thread, so that the answer is the same every time.
    Raises ConfigError where the extra is not installed, DataError for data that cannot be used.
    """
    try:
        import pyvinecopulib
    except ImportError as error:
        raise ConfigError(
            "a vine copula needs pyvinecopulib, which is not installed",
            cure="Install the extra: pip install 'hedge-backtester[vine]'.",
        ) from error
    if uniforms.ndim != 2 or uniforms.shape[1] < 2 or len(uniforms) < FEWEST:
        raise DataError(
            f"uniforms of shape {uniforms.shape} are too few for a vine copula",
            cure=f"At least {FEWEST} bars of two assets are needed.",
        )
    if not ((uniforms > 0.0) & (uniforms < 1.0)).all():
        raise DataError(
            "uniforms of a vine copula are not all inside (0, 1)",
            cure="Give probability integral transforms, or ranks over T + 1.",
        )
    controls = pyvinecopulib.FitControlsVinecop(
        family_set=[getattr(pyvinecopulib.families, name) for name in FAMILIES],
        selection_criterion="bic",
        num_threads=1,
    )
    text: str = pyvinecopulib.Vinecop.from_data(uniforms, controls=controls).to_json()
    return text
