"""How kernels are compiled: serial numba, no fastmath, kept on disk; imported by kernels alone."""

from __future__ import annotations

import numba

jit = numba.njit(cache=True, error_model="numpy")

part = numba.njit(cache=True, error_model="numpy", _nrt=False)
"""For the parts of a kernel. They allocate nothing, so no references need counting: an atomic
addition for every array that is handed on costs more than the work."""

inlined = numba.njit(cache=True, error_model="numpy", forceinline=True, _nrt=False)
"""For the parts called many times a path."""
