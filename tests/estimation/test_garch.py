"""GARCH(1,1) fits: recovery, the optimum against arch, units, bounds, messages."""

from __future__ import annotations

import numpy as np
import pytest

from backtester.arrays import Float
from backtester.errors import DataError
from backtester.estimation.garch import fit_garch
from backtester.estimation.garch_kernels import garch_terms


def simulate(
    seed: int, bars: int, alpha: float = 0.08, beta: float = 0.88, nu: float | None = None
) -> Float:
    """Returns of 1 % a bar, mean .05 %."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal(bars + 500)
    if nu is not None:
        z = rng.standard_t(nu, bars + 500) * np.sqrt((nu - 2.0) / nu)
    variance, out = 1.0, np.empty(bars + 500)
    for t in range(bars + 500):
        out[t] = np.sqrt(variance) * z[t]
        variance = 1.0 - alpha - beta + alpha * out[t] ** 2 + beta * variance
    return 0.01 * (0.05 + out[500:])


def test_it_recovers_what_was_simulated_within_its_errors() -> None:
    for seed, nu in ((1, None), (2, 6.0)):
        fit = fit_garch(simulate(seed, 6000, nu=nu), distribution="t" if nu else "normal")
        assert fit.converged and not fit.on_bound
        for name, truth in (("mean", 5e-4), ("omega", 4e-6), ("alpha", 0.08), ("beta", 0.88)):
            assert abs(getattr(fit, name) - truth) < 3.5 * fit.errors[name], name
        assert fit.variance == pytest.approx(1e-4, rel=0.2)
        assert (fit.nu is None) == (nu is None)
        if nu:
            assert fit.nu is not None and abs(fit.nu - nu) < 3.5 * fit.errors["nu"]


@pytest.mark.parametrize("distribution", ["normal", "t"])
def test_the_likelihood_is_archs_and_no_lower(distribution: str) -> None:
    from arch import arch_model

    returns = 100.0 * simulate(3, 1500, nu=5.0)
    ours = fit_garch(returns, distribution=distribution)  # type: ignore[arg-type]
    model = arch_model(returns, p=1, q=1, dist=distribution, rescale=False)  # type: ignore[arg-type]
    theirs = model.fit(disp="off", tol=1e-10)
    names = ["mu", "omega", "alpha[1]", "beta[1]", *(["nu"] if distribution == "t" else [])]
    assert [ours.mean, ours.omega, ours.alpha, ours.beta, ours.nu][: len(names)] == pytest.approx(
        theirs.params[names].tolist(), rel=2e-3
    )
    assert ours.loglik >= theirs.loglikelihood - 1e-6
    fixed = model.fix(
        [ours.mean, ours.omega, ours.alpha, ours.beta, *([ours.nu] if ours.nu else [])]
    )
    assert fixed.loglikelihood == pytest.approx(ours.loglik, rel=1e-9)
    np.testing.assert_allclose(fixed.conditional_volatility**2, ours.variances(returns), rtol=1e-9)
    errors = theirs.std_err[names].tolist()
    assert list(ours.errors.values()) == pytest.approx(errors, rel=0.02)


def test_the_units_of_the_data_do_not_matter() -> None:
    returns = simulate(4, 1000)
    one, other = fit_garch(returns), fit_garch(1e4 * returns)
    assert (other.alpha, other.beta) == pytest.approx((one.alpha, one.beta), rel=1e-6)
    assert other.omega == pytest.approx(1e8 * one.omega, rel=1e-6)
    assert other.errors["omega"] == pytest.approx(1e8 * one.errors["omega"], rel=1e-3)
    assert other.loglik == pytest.approx(one.loglik - 1000 * np.log(1e4), rel=1e-9)
    np.testing.assert_allclose(
        other.standardised(1e4 * returns), one.standardised(returns), rtol=1e-5
    )


@pytest.mark.parametrize("backcast", ["arch", "mean_square"])
def test_no_parameter_nearby_is_better(backcast: str) -> None:
    returns = simulate(5, 800)
    fit = fit_garch(returns, backcast=backcast)  # type: ignore[arg-type]
    start = fit.start if backcast == "arch" else -1.0
    best = np.array([fit.mean, fit.omega, fit.alpha, fit.beta])
    size = np.array(list(fit.classic_errors.values()))
    top = garch_terms(returns, *best, 0.0, start).sum()
    assert top == pytest.approx(fit.loglik, rel=1e-10)
    for k in range(4):
        for sign in (-1, 1):
            moved = best.copy()
            moved[k] += sign * 0.05 * size[k]
            drop = top - garch_terms(returns, *moved, 0.0, start).sum()
            # ½ (.05)²/(1 − R²_k) in the units of a standard error: at least ½ (.05)²
            assert drop > 0.9 * 0.5 * 0.05**2


def test_the_start_of_the_recursion_is_what_it_says() -> None:
    returns = simulate(6, 500)
    fit = fit_garch(returns, backcast="mean_square")
    assert fit.start == pytest.approx(np.mean((returns - fit.mean) ** 2), rel=1e-12)
    weights = 0.94 ** np.arange(75)
    head = (returns[:75] - returns.mean()) ** 2
    expected = np.average(head, weights=weights)
    assert fit_garch(returns).start == pytest.approx(expected, rel=1e-12)
    first = fit.omega + (fit.alpha + fit.beta) * fit.start
    assert fit.variances(returns)[0] == pytest.approx(first, rel=1e-12)


def test_parameters_on_a_bound_are_named_and_have_no_error() -> None:
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(8):
        fit = fit_garch(rng.standard_normal(300))
        assert fit.converged
        seen.update(fit.on_bound)
        assert all(np.isnan(fit.errors[name]) for name in fit.on_bound)
        assert fit.persistence <= 1.0 + 1e-9
    assert "alpha" in seen
    normal = fit_garch(simulate(7, 1000), distribution="t")
    assert normal.nu is not None and 20.0 < normal.nu <= 200.0


def test_zero_mean_has_no_mean() -> None:
    fit = fit_garch(simulate(8, 500), mean="zero")
    assert fit.mean == 0.0 and "mean" not in fit.errors


def test_a_fit_without_an_optimum_raises_or_falls_back_visibly() -> None:
    """A price that moves once: a Student t fits it without limit."""
    returns = np.zeros(150)
    returns[50] = 1.0
    with pytest.raises(DataError, match=r"of 'JUMP' \(150 bars\) did not converge.*no maximum"):
        fit_garch(returns, distribution="t", name="JUMP")
    fit = fit_garch(returns, distribution="t", name="JUMP", fallback=True)
    assert not fit.converged and fit.message
    assert (fit.alpha, fit.beta) == (0.0, 0.0)
    assert fit.variance == pytest.approx(np.var(returns), rel=1e-9)
    assert all(np.isnan(e) for e in fit.errors.values())
    np.testing.assert_allclose(fit.variances(returns), np.var(returns), rtol=1e-9)


@pytest.mark.parametrize(
    ("returns", "words"),
    [
        (np.ones(99), "too few for a GARCH fit.*at least 100"),
        (np.ones((200, 2)), "too few for a GARCH fit"),
        (np.full(200, 0.01), "'X' are constant"),
        (np.where(np.arange(200) == 17, np.nan, 0.01), "return 17 of 'X' is nan"),
    ],
)
def test_bad_input_is_named(returns: Float, words: str) -> None:
    with pytest.raises(DataError, match=words):
        fit_garch(returns, name="X")
