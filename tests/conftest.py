"""Settings of every test: reproducible examples, one thread a worker, no network."""

from __future__ import annotations

import os
import socket
from typing import Any

import pytest
from hypothesis import settings

# Before numpy is imported, which neither of the above does: the workers share the cores.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

settings.register_profile("repeatable", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("repeatable")

_LOCAL = ("127.", "::1", "localhost")


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that reaches for the network fails: nothing may be fetched at run time."""
    connect = socket.socket.connect

    def local_only(self: socket.socket, address: Any) -> None:
        inet = self.family in (socket.AF_INET, socket.AF_INET6)
        if inet and not str(address[0]).startswith(_LOCAL):
            raise AssertionError(f"a test tried to reach {address!r}: data ships with the package")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", local_only)
