"""Any DPP problem, batched: parity with `problem.solve()`, honest statuses, words for bad input."""

from __future__ import annotations

from typing import Any

import cvxpy as cp
import numpy as np
import pytest

from backtester.errors import ProblemError, Status
from backtester.hedging import generic
from backtester.hedging.generic import BatchedProblem


def stated(K: int, kind: str) -> cp.Problem:
    """A family the package has never seen: tracking with a turnover penalty and a budget."""
    x, z = cp.Variable(K, name="x", nonneg=kind == "qp"), cp.Variable(K, name="z")
    F, f = cp.Parameter((K + 1, K), name="F"), cp.Parameter(K + 1, name="f")
    c, x0 = cp.Parameter(K, nonneg=True, name="c"), cp.Parameter(K, name="x0")
    budget = cp.Parameter(nonneg=True, name="budget")
    miss = F @ x + f
    risk = {"qp": 0.5 * cp.sum_squares(miss), "lp": cp.norm1(miss), "soc": cp.norm2(miss)}[kind]
    limits = [z == x - x0, cp.norm1(x) <= budget, x <= 1.0]
    return cp.Problem(cp.Minimize(risk + c @ cp.abs(z)), limits)


def drawn(K: int, paths: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng([K, paths])
    return {
        "F": rng.normal(size=(paths, K + 1, K)),
        "f": rng.normal(size=(paths, K + 1)),
        "c": 0.1 * np.abs(rng.normal(size=(paths, K))),
        "x0": 0.3 * rng.normal(size=(paths, K)),
        "budget": rng.uniform(0.2, 2.0, size=paths),
    }


def reference(problem: cp.Problem, values: dict[str, np.ndarray], p: int) -> float:
    for parameter in problem.parameters():
        parameter.value = values[parameter.name()][p]
    return float(problem.solve(solver=cp.CLARABEL))


@pytest.mark.parametrize("kind", ["qp", "lp", "soc"])
@pytest.mark.parametrize("K", [1, 3, 6])
def test_parity_with_cvxpy(K: int, kind: str) -> None:
    problem, values = stated(K, kind), drawn(K, 40)
    answer = BatchedProblem(problem).solve(values)
    assert (answer.status == Status.OK).all(), answer.counts
    assert answer.violation.max() <= generic.FEASIBLE
    x = answer.value("x")
    for p in range(40):
        best = reference(problem, values, p)
        miss = values["F"][p] @ x[p] + values["f"][p]
        order = {"qp": None, "lp": 1, "soc": 2}[kind]
        risk = 0.5 * miss @ miss if order is None else np.linalg.norm(miss, order)
        ours = risk + values["c"][p] @ np.abs(x[p] - values["x0"][p])
        assert ours == pytest.approx(best, abs=1e-6 * (1.0 + abs(best)))


@pytest.mark.parametrize("kind", ["qp", "soc"])
def test_paths_do_not_know_each_other(kind: str) -> None:
    batched, values = BatchedProblem(stated(3, kind)), drawn(3, 9)
    together = batched.solve(values).x
    for p in (0, 4, 8):
        alone = batched.solve({name: array[p : p + 1] for name, array in values.items()})
        assert np.array_equal(alone.x[0], together[p])


def test_equalities_are_taken_out_and_their_multipliers_come_back() -> None:
    """Seven residuals and six trades are functions of the hedges."""
    batched, values = BatchedProblem(stated(6, "qp")), drawn(6, 20)
    reduced = batched._tools.reduced
    assert (reduced.pivot >= 0).sum() == batched.layout.zero == 13
    assert len(reduced.q) == batched.layout.n - 13
    answer = batched.solve(values)
    assert answer.counts["daqp"] == 20
    assert answer.gap.max() < 1e-8  # the check needs every multiplier


def test_an_equality_that_parameters_scale_stays() -> None:
    x, a = cp.Variable(3, name="x"), cp.Parameter(3, name="a")
    b = cp.Parameter(name="b")
    problem = cp.Problem(cp.Minimize(cp.sum_squares(x)), [a @ x == b])
    batched = BatchedProblem(problem)
    slopes = np.random.default_rng(2).normal(size=(5, 3))
    answer = batched.solve({"a": slopes, "b": np.ones(5)})
    exact = slopes / (slopes**2).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(answer.value("x"), exact, atol=1e-9)
    assert answer.counts["daqp"] == 5


def test_a_shared_parameter_and_a_matrix_variable() -> None:
    X, target = cp.Variable((2, 3), name="X"), cp.Parameter((2, 3), name="target")
    cap = cp.Parameter(name="cap", nonneg=True)
    problem = cp.Problem(cp.Maximize(-cp.sum_squares(X - target)), [cp.abs(X) <= cap])
    wanted = np.arange(12.0).reshape(2, 2, 3)
    answer = BatchedProblem(problem).solve({"target": wanted, "cap": np.float64(7.0)})
    np.testing.assert_allclose(answer.value("X"), np.minimum(wanted, 7.0), atol=1e-8)


def test_infeasible_paths_are_proved_and_others_solved() -> None:
    values = drawn(3, 3)
    values["budget"][1] = 0.0
    problem = stated(3, "qp")
    x = problem.var_dict["x"]
    problem = cp.Problem(problem.objective, [*problem.constraints, cp.sum(x) >= 0.1])
    answer = BatchedProblem(problem).solve(values)
    assert answer.status.tolist() == [Status.OK, Status.HELD, Status.OK]
    assert answer.infeasible.tolist() == [False, True, False]
    assert answer.counts["failed"] == 1
    assert np.isnan(answer.x[1]).all()


@pytest.mark.parametrize(("name", "value"), [("f", np.nan), ("c", -1.0), ("F", np.inf)])
def test_bad_numbers_are_invalid_and_stay_alone(name: str, value: float) -> None:
    batched, values = BatchedProblem(stated(2, "qp")), drawn(2, 3)
    right = batched.solve(values).x
    values[name][1] = value
    answer = batched.solve(values)
    assert answer.status[1] == Status.INVALID
    assert answer.counts["invalid"] == 1
    assert np.array_equal(answer.x[[0, 2]], right[[0, 2]])


def broken(route: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A solver that claims garbage to be optimal."""

    def garbage(self: Any, P: Any, q: Any, A: Any, b: Any, x: Any, y: Any) -> None:
        x[:], y[:] = 0.123, 0.0

    monkeypatch.setattr(generic._Tools, f"_{route}", garbage)


def test_garbage_is_found_out_and_solved_again(monkeypatch: pytest.MonkeyPatch) -> None:
    batched, values = BatchedProblem(stated(3, "qp")), drawn(3, 4)
    right = batched.solve(values)
    assert right.counts["daqp"] == 4
    broken("daqp", monkeypatch)
    answer = batched.solve(values)
    assert answer.counts["clarabel"] == 4
    broken("clarabel", monkeypatch)
    last = batched.solve(values)
    assert last.counts["reference"] == 4
    assert (last.status == Status.REFERENCE).all()
    for found in (answer, last):
        np.testing.assert_allclose(found.value("x"), right.value("x"), atol=1e-6)


def not_dpp() -> cp.Problem:
    a, b, x = cp.Parameter(name="a"), cp.Parameter(name="b"), cp.Variable(name="x")
    return cp.Problem(cp.Minimize(cp.square(x - a * b)))


def integer() -> cp.Problem:
    a, x = cp.Parameter(name="a"), cp.Variable(name="x", integer=True)
    return cp.Problem(cp.Minimize(cp.square(x - a)))


def exponential() -> cp.Problem:
    a, x = cp.Parameter(name="a"), cp.Variable(name="x")
    return cp.Problem(cp.Minimize(cp.exp(x) - a * x))


def matrix() -> cp.Problem:
    a, x = cp.Parameter((2, 2), name="a", symmetric=True), cp.Variable(2, name="x")
    return cp.Problem(cp.Minimize(cp.sum_squares(a @ x - 1.0)))


def one_name() -> cp.Problem:
    a, b, x = cp.Parameter(name="a"), cp.Parameter(name="a"), cp.Variable(name="x")
    return cp.Problem(cp.Minimize(cp.square(x - a - b)))


def without() -> cp.Problem:
    return cp.Problem(cp.Minimize(cp.square(cp.Variable(name="x"))))


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (not_dpp, "not DPP.*must be one parameter"), (integer, "integer variables"),
        (exponential, "exponential, power or PSD cones"), (matrix, "symmetric, PSD"),
        (one_name, "two parameters have one name"), (without, "has no parameters"),
    ],
)  # fmt: skip
def test_problems_that_cannot_be_batched(problem: Any, words: str) -> None:
    with pytest.raises(ProblemError, match=words):
        BatchedProblem(problem())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"budgit": 1.0}, "no parameter 'budgit'.*Did you mean 'budget'"),
        ({"f": np.ones((3, 7))}, r"parameter 'f' has shape \(3, 7\)"),
        ({"f": np.ones((4, 3))}, "disagree about the number of paths"),
        ({"f": None}, "parameter 'f' has no values"),
    ],
)
def test_values_that_do_not_fit(change: dict[str, Any], words: str) -> None:
    values: dict[str, Any] = drawn(2, 3) | change
    values = {name: value for name, value in values.items() if value is not None}
    with pytest.raises(ProblemError, match=words):
        BatchedProblem(stated(2, "qp")).solve(values)


def test_an_unknown_variable_is_told() -> None:
    answer = BatchedProblem(stated(2, "qp")).solve(drawn(2, 1))
    with pytest.raises(ProblemError, match="no variable 'y'"):
        answer.value("y")
