"""Correlation and duration of the four kinds of scenario a calibration can write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from backtester.arrays import Float
from backtester.calibration.choices import Choices, Decoupling
from backtester.errors import ConfigError, did_you_mean

KINDS = ("normal", "crisis", "correlation_breakdown", "regime_switching")


def crisis_correlation(
    kind: str, crisis: Float, names: Sequence[str], choices: Choices
) -> tuple[Float, tuple[str, ...]]:
    """Crisis correlation of a `kind` of scenario, (N, N), and the choices it rests on.

    Raises ConfigError for an unknown kind, or one whose choice is missing.
    """
    if kind not in KINDS:
        raise ConfigError(f"unknown kind of scenario {kind!r}", cure=did_you_mean(kind, KINDS))
    used: tuple[str, ...] = ()
    if choices.crisis_correlation is not None:
        crisis = _set_pairs(crisis, names, choices.crisis_correlation.value)
        used = ("crisis_correlation",)
    if kind == "crisis":
        if choices.towards_one is None:
            raise _needed(kind, "towards_one")
        return towards_one(crisis, names, choices.towards_one.value), (*used, "towards_one")
    if kind == "correlation_breakdown":
        if choices.decoupling is None:
            raise _needed(kind, "decoupling")
        return decoupled(crisis, names, choices.decoupling.value), (*used, "decoupling")
    return crisis, used


def towards_one(base: Float, names: Sequence[str], share: float | Mapping[str, float]) -> Float:
    """R' = √((1−θᵢ)(1−θⱼ)) Rᵢⱼ + √(θᵢθⱼ): each asset gives a share θ of its variance to one factor.

    For equal θ it is the homotopy (1−θ) R + θ 11ᵀ (Finger 1997); always PSD.
    """
    theta = _per_asset(share, names, "towards_one")
    own = np.sqrt(1.0 - theta)
    common = np.sqrt(theta)
    matrix = np.outer(own, own) * base + np.outer(common, common)
    np.fill_diagonal(matrix, 1.0)
    return np.asarray(matrix)


def decoupled(base: Float, names: Sequence[str], target: Decoupling) -> Float:
    """Each named asset keeps the stated correlation with the anchor; the rest is its own noise.

    xᵢ' = aᵢ xᵢ + √(1−aᵢ²) εᵢ with aᵢ = target/R(i, anchor), so Rᵢⱼ' = aᵢ aⱼ Rᵢⱼ; always PSD.
    """
    if target.anchor not in names:
        raise _stranger("decoupling", target.anchor, names)
    keep = np.ones(len(names))
    anchor = list(names).index(target.anchor)
    for name, wanted in target.correlation.items():
        if name not in names or name == target.anchor:
            raise _stranger("decoupling", name, [n for n in names if n != target.anchor])
        i = list(names).index(name)
        if abs(wanted) > abs(base[i, anchor]):
            raise ConfigError(
                f"decoupling: {name!r} has crisis correlation {base[i, anchor]:.3f} with "
                f"{target.anchor!r}, nearer to 0 than the {wanted:g} wanted",
                cure="Decoupling can only weaken a correlation; ask for less.",
            )
        keep[i] = wanted / base[i, anchor]
    matrix = np.outer(keep, keep) * base
    np.fill_diagonal(matrix, 1.0)
    return np.asarray(matrix)


def _set_pairs(base: Float, names: Sequence[str], pairs: Mapping[str, float]) -> Float:
    matrix = base.copy()
    known = {f"{a}/{b}": (i, j) for i, a in enumerate(names) for j, b in enumerate(names) if i != j}
    for pair, value in pairs.items():
        if pair not in known:
            raise _stranger("crisis_correlation", pair, list(known))
        i, j = known[pair]
        matrix[i, j] = matrix[j, i] = value
    smallest = float(np.linalg.eigvalsh(matrix)[0])
    if smallest < -1e-10:
        raise ConfigError(
            f"crisis_correlation leaves a matrix that is not positive semi-definite "
            f"(smallest eigenvalue {smallest:.2g})",
            cure="Move the pairs set by hand towards their estimates.",
        )
    return matrix


def _per_asset(value: float | Mapping[str, float], names: Sequence[str], what: str) -> Float:
    if not isinstance(value, Mapping):
        return np.full(len(names), float(value))
    for name in value:
        if name not in names:
            raise _stranger(what, name, names)
    lacking = [n for n in names if n not in value]
    if lacking:
        raise ConfigError(f"{what} lacks asset {lacking[0]!r}", cure="Give one value per asset.")
    return np.array([value[n] for n in names], dtype=np.float64)


def _needed(kind: str, key: str) -> ConfigError:
    return ConfigError(
        f"a scenario of kind {kind!r} needs the choice {key!r}",
        cure="Add it to the choices file, with value, how and source.",
    )


def _stranger(what: str, name: str, known: Sequence[str]) -> ConfigError:
    return ConfigError(f"{what} names unknown {name!r}", cure=did_you_mean(name, known))
