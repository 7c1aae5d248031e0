"""Parts of the detector: hysteresis, names, score, features."""

from __future__ import annotations

import numpy as np
import pytest

from backtester.arrays import Byte, Float
from backtester.regimes.features import HedgeFeatures, book_correlation, reference_of
from backtester.regimes.filtering import SLOTS, slots
from backtester.regimes.hysteresis import Hysteresis
from backtester.regimes.score import threshold_score
from backtester.regimes.states import name_states, template


def decide(rows: list[list[float]], forced: dict[int, int] | None = None) -> list[int]:
    """Regimes of one path for probabilities of (normal, convergence, decoupling)."""
    rule = Hysteresis()
    state, out = rule.init(1), []
    for t, row in enumerate(rows):
        mask = np.array([t in (forced or {})])
        kind: Byte = np.array([(forced or {}).get(t, 1)], dtype=np.int8)
        state = rule.step(state, np.array([row]), mask, kind)
        out.append(int(state.regime[0]))
    return out


CALM, UNSURE, BROKEN, WILD = [0.9, 0.05, 0.05], [0.4, 0.3, 0.3], [0.1, 0.0, 0.9], [0.1, 0.9, 0.0]


def test_hysteresis_enters_high_leaves_low_and_dwells() -> None:
    assert decide([CALM, UNSURE, BROKEN]) == [0, 0, 2]
    assert decide([BROKEN, CALM, CALM, CALM, CALM]) == [2, 2, 2, 0, 0]  # three bars at least
    likely = [0.55, 0.0, 0.45]
    assert decide([BROKEN, *[likely] * 5]) == [2] * 6  # between .4 and .8: as it is
    assert decide([likely] * 5) == [0] * 5
    assert decide([BROKEN, *[WILD] * 4]) == [2, 2, 2, 1, 1]  # straight to the other crisis


def test_an_emergency_is_at_once_and_leaves_a_crisis_as_it_is() -> None:
    assert decide([CALM, CALM, CALM, CALM, CALM], {1: 2}) == [0, 2, 2, 2, 0]
    assert decide([BROKEN, BROKEN], {1: 1}) == [2, 2]


def scatter(rho: float, a: float = 1.0, b: float = 1.0) -> Float:
    return np.array([[a * a, rho * a * b], [rho * a * b, b * b]])


@pytest.mark.parametrize(
    ("other", "code"),
    [
        (scatter(0.8, 1.1, 1.1), 0),
        (scatter(0.2), 2),
        (scatter(-0.8), 2),
        (scatter(0.2, 0.4, 0.4), 0),  # less money at risk
        (scatter(0.8, 3.0, 3.0), 1),
        (scatter(0.95, 3.0, 3.0), 1),
        (scatter(0.95), 1),  # the hedge follows much more closely
        (scatter(0.2, 3.0, 3.0), 2),
    ],
)
def test_states_are_named_by_what_happens_to_the_hedge(other: Float, code: int) -> None:
    shapes = np.stack([other, scatter(0.8), scatter(0.8)])
    assert name_states(shapes, np.array([0.2, 0.7, 0.1]), 0.3)[0] == code
    assert name_states(shapes, np.array([0.4, 0.5, 0.1]), 0.3)[0] == 0  # too common
    assert name_states(shapes, np.array([0.0, 0.9, 0.1]), 0.3)[0] == 0  # never visited


def test_a_template_stands_in_only_for_what_was_not_visited() -> None:
    chain = np.full((3, 3), 0.01) + 0.97 * np.eye(3)
    shapes = np.stack([scatter(0.8), scatter(0.2), scatter(0.8)])
    found, moves, code = slots(shapes, chain, np.array([0.8, 0.2, 0.0]), 0.3)
    assert found.shape == (SLOTS, 2, 2) and code.tolist() == [0, 2, 0, 1, 2]
    np.testing.assert_allclose(moves.sum(axis=1), 1.0)
    assert (moves[:2, 3] > 0).all()  # convergence was not visited
    assert not moves[:, 4][:4].any()  # decoupling was
    assert not moves[[0, 1, 3, 4], 2].any()  # an empty state is not entered
    down = template(scatter(0.8), 2)
    assert np.arctanh(0.8) - np.arctanh(down[0, 1] / down[0, 0]) == pytest.approx(1.0)
    assert template(scatter(0.8), 1)[0, 0] == pytest.approx(4.0)


