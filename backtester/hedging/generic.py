"""Any cvxpy DPP problem on many paths: compiled once, its data mapped in one product.

Route of a path: DAQP where the problem is a quadratic program of up to `DENSE` variables (once
equalities are taken out), Clarabel called directly otherwise or where DAQP's answer fails its
check, then cvxpy's own solve with tight tolerances. Every answer is checked from the canonical data
(`backtester.hedging.generic_check`); a solver's own word is never enough. A fresh solver per path:
re-using one would make answers depend on the order of paths.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from backtester.arrays import BLOCK, Bool, Byte, Float
from backtester.errors import ProblemError, Status, did_you_mean
from backtester.hedging.generic_check import verify
from backtester.hedging.generic_data import Data, Layout
from backtester.hedging.generic_reduce import Reduction
from backtester.hedging.problem import SETTINGS

FEASIBLE = 1e-8
"""Largest violation of a row, relative to the size of its terms."""

OPTIMAL = 1e-6
"""Largest duality gap, relative to the size of the objective's terms."""

DENSE = 60
"""Variables, once equalities are taken out, up to which DAQP (dense) is tried first."""

_DAQP = {"eps_prox": 1e-3, "eta_prox": 1e-12, "primal_tol": 1e-10, "dual_tol": 1e-11}
_CLARABEL = {"tol_gap_abs": 1e-11, "tol_gap_rel": 1e-11, "tol_feas": 1e-11}
_ROUTES = ("daqp", "clarabel", "reference", "failed", "invalid")


@dataclass(frozen=True)
class BatchedAnswer:
    """What came back, path by path."""

    x: Float  # (P, n) canonical variables; NaN where the status is not ok
    status: Byte  # (P,) OK, REFERENCE, HELD (no certified answer) or INVALID (bad data)
    gap: Float  # (P,) certified duality gap, relative to the objective's terms
    violation: Float  # (P,) largest violation, relative to each row's terms
    infeasible: Bool  # (P,) whether it is *proved* that no admissible point exists
    counts: dict[str, int]  # solver route -> number of paths
    slices: dict[str, tuple[int, tuple[int, ...]]]

    def value(self, name: str) -> Float:
        """The variable of that name, (P, *shape); raises ProblemError for an unknown name."""
        if name not in self.slices:
            raise ProblemError(
                f"the problem has no variable {name!r}", cure=did_you_mean(name, self.slices)
            )
        first, shape = self.slices[name]
        flat = self.x[:, first : first + int(np.prod(shape, dtype=int))]
        return np.array([row.reshape(shape, order="F") for row in flat]).reshape(-1, *shape)


class BatchedProblem:
    """One compiled cvxpy problem for any number of paths.

    Parameters
    ----------
    problem: a `cvxpy.Problem` that is DPP, with parameters of different names. The batched routes
        do not touch it; the reference route sets its parameters, so an instance serves one thread.

    Raises
    ------
    ProblemError: not DPP, two parameters of one name, integer variables, or cones that are not
        linear or second-order.
    """

    def __init__(self, problem: Any) -> None:
        names = [p.name() for p in problem.parameters()]
        if len(set(names)) < len(names):
            raise ProblemError("two parameters have one name", cure="Name each one differently.")
        self.problem = problem
        self.parameters = {p.name(): p for p in problem.parameters()}
        self.layout = Layout(problem)
        self._tools = _Tools(self.layout)

    def solve(self, values: Mapping[str, Any]) -> BatchedAnswer:
        """Solve all paths; never raises for what one path holds.

        values: for each parameter (P, *shape), or (*shape) where all paths share it. Paths with
        values that are not finite or break a parameter's sign are `Status.INVALID`.

        Raises ProblemError for missing, unknown or wrongly shaped parameters.
        """
        theta, valid = self._theta(values)
        paths = len(theta)
        x = np.full((paths, self.layout.n), np.nan)
        status: Byte = np.where(valid, Status.HELD, Status.INVALID).astype(np.int8)
        gap, violation = np.full(paths, np.inf), np.full(paths, np.inf)
        proved = np.zeros(paths, dtype=np.bool_)
        counts = dict.fromkeys(_ROUTES, 0) | {"invalid": int((~valid).sum())}
        open_ = valid.copy()
        routes = ["clarabel", "reference"]
        if self.layout.quadratic and len(self._tools.reduced.q) <= DENSE:
            routes.insert(0, "daqp")
        for route in routes:
            waiting = np.flatnonzero(open_ & ~proved)
            for first in range(0, len(waiting), BLOCK):
                index = waiting[first : first + BLOCK]
                data = self.layout.data(theta[index])
                if route == "reference":
                    found, dual = self._reference(theta[index])
                else:
                    found, dual = self._tools.solve(route, data)
                g, v, farkas = verify(self.layout, data, found, dual)
                good = (g <= OPTIMAL) & (v <= FEASIBLE)
                done = index[good]
                x[done], gap[done], violation[done] = found[good], g[good], v[good]
                status[done] = Status.REFERENCE if route == "reference" else Status.OK
                open_[done] = False
                proved[index] = farkas & ~good
                counts[route] += len(done)
        counts["failed"] = int(open_.sum())
        return BatchedAnswer(x, status, gap, violation, proved, counts, self.layout.slices)

    def _theta(self, values: Mapping[str, Any]) -> tuple[Float, Bool]:
        for name in values:
            if name not in self.parameters:
                raise ProblemError(
                    f"the problem has no parameter {name!r}",
                    cure=did_you_mean(name, self.parameters),
                )
        arrays, paths = {}, {}
        for name, parameter in self.parameters.items():
            if name not in values:
                raise ProblemError(
                    f"parameter {name!r} has no values",
                    cure=f"Give (paths, …) with … = {tuple(parameter.shape)}.",
                )
            array = np.asarray(values[name], dtype=np.float64)
            shape = tuple(parameter.shape)
            if array.shape == shape:
                array = array[None]
            elif array.shape[1:] == shape and array.ndim == len(shape) + 1:
                paths[name] = len(array)
            else:
                raise ProblemError(
                    f"parameter {name!r} has shape {array.shape}",
                    cure=f"Give (paths, …) or (…) with … = {shape}.",
                )
            arrays[name] = array
        if len(set(paths.values())) > 1:
            raise ProblemError(
                f"parameters disagree about the number of paths: {paths}",
                cure="Give each the same first axis, or none where all paths share it.",
            )
        count = next(iter(paths.values()), 1)
        theta = np.empty((count, self.layout.size))
        valid = np.ones(count, dtype=np.bool_)
        for name, array in arrays.items():
            flat = array.transpose(0, *range(array.ndim - 1, 0, -1)).reshape(len(array), -1)
            theta[:, self.layout._span(self.parameters[name])] = flat
            attributes = self.parameters[name].attributes
            if attributes["nonneg"] or attributes["pos"]:
                valid &= (flat >= 0).all(axis=1)
            if attributes["nonpos"] or attributes["neg"]:
                valid &= (flat <= 0).all(axis=1)
        return theta, valid & np.isfinite(theta).all(axis=1)

    def _reference(self, theta: Float) -> tuple[Float, Float]:
        """cvxpy's own way from parameters to answer, a path at a time."""
        import cvxpy as cp

        found = np.full((len(theta), self.layout.n), np.nan)
        dual = np.zeros((len(theta), self.layout.m))
        options = SETTINGS["CLARABEL"]
        for p, row in enumerate(theta):
            for parameter in self.parameters.values():
                flat = row[self.layout._span(parameter)]
                parameter.value = flat.reshape(parameter.shape, order="F")
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    data, chain, _ = self.problem.get_problem_data(cp.CLARABEL)
                    raw = chain.solve_via_data(self.problem, data, solver_opts=dict(options))
            except (cp.error.SolverError, cp.error.DCPError, ValueError, ArithmeticError):
                continue
            found[p], dual[p] = raw.x, raw.z
        return found, dual


