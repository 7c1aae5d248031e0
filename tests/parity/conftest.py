"""Random and degenerate hedge problems: every member of the family the twin must solve."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from backtester.arrays import Float
from backtester.hedging.batch import HedgeBatch

MEMBERS: dict[str, dict[str, float]] = {
    "box": {},
    "turnover": {"turnover": 0.1},
    "gross": {"gross": 0.6},
    "budgets": {"turnover": 0.4, "gross": 0.8},
    "neutral": {"rows": 1},
    "bands": {"rows": 2, "band": 0.02},
    "limits": {"rows": 1, "band": 0.01, "turnover": 0.8, "gross": 1.2},
    "impact": {"impact": 2e-3},
    "impact-limits": {"impact": 2e-3, "rows": 1, "turnover": 1.0, "gross": 1.5},
}
"""What each member has beside the box and proportional costs; money in units of the scale."""

CASES = (
    "plain", "free", "singular", "twins", "fixed", "outside", "huge", "tiny", "open", "dear",
    "none", "carry",
)  # fmt: skip
"""Degenerate cases laid over a member."""


def build(seed: int, paths: int, K: int, case: str = "plain", **member: float) -> HedgeBatch:
    """`paths` random problems of K instruments on K + 3 assets."""
    rng = np.random.default_rng([seed, K, CASES.index(case)])
    N, M = K + 3, int(member.get("rows", 0))
    vols = 0.04 * np.exp(0.5 * rng.normal(size=(paths, N)))
    common = rng.uniform(0.2, 0.95, size=(paths, 1, 1))
    loadings = np.concatenate(
        [np.sqrt(common) * np.ones((paths, N, 1)),
         np.sqrt(1.0 - common) * np.broadcast_to(np.eye(N), (paths, N, N))], axis=2
    )  # fmt: skip
    root = (loadings * vols[:, :, None]).transpose(0, 2, 1)  # rootᵀ root = Σ
    unit = 0.1 * rng.normal(size=(paths, K, N))
    unit[:, np.arange(K), np.arange(K)] += 1.0
    if case == "twins" and K > 1:
        unit[:, 1] = unit[:, 0]
    exposure = rng.normal(size=(paths, N))
    exposure /= np.abs(exposure).sum(axis=1, keepdims=True)
    scale = {"huge": 1e9, "tiny": 1e-3}.get(case, 1.0) * np.exp(rng.normal(size=paths))
    exposure *= scale[:, None]
    if case == "singular":
        root = root[:, : max(1, K // 2)]
    F, f = root @ unit.transpose(0, 2, 1), (root @ exposure[:, :, None])[:, :, 0]
    h0 = 0.3 * rng.normal(size=(paths, K)) * scale[:, None]
    bound = (0.8 if case != "outside" else 0.05) * scale[:, None] * np.ones((1, K))
    lower, upper = -bound, bound.copy()
    if case == "open":
        lower, upper = np.full_like(bound, -np.inf), np.full_like(bound, np.inf)
    if case == "fixed":
        upper[:, ::2] = lower[:, ::2] = 0.1 * scale[:, None]
    normals = np.concatenate([np.ones((1, N)), rng.normal(size=(3, N))])[:M]
    cost = {"free": 0.0, "dear": 0.05}.get(case, 3e-4)
    full = lambda name: member.get(name, np.inf) * scale  # noqa: E731
    return HedgeBatch(
        F=np.ascontiguousarray(F),
        f=f,
        risk_weight=(0.0 if case == "carry" else 5.0) / scale,
        reward=(1e-2 if case == "carry" else 1e-5) * rng.normal(size=(paths, K)),
        h0=h0,
        linear=cost * rng.uniform(0.2, 1.0, size=(paths, K)),
        impact=member.get("impact", 0.0)
        * rng.uniform(0.2, 1.0, (paths, K))
        / np.sqrt(scale)[:, None],
        lower=lower,
        upper=upper,
        gross=full("gross"),
        turnover=0.0 * scale if case == "none" else full("turnover"),
        A=np.ascontiguousarray(np.einsum("mn,pkn->pmk", normals, unit)),
        b=-np.einsum("mn,pn->pm", normals, exposure),
        band=np.full((paths, M), member.get("band", 0.0)) * scale[:, None],
        scale=scale,
    )


def value(batch: HedgeBatch, h: Float) -> tuple[Float, Float]:
    """(P,) objective at `h`, written out plainly, and the size of its terms."""
    z = np.abs(h - batch.h0)

    def risk(at: Float) -> Float:
        residual = np.einsum("prk,pk->pr", batch.F, at) + batch.f
        result: Float = 0.5 * batch.risk_weight * (residual**2).sum(axis=1)
        return result

    cost = (batch.linear * z + batch.impact * z**1.5).sum(axis=1)
    carry = batch.reward * h
    size = risk(h) + risk(batch.h0) + risk(0 * h) + cost + np.abs(carry).sum(axis=1)
    return risk(h) + cost - carry.sum(axis=1), size


@pytest.fixture(scope="session")
def make_batch() -> Callable[..., HedgeBatch]:
    """``make_batch(member, seed, paths, K, case)``."""

    def make(
        member: str, seed: int = 0, paths: int = 5, K: int = 4, case: str = "plain"
    ) -> HedgeBatch:
        return build(seed, paths, K, case, **MEMBERS[member])

    return make


@pytest.fixture(scope="session")
def objective() -> Callable[[HedgeBatch, Float], tuple[Float, Float]]:
    """The objective in plain numpy, and the size of its terms."""
    return value


@pytest.fixture(scope="session")
def concatenate() -> Callable[[HedgeBatch, HedgeBatch], HedgeBatch]:
    """Two batches of one shape, one after the other."""

    def join(one: HedgeBatch, two: HedgeBatch) -> HedgeBatch:
        return replace(
            one, **{k: np.concatenate([v, getattr(two, k)]) for k, v in vars(one).items()}
        )

    return join


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrise by member and case where a test asks for them."""
    if "member" in metafunc.fixturenames:
        metafunc.parametrize("member", list(MEMBERS))
    if "case" in metafunc.fixturenames:
        metafunc.parametrize("case", CASES)