def test_score_is_a_probability_that_follows_the_book() -> None:
    def at(rho: float, stress: float) -> Float:
        return threshold_score(np.array([rho]), np.array([0.8]), np.array([stress]), 80.0)[0]

    for rho in (-1.0, 0.0, 0.8, 1.0):
        for stress in (0.0, 1.0, 1e6):
            assert at(rho, stress).sum() == pytest.approx(1.0)
    assert at(0.8, 1.0)[0] > 0.95
    assert at(0.2, 1.0)[2] > 0.99
    assert at(0.8, 6.0)[1] > 0.95
    assert at(0.97, 1.0)[1] > 0.99


def run(returns: Float, **settings: float) -> list[object]:
    features = HedgeFeatures(**settings)
    state = features.init(returns.shape[1], returns.shape[2] - 1)
    out = []
    for now in returns:
        state, sight = features.step(state, now[:, 0], now[:, 1:], 1.0)
        out.append((state, sight))
    return out


def test_features_do_not_see_volatility_in_the_correlation() -> None:
    """The same shocks at a volatility that quadruples: Fisher's z stays, turbulence rises."""
    rng = np.random.default_rng(0)
    z = rng.standard_normal((900, 20, 2))
    book = 0.8 * z[..., 1] + 0.6 * z[..., 0]
    calm = 0.01 * np.stack([book, z[..., 1]], axis=-1)
    wild = calm.copy()
    wild[700:] *= 4.0
    last = [run(r)[760][1].features for r in (calm, wild)]  # type: ignore[index]
    assert abs(np.mean(last[1][:, 0] - last[0][:, 0])) < 0.06
    assert np.mean(last[1][:, 3] - last[0][:, 3]) > 1.5
    assert abs(np.mean(last[1][:, 2] - last[0][:, 2])) < 0.1  # surprise is free of size


def test_surprise_is_turbulence_over_magnitude() -> None:
    """Kinlaw and Turkington (2014): at ρ = .5, (−2, 2) gives 2 and (−2, −2) gives 2/3."""
    inverse = np.linalg.inv(scatter(0.5))
    for move, expected in (([-2.0, 2.0], 2.0), ([-2.0, -2.0], 2.0 / 3.0)):
        x = np.array(move)
        assert x @ inverse @ x / (x @ x) == pytest.approx(expected)
    from backtester.regimes.features import _quadratic

    x = np.array([[-2.0, 2.0], [-2.0, -2.0]])
    found = _quadratic(x, np.broadcast_to(inverse, (2, 2, 2))) / (x * x).sum(axis=-1)
    np.testing.assert_allclose(found, [2.0, 2.0 / 3.0])


def test_absorption_follows_the_largest_eigenvalue() -> None:
    rng = np.random.default_rng(1)
    returns = 0.01 * rng.standard_normal((300, 3, 4))
    returns += 0.01 * rng.standard_normal((300, 3, 1))
    state = run(returns)[-1][0]  # type: ignore[index]
    matrix = state.short.mean
    exact = np.linalg.eigvalsh(matrix)[:, -1] / np.trace(matrix, axis1=1, axis2=2)
    along = np.einsum("pi,pij,pj->p", state.vector, matrix, state.vector)
    np.testing.assert_allclose(along / np.trace(matrix, axis1=1, axis2=2), exact, rtol=0.02)


def test_the_basket_is_the_best_mix() -> None:
    truth = np.array([[1.0, 0.6, 0.6], [0.6, 1.0, 0.2], [0.6, 0.2, 1.0]])[None]
    found = reference_of(truth)
    best = np.linalg.solve(truth[0, 1:, 1:], truth[0, 1:, 0])
    np.testing.assert_allclose(found.mix[0] / best, found.mix[0, 0] / best[0], rtol=1e-2)
    r_squared = truth[0, 0, 1:] @ best
    assert found.usual[0] == pytest.approx(np.sqrt(r_squared), abs=1e-3)
    np.testing.assert_allclose(book_correlation(truth, -best[None]), [-np.sqrt(r_squared)])