class _Tools:
    """The solvers, called without cvxpy: buffers of one compiled problem."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.reduced = Reduction(layout)
        r, rows, zero = len(self.reduced.q), len(self.reduced.b), self.reduced.zero
        self._low = np.full(r + rows, -np.inf)
        self._high = np.full(r + rows, np.inf)
        self._sense = np.zeros(r + rows, dtype=np.int32)
        self._sense[r : r + zero] = 5  # equality: always active

    def solve(self, route: str, data: Data) -> tuple[Float, Float]:
        """x (paths, n) and y (paths, m) as the solver says; NaN where it gives none."""
        size = np.maximum(np.abs(data.P).max(axis=1, initial=0.0), np.abs(data.q).max(axis=1))
        size = np.where(size > 0.0, size, 1.0)
        x = np.full((len(size), self.layout.n), np.nan)
        y = np.zeros((len(size), self.layout.m))
        P, q = data.P / size[:, None], data.q / size[:, None]
        run = self._daqp if route == "daqp" else self._clarabel
        run(P, q, data.A, data.b, x, y)
        return x, y * size[:, None]

    def _daqp(self, P: Float, q: Float, A: Float, b: Float, x: Float, y: Float) -> None:
        import daqp

        small = self.reduced
        r, zero = len(small.q), small.zero
        for p in range(len(q)):
            size = small.load(P[p], q[p], A[p], b[p])
            self._high[r:] = small.b
            self._low[r : r + zero] = small.b[:zero]
            # Everything is contiguous and finite: DAQP answers wrongly, not loudly, otherwise.
            found, _, flag, info = daqp.solve(
                small.P, small.q, small.A, self._high, self._low, self._sense.copy(), **_DAQP
            )
            if flag == 1:
                small.recover(P[p], q[p], A[p], found, info["lam"][r:], size, x[p], y[p])

    def _clarabel(self, P: Float, q: Float, A: Float, b: Float, x: Float, y: Float) -> None:
        import clarabel
        import scipy.sparse as sp

        layout = self.layout
        n, m = layout.n, layout.m
        squares = sp.csc_matrix((np.ones(P.shape[1]), (layout.P_row, layout.P_col)), (n, n))
        rows = sp.csc_matrix((np.ones(A.shape[1]), (layout.A_row, layout.A_col)), (m, n))
        cones = []
        if layout.zero:
            cones.append(clarabel.ZeroConeT(layout.zero))
        if layout.nonneg:
            cones.append(clarabel.NonnegativeConeT(layout.nonneg))
        cones += [clarabel.SecondOrderConeT(int(size)) for size in layout.soc]
        settings = clarabel.DefaultSettings()
        settings.verbose = False
        for name, value in _CLARABEL.items():
            setattr(settings, name, value)
        for p in range(len(q)):
            squares.data[:], rows.data[:] = P[p], A[p]  # entries stand in column-major order
            answer = clarabel.DefaultSolver(squares, q[p], rows, b[p], cones, settings).solve()
            x[p], y[p] = answer.x, answer.z
