"""The affine map from parameters to solver data of a compiled cvxpy problem, for many paths.

cvxpy compiles a DPP problem once into the canonical form

    minimise  ½ xᵀP x + qᵀx + d      subject to  A x + s = b,   s ∈ {0} × R₊ × second-order cones

whose data are affine in the vector θ of all parameters: (P, q, d, A, b) = T [θ, 1] with one sparse
T. One product for all paths replaces cvxpy's own work at every solve (Agrawal et al.,
"Differentiable Convex Optimization Layers", NeurIPS 2019, §4). The product is a serial kernel, path
by path, so that the data of a path do not depend on its neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from backtester.arrays import Float, Int
from backtester.errors import ProblemError
from backtester.hedging.kernels import jit

_CURE = (
    "Write the problem with continuous variables and with objectives and constraints that are "
    "linear, quadratic or second-order cones."
)


@jit
def _affine(start: Int, column: Int, weight: Float, theta: Float, out: Float) -> None:
    """``out[p] = T [θ_p, 1]``; T in CSR form."""
    P, rows = out.shape
    last = theta.shape[1]
    for p in range(P):
        for i in range(rows):
            total = 0.0
            for j in range(start[i], start[i + 1]):
                c = column[j]
                total += weight[j] * (theta[p, c] if c < last else 1.0)
            out[p, i] = total


@dataclass(frozen=True)
class _Map:
    """Some entries of the data as an affine function of the parameters."""

    start: Int
    column: Int
    weight: Float
    where: Int  # place of each entry in the flat (column-major) array

    @classmethod
    def of(cls, tensor: Any, keep: Any) -> _Map:
        """Rows of a sparse tensor that are not all zero and that `keep` (rows,) lets through."""
        import scipy.sparse as sp

        matrix = sp.csr_array(tensor)
        matrix.eliminate_zeros()
        where = np.flatnonzero((np.diff(matrix.indptr) > 0) & keep)
        part = sp.csr_array(matrix[where])
        return cls(
            part.indptr.astype(np.int64), part.indices.astype(np.int64),
            part.data.astype(np.float64), where.astype(np.int64),
        )  # fmt: skip

    def __call__(self, theta: Float) -> Float:
        out = np.empty((len(theta), len(self.where)))
        _affine(self.start, self.column, self.weight, theta, out)
        return out


@dataclass(frozen=True)
class Data:
    """Canonical data of some paths; entries of P (upper triangle) and A as in `Layout`."""

    P: Float  # (paths, entries)
    q: Float  # (paths, n)
    d: Float  # (paths,)
    A: Float  # (paths, entries)
    b: Float  # (paths, m)


class Layout:
    """Sizes, cones and sparsity of a compiled problem, and its affine parameter map.

    Raises ProblemError for integer variables, cones other than linear and second-order ones, and
    parameters whose attribute cvxpy replaces (symmetric, PSD, diagonal, sparse).
    """

    def __init__(self, problem: Any) -> None:
        import cvxpy as cp

        self._check(problem)
        own = {p.id: p.value for p in problem.parameters()}
        try:
            for p in problem.parameters():
                p.value = p.project(np.random.default_rng(p.size).normal(size=p.shape) + 0.5)
            found, chain, inverse = problem.get_problem_data(cp.CLARABEL)
            form = found["param_prob"]
            dims = form.cone_dims
            self.n, self.m = int(form.x.size), int(form.constr_size)
            self.zero, self.nonneg = int(dims.zero), int(dims.nonneg)
            self.soc = np.array(dims.soc, dtype=np.int64)
            if dims.exp or dims.psd or dims.p3d or dims.pnd:
                raise ProblemError("the problem needs exponential, power or PSD cones", cure=_CURE)
            self.quadratic = not len(self.soc)
            self.columns = {p.id: form.param_id_to_col.get(p.id) for p in problem.parameters()}
            self.size = int(form.total_param_size)
            if None in self.columns.values() or set(form.param_id_to_size) != set(self.columns):
                raise ProblemError(
                    "a parameter is unused, or symmetric, PSD, diagonal or sparse",
                    cure="Give plain parameters (nonneg is fine); pass a root instead of a matrix.",
                )
            self._maps(form)
            self.slices = self._slices(problem, form, chain, inverse)
            theta = np.empty((1, self.size))
            for p in problem.parameters():
                theta[0, self._span(p)] = np.asarray(p.value, dtype=float).ravel(order="F")
            self._agree(self.data(theta), found)
        finally:
            for p in problem.parameters():
                p.value = own[p.id]

    @staticmethod
    def _check(problem: Any) -> None:
        if not problem.is_dcp(dpp=True):
            raise ProblemError(
                "the problem is not DPP: convex, with every parameter entering affinely",
                cure="Multiply data before they become parameters: a product of two parameters, or "
                "of a parameter and a convex function of another, must be one parameter.",
            )
        if problem.is_mixed_integer():
            raise ProblemError("the problem has integer variables", cure=_CURE)
        if not problem.parameters():
            raise ProblemError(
                "the problem has no parameters", cure="Make the data of a path cvxpy.Parameters."
            )

    def _maps(self, form: Any) -> None:
        n, m = self.n, self.m
        everything = np.ones(n * (m + 1) + m + n * n + 1, dtype=bool)
        rows, columns = np.tile(np.arange(n), n), np.repeat(np.arange(n), n)
        if form.P is None:
            form_P: Any = np.zeros((n * n, self.size + 1))
        else:
            form_P = form.P
        self._P = _Map.of(form_P, rows <= columns)
        self._q = _Map.of(form.q, everything[: n + 1])
        self._A = _Map.of(form.A, np.arange(m * (n + 1)) < m * n)
        self._b = _Map.of(form.A, np.arange(m * (n + 1)) >= m * n)
        self.P_row, self.P_col = self._P.where % n, self._P.where // n
        self.A_row, self.A_col = self._A.where % m, self._A.where // m
        single = np.diff(self._A.start) == 1
        self.fixed = single & (self._A.column[self._A.start[:-1]] == self.size)  # no parameter

    def _span(self, parameter: Any) -> slice:
        first = self.columns[parameter.id]
        return slice(first, first + parameter.size)

    def data(self, theta: Float) -> Data:
        """Canonical data for parameter vectors (paths, size)."""
        q, b = np.zeros((len(theta), self.n + 1)), np.zeros((len(theta), self.m))
        q[:, self._q.where] = self._q(theta)
        b[:, self._b.where - self.m * self.n] = self._b(theta)
        # cvxpy keeps A x + b ∈ K; the solvers' form is A x + s = b.
        d, q = q[:, self.n].copy(), np.ascontiguousarray(q[:, : self.n])
        return Data(self._P(theta), q, d, -self._A(theta), b)

    def _agree(self, data: Data, found: dict[str, Any]) -> None:
        """The map against cvxpy's own data, so that a change of its layout cannot go unseen."""
        P, A = np.zeros((self.n, self.n)), np.zeros((self.m, self.n))
        P[self.P_row, self.P_col], A[self.A_row, self.A_col] = data.P[0], data.A[0]
        pairs = [(A, found["A"].toarray()), (data.b[0], found["b"]), (data.q[0], found["c"])]
        if "P" in found:
            pairs.append((P, np.triu(found["P"].toarray())))
        for ours, theirs in pairs:
            if not np.allclose(ours, theirs, rtol=1e-9, atol=1e-12 * (1.0 + np.abs(theirs).max())):
                raise ProblemError(
                    "this version of cvxpy lays out its parameter map in an unknown way",
                    cure="Use a cvxpy release this package was tested with (1.9).",
                )

    def _slices(
        self, problem: Any, form: Any, chain: Any, inverse: Any
    ) -> dict[str, tuple[int, tuple[int, ...]]]:
        """Where each variable stands in x: name -> (first, shape)."""
        renamed: dict[int, Any] = {}
        for reduction, kept in zip(chain.reductions, inverse, strict=True):
            if type(reduction).__name__ == "CvxAttr2Constr" and kept:
                renamed = kept[0]
        found = {}
        for variable in problem.variables():
            new = renamed.get(variable.id, variable)
            first = form.var_id_to_col.get(new.id)
            if first is None or new.size != variable.size:
                raise ProblemError(
                    f"variable {variable.name()!r} is symmetric, PSD, diagonal, sparse or unused",
                    cure="State it as a plain variable with constraints.",
                )
            found[variable.name()] = (int(first), tuple(variable.shape))
        return found
