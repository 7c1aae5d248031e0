"""Counter-based random streams keyed by (seed, purpose, path); no global state.

A stream depends on nothing but its key, never on scenario parameters, block order or worker
count, so scenarios, strategies and adversary candidates share their shocks (common random
numbers). Philox is the counter-based generator of Salmon et al. (SC'11).
"""

from __future__ import annotations

import hashlib

import numpy as np


def stream(seed: int, purpose: str, path: int) -> np.random.Generator:
    """The generator of one path for one purpose.

    Parameters
    ----------
    seed: the study's seed, any integer.
    purpose: what the numbers are for, e.g. ``"returns"``; different purposes are independent.
    path: index of the path in the whole ensemble (not in its block).
    """
    digest = hashlib.blake2b(f"{seed}\x1f{purpose}".encode(), digest_size=8).digest()
    key = np.array([int.from_bytes(digest, "little"), path], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key))
