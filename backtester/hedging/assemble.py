"""From a decision and a book to the standard hedge problem of every path."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any

import numpy as np

from backtester.accounting.book import Book
from backtester.arrays import Bool, Float, Int, plain
from backtester.errors import ConfigError
from backtester.hedging.batch import HedgeBatch
from backtester.hedging.decision import HedgeDecision, Limits, Quadratic, Target
from backtester.hedging.horizon import LONGEST, SHORTEST, TargetDiffusion, since


@dataclass(frozen=True)
class HedgeSettings:
    """The study's side of every hedge problem.

    Attributes
    ----------
    risk_aversion: λ, dimensionless; γ = λ / capital.
    horizon: holding horizon in trading days; None calibrates it to the multi-period band.
    limits: the study's own, in money; the tighter of these and a decision's holds.
    """

    capital: float
    risk_aversion: float = 5.0
    horizon: float | None = None
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        for name in ("capital", "risk_aversion", "horizon"):
            value = getattr(self, name)
            if value is not None and not (np.isfinite(value) and value > 0):
                raise ConfigError(f"{name} is {value}", cure="It must be a positive number.")
        fault = self.limits.fault()
        if fault is not None:
            raise ConfigError(fault[0], cure=fault[1])

    @property
    def gamma(self) -> float:
        """Risk aversion per unit of money."""
        return self.risk_aversion / self.capital


def assemble(
    decision: HedgeDecision,
    book: Book,
    names: tuple[str, ...],
    rates: tuple[Float, Float],
    settings: HedgeSettings,
    diffusion: TargetDiffusion,
    now: float,
    gas: Float | None = None,
) -> tuple[HedgeBatch, TargetDiffusion, Float]:
    """The problems of all paths, the diffusion state after them, and H (P,) in days.

    names: the K eligible instruments; rates: planned coefficients of |z| and |z|^{3/2}, (P, K);
    gas: fixed cost of each instrument traded (K,), which only the horizon looks at.
    """
    h0 = book.hedges
    paths, k = h0.shape
    index = book.instrument_index
    usable = usable_of(decision, names, (paths, k))
    exposure = decision.exposure
    if decision.scale is not None:
        exposure = exposure * decision.scale[:, None]
    own = decision.risk
    standard = isinstance(own, Quadratic | Target)
    stand_in = own if isinstance(own, Quadratic | Target) else _forms().quadratic_of(own)
    if isinstance(stand_in, Quadratic):
        F, f, days, weight, diffusion = _quadratic(
            stand_in, exposure, index, usable, rates[0], gas, settings, diffusion, now
        )
        if not standard:
            days = _forms().planned_days(own, days)
            weight = settings.gamma * days
        linear, impact = rates
        reward = _reward(decision, index, F, usable, days)
    else:
        F, weight, zeros = _stated(paths, k)
        linear = impact = reward = zeros
        wanted = stand_in.notional
        if decision.scale is not None:
            wanted = wanted * decision.scale[:, None]
        f = np.concatenate([-wanted, zeros[:, :1]], axis=1)
        days = np.full(paths, np.nan)
    lower, upper, gross, turnover = limits_of(decision, settings.limits, usable)
    A, b, band = rows_of(decision, exposure, index, paths)
    batch = HedgeBatch.trusted(
        F=F,
        f=f,
        risk_weight=weight,
        reward=reward,
        h0=h0,
        linear=linear,
        impact=impact,
        lower=lower,
        upper=upper,
        gross=gross,
        turnover=turnover,
        A=A,
        b=b,
        band=band,
        scale=_scale(decision.exposure, h0, settings.capital),
    )
    if not standard:
        modelled = _forms().framed(own, batch, exposure, index, usable, settings.capital)
        return modelled, diffusion, days
    return batch, diffusion, days


@cache
def _kernels() -> Any:
    from backtester.hedging import quadratic_kernel

    return quadratic_kernel


def _forms() -> Any:
    """Risks that are not quadratic, loaded where one is decided."""
    from backtester.hedging import forms

    return forms


def _quadratic(
    risk: Quadratic,
    exposure: Float,
    index: Int,
    usable: Bool,
    linear: Float,
    gas: Float | None,
    settings: HedgeSettings,
    diffusion: TargetDiffusion,
    now: float,
) -> tuple[Float, Float, Float, Float, TargetDiffusion]:
    """F, f, H in days, γ · H, and the diffusion state; F is NaN where Σ is not PSD."""
    paths, k = usable.shape
    covariance = risk.covariance if risk.covariance.ndim == 3 else risk.covariance[None]
    elapsed, share = since(diffusion, now)
    F, f, target = np.empty((paths, k + 1, k)), np.empty((paths, k + 1)), np.empty((paths, k))
    rate, days, weight = np.empty(paths), np.empty(paths), np.empty(paths)
    _kernels().pose(
        plain(covariance), plain(exposure), index, usable, plain(linear),
        _zeros((k,)) if gas is None else gas, settings.gamma,
        np.nan if settings.horizon is None else settings.horizon, SHORTEST, LONGEST,
        diffusion.target, diffusion.rate, elapsed, share, F, f, target, rate, days, weight,
    )  # fmt: skip
    return F, f, days, weight, TargetDiffusion(target, rate, now)


def _scale(exposure: Float, h0: Float, capital: float) -> Float:
    """Gross book (P,), the money every path is divided by before solving; never quite zero."""
    scale = np.empty(len(h0))
    _kernels().gross_book(plain(exposure), h0, 1e-9 * capital, scale)
    return scale


@lru_cache(maxsize=32)
def _zeros(shape: tuple[int, ...]) -> Float:
    """Zeros that nobody writes to, the same at every event."""
    return np.zeros(shape)


@lru_cache(maxsize=8)
def _ones(shape: tuple[int, ...]) -> Bool:
    """Every instrument on every path; nobody writes to it."""
    return np.ones(shape, dtype=bool)


@lru_cache(maxsize=8)
def _stated(paths: int, k: int) -> tuple[Float, Float, Float]:
    """F, weight and zeros (P, K) of the distance to a stated hedge; nobody writes to them."""
    F = np.zeros((paths, k + 1, k))
    F[:, np.arange(k), np.arange(k)] = 1.0
    return F, np.ones(paths), np.zeros((paths, k))


def usable_of(decision: HedgeDecision, names: tuple[str, ...], shape: tuple[int, int]) -> Bool:
    if decision.instruments is None and decision.eligible is None:
        return _ones(shape)
    usable = np.ones(shape, dtype=bool)
    if decision.instruments is not None:
        usable &= np.array([n in decision.instruments for n in names])
    if decision.eligible is not None:
        usable &= decision.eligible
    return usable


def _reward(decision: HedgeDecision, index: Int, F: Float, usable: Bool, days: Float) -> Float:
    """Carry of `days` that may enter the objective, per unit of notional, (P, K)."""
    if decision.carry is None:
        return _zeros(usable.shape)
    return _carry(decision, decision.carry, index, F, usable) * days[:, None]


def _carry(decision: HedgeDecision, carry: Float, index: Int, F: Float, usable: Bool) -> Float:
    """Carry that may enter the objective, per unit of notional per day, (P, K).

    Unless the decision is carry-seeking, carry acts only on instruments inside a neutrality row
    (whose band then bounds the net exposure), or along directions that carry no risk at all.
    """
    paths, k = usable.shape
    carry = np.where(usable, carry, 0.0)
    if decision.carry_seeking:
        return carry
    if decision.neutrality is not None:
        rows = np.broadcast_to(
            decision.neutrality.rows[..., index],
            (paths, decision.neutrality.rows.shape[-2], k),
        )
        return np.where((rows != 0).any(axis=1), carry, 0.0)
    Q = np.einsum("prk,prl->pkl", F, F)
    if not np.isfinite(Q).all():
        Q = np.where(np.isfinite(Q), Q, 0.0)
    values, vectors = np.linalg.eigh(Q)
    free = values <= 1e-9 * np.maximum(values[:, -1:], 1e-300)
    along = np.where(free, np.einsum("pkj,pk->pj", vectors, carry), 0.0)
    return np.asarray(np.einsum("pkj,pj->pk", vectors, along))


def limits_of(
    decision: HedgeDecision, study: Limits, usable: Bool
) -> tuple[Float, Float, Float, Float]:
    """The tighter of both limits: lower, upper (P, K) and gross, turnover (P,), in money."""
    numbers = (type(study.lower), type(study.upper), type(study.gross), type(study.turnover))
    if decision.limits is None and np.ndarray not in numbers:
        lower, upper, gross, turnover = _constant(study, usable.shape)
    else:
        lower, upper, gross, turnover = merged(study, decision.limits or Limits(), usable.shape)
    if usable is not _ones(usable.shape) and not usable.all():
        lower, upper = np.where(usable, lower, 0.0), np.where(usable, upper, 0.0)
    return lower, upper, gross, turnover


@lru_cache(maxsize=8)
def _constant(study: Limits, shape: tuple[int, ...]) -> tuple[Float, Float, Float, Float]:
    """`merged` of limits that are numbers: the same at every event, never written to."""
    return merged(study, Limits(), shape)


def merged(study: Limits, own: Limits, shape: tuple[int, ...]) -> tuple[Float, Float, Float, Float]:
    """The tighter of both limits, as `limits_of`."""
    lower, upper = np.full(shape, -np.inf), np.full(shape, np.inf)
    gross, turnover = np.full(shape[0], np.inf), np.full(shape[0], np.inf)
    for limits in (study, own):
        if limits.lower is not None:
            lower = np.maximum(lower, limits.lower)
        if limits.upper is not None:
            upper = np.minimum(upper, limits.upper)
        if limits.gross is not None:
            gross = np.minimum(gross, limits.gross)
        if limits.turnover is not None:
            turnover = np.minimum(turnover, limits.turnover)
    return lower, upper, gross, turnover


def rows_of(
    decision: HedgeDecision, exposure: Float, index: Int, paths: int
) -> tuple[Float, Float, Float]:
    """Neutrality rows on the hedges: A = N Bᵀ (P, M, K), b = n − N e (P, M), band (P, M)."""
    rule = decision.neutrality
    if rule is None:
        none = _zeros((paths, 0))
        return _zeros((paths, 0, len(index))), none, none
    m = rule.rows.shape[-2]
    rows = np.broadcast_to(rule.rows, (paths, m, exposure.shape[1]))
    held = (rows * exposure[:, None, :]).sum(axis=-1)
    shape = (paths, m)
    target = np.broadcast_to(np.asarray(rule.target, dtype=np.float64), shape)
    band = np.broadcast_to(np.asarray(rule.band, dtype=np.float64), shape)
    return plain(rows[:, :, index]), target - held, np.array(band)
