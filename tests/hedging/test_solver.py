"""The router: every rung seen working, honest statuses, relaxations in the stated order."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from backtester.errors import ProblemError, Status
from backtester.hedging import active_set, solver
from backtester.hedging.batch import HedgeBatch
from backtester.hedging.certificate import certify
from backtester.hedging.problem import Answer, HedgeProblem, Shape
from backtester.hedging.solver import solve


@pytest.fixture
def easy(state):
    return state(3, 2, f=[[-1.0, 0.5], [0.2, 0.1], [2.0, -1.0]], linear=0.1, lower=-1.5, upper=1.5)


def break_twin(monkeypatch):
    """The twin returns garbage and claims it is solved."""

    def garbage(batch, penalty):
        shape = (batch.paths, batch.instruments)
        rows = batch.A.shape[1] + 2
        return np.full(shape, 0.123), np.zeros((batch.paths, rows)), np.ones(batch.paths, np.int8)

    def attempt(batch):
        h, multipliers, code = garbage(batch, None)
        check = certify(batch, h, multipliers)
        assert not check.holds().any()
        return active_set.Candidate(h, multipliers, code, check.gap, check.violation, 0)

    monkeypatch.setattr(active_set, "solve_batch", garbage)
    monkeypatch.setattr(active_set, "attempt", attempt)


def break_rungs(monkeypatch, *names):
    """Solvers of these names return garbage and claim it is optimal."""
    right = solver.rung

    def rung(path, name, penalty=None):
        if name in names:
            return Answer(path.h0[0] + 0.01, True, False)
        return right(path, name, penalty)

    monkeypatch.setattr(solver, "rung", rung)


def used(solution):
    return {name: count for name, count in solution.counts.items() if count}


def test_twin_first(easy):
    solution = solve(easy)
    assert used(solution) == {"twin": 3}
    assert (solution.status == Status.OK).all()
    np.testing.assert_allclose(solution.h, [[0.9, -0.4], [-0.1, 0.0], [-1.5, 0.9]], atol=1e-12)
    assert solution.h[1, 1] == 0.0  # exactly no trade


def test_garbage_from_the_twin_goes_to_the_reference(easy, monkeypatch):
    right = solve(easy)
    break_twin(monkeypatch)
    solution = solve(easy)
    assert used(solution) == {"reference": 3}
    assert (solution.status == Status.REFERENCE).all()
    np.testing.assert_allclose(solution.h, right.h, atol=1e-6)


@pytest.mark.parametrize(("impact", "second"), [(0.0, "DAQP"), (0.1, "SCS")])
def test_then_to_the_second_solver(state, monkeypatch, impact, second):
    batch = state(2, 2, f=[[-1.0, 0.5], [2.0, 1.0]], linear=0.1, impact=impact, gross=1.5)
    right = solve(batch)
    break_twin(monkeypatch)
    break_rungs(monkeypatch, "CLARABEL")
    solution = solve(batch)
    assert used(solution) == {"second": 2}, second
    assert (solution.status == Status.SECOND).all()
    np.testing.assert_allclose(solution.h, right.h, atol=1e-5)


def test_then_it_is_held_and_may_recover(easy, monkeypatch):
    with monkeypatch.context() as broken:
        break_twin(broken)
        break_rungs(broken, "CLARABEL", "DAQP")
        solution = solve(easy)
        assert used(solution) == {"held": 3}
        assert (solution.status == Status.HELD).all()
        assert np.array_equal(solution.h, easy.h0)
        assert np.isinf(solution.gap).all()
    assert used(solve(easy)) == {"twin": 3}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("F", np.nan), ("f", np.inf), ("reward", np.nan), ("h0", np.nan), ("linear", -1.0),
        ("impact", np.nan), ("lower", np.nan), ("lower", 3.0), ("gross", np.nan),
        ("risk_weight", -1.0), ("scale", 0.0), ("turnover", np.nan),
    ],
)  # fmt: skip
def test_data_that_are_not_finite_are_invalid_and_stay_alone(easy, field, value):
    right = solve(easy)
    getattr(easy, field)[1] = value
    solution = solve(easy)
    assert used(solution) == {"twin": 2, "invalid": 1}
    assert solution.status[1] == Status.INVALID
    assert np.array_equal(solution.h[1], easy.h0[1], equal_nan=True)
    assert np.array_equal(solution.h[[0, 2]], right.h[[0, 2]])


@pytest.mark.parametrize("broken", [False, True])
def test_turnover_gives_way_to_neutrality(state, monkeypatch, broken):
    batch = state(1, 2, 1, b=-1.0, turnover=0.3, gross=5.0, linear=0.01)
    if broken:
        break_twin(monkeypatch)
    solution = solve(batch)
    assert used(solution) == {"elastic": 1}
    assert solution.status[0] == Status.ELASTIC
    np.testing.assert_allclose(solution.relaxed, [[0.7, 0.0, 0.0]], atol=1e-6)
    np.testing.assert_allclose(solution.h, [[-0.5, -0.5]], atol=1e-5)


def test_turnover_gives_way_to_gross(state):
    solution = solve(state(1, 1, h0=2.0, f=-2.0, gross=1.0, turnover=0.25))
    assert solution.status[0] == Status.ELASTIC
    np.testing.assert_allclose(solution.relaxed, [[0.75, 0.0, 0.0]], atol=1e-9)
    np.testing.assert_allclose(solution.h, [[1.0]], atol=1e-9)


def test_gross_gives_way_to_neutrality_and_neutrality_to_the_box(state):
    solution = solve(state(1, 2, 1, b=-3.0, gross=1.0, lower=-1.0, upper=1.0))
    np.testing.assert_allclose(solution.relaxed, [[0.0, 1.0, 1.0]], atol=1e-9)
    np.testing.assert_allclose(solution.h, [[-1.0, -1.0]], atol=1e-9)


def test_a_row_nothing_can_move_leaves_the_rest_solved(state):
    solution = solve(state(1, 2, 1, A=0.0, b=0.5, f=-1.0))
    assert solution.status[0] == Status.ELASTIC
    np.testing.assert_allclose(solution.relaxed, [[0.0, 0.0, 0.5]], atol=1e-12)
    np.testing.assert_allclose(solution.h, [[1.0, 1.0]], atol=1e-9)


def test_drift_out_of_the_box_is_pulled_back(state):
    solution = solve(state(1, 1, h0=2.0, f=-2.0, lower=-1.0, upper=1.0, linear=5.0))
    assert solution.status[0] == Status.OK
    assert solution.h[0, 0] == 1.0


def test_ties_go_to_the_nearest_hedge(state):
    """Two instruments of the same risk: the trade is shared equally, whatever is held."""
    batch = state(2, 2, h0=[[0.0, 0.0], [0.7, -0.1]], F=[[1.0, 1.0], [0.0, 0.0]], f=[-1.0, 0.0])
    for twin, tolerance in ((True, 1e-6), (False, 1e-4)):
        h = solve(batch, twin=twin).h
        np.testing.assert_allclose(h, [[0.5, 0.5], [0.9, 0.1]], atol=tolerance)


def test_an_unbounded_problem_is_held(state):
    solution = solve(state(1, 1, F=0.0, reward=1.0))
    assert solution.status[0] == Status.HELD


def test_shapes_are_checked(easy):
    with pytest.raises(ProblemError, match=r"HedgeBatch\.gross has shape"):
        HedgeBatch(**(vars(easy) | {"gross": np.zeros(7)}))


@pytest.mark.parametrize("elastic", [False, True])
@pytest.mark.parametrize("impact", [False, True])
def test_the_reference_is_dpp(impact, elastic):
    problem = HedgeProblem(Shape(3, 4, 2, impact, gross=True, turnover=True, elastic=elastic))
    assert problem.problem.is_dcp(dpp=True)


def test_no_path_is_no_problem(easy):
    assert solve(easy.select(np.zeros(3, dtype=bool))).h.shape == (0, 2)


def test_cvxpy_is_imported_when_it_is_needed():
    told = "import sys, backtester.hedging.solver; print('cvxpy' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
