"""Counter-based random streams keyed by (seed, purpose, path); no global state.

A stream depends on nothing but its key, never on scenario parameters, block order or worker
count, so scenarios, strategies and adversary candidates share their shocks (common random
numbers). Philox is the counter-based generator of Salmon et al. (SC'11).
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from numpy.random.bit_generator import ISeedSequence


class _Key(ISeedSequence):
    """A Philox key as it is. `Philox(key=…)` would ask the system for entropy and drop it: 8 µs."""

    __slots__ = ("words",)

    def __init__(self, words: npt.NDArray[np.uint64]) -> None:
        self.words = words

    def generate_state(
        self, n_words: int, dtype: npt.DTypeLike = np.uint64
    ) -> npt.NDArray[np.uint64]:
        """The two words of the key."""
        if n_words != 2 or dtype is not np.uint64:  # what a Philox asks for
            raise TypeError(f"a key holds two words of 64 bits; {n_words} of {dtype} were asked")
        return self.words


def stream(seed: int, purpose: str, path: int) -> np.random.Generator:
    """The generator of one path for one purpose.

    Parameters
    ----------
    seed: the study's seed, any integer.
    purpose: what the numbers are for, e.g. ``"returns"``; different purposes are independent.
    path: index of the path in the whole ensemble (not in its block).
    """
    key = np.array([_word(seed, purpose), path], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(_Key(key)))  # type: ignore[arg-type]


@lru_cache(maxsize=256)
def _word(seed: int, purpose: str) -> int:
    digest = hashlib.blake2b(f"{seed}\x1f{purpose}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")
