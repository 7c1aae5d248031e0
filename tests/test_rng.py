"""Streams are Philox's own, and depend on their key alone."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtester.rng import stream


@given(st.integers(), st.text(max_size=20), st.integers(0, 2**63 - 1))
def test_a_stream_is_the_philox_of_its_key(seed: int, purpose: str, path: int) -> None:
    digest = hashlib.blake2b(f"{seed}\x1f{purpose}".encode(), digest_size=8).digest()
    key = np.array([int.from_bytes(digest, "little"), path], dtype=np.uint64)
    plain = np.random.Generator(np.random.Philox(key=key))
    mine = stream(seed, purpose, path)
    assert np.array_equal(mine.standard_normal(5), plain.standard_normal(5))
    assert np.array_equal(mine.integers(0, 2**40, 5), plain.integers(0, 2**40, 5))


def test_seed_purpose_and_path_each_make_another_stream() -> None:
    keys = [(1, "returns", 0), (2, "returns", 0), (1, "regime", 0), (1, "returns", 1)]
    drawn = {float(stream(*key).random()) for key in keys}
    assert len(drawn) == 4
    assert stream(*keys[0]).random() == stream(*keys[0]).random()


def test_a_stream_hands_out_no_others() -> None:
    """A spawned generator would depend on what was drawn before; ask for a purpose instead."""
    with pytest.raises(TypeError):
        stream(1, "returns", 0).spawn(1)
