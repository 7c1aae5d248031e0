"""All claims, topic by topic; those that need a file of the user's stand apart."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from backtester.errors import ConfigError, did_you_mean
from backtester.verify.claim import Claim
from backtester.verify.topics import ORDER


def topics() -> dict[str, tuple[Claim, ...]]:
    """Title of each topic and its claims."""
    modules = [import_module(f"backtester.verify.topics.{name}") for name in ORDER]
    return {module.TOPIC: module.CLAIMS for module in modules}


def claims(only: str | None = None, data: Path | None = None) -> tuple[Claim, ...]:
    """Claims in the order of the table, with those about a user's file where `data` is given.

    only: a topic's title or the beginning of it, any case. Raises ConfigError where it matches
    none, DataError where the file cannot be used.
    """
    known = topics()
    if data is not None:
        from backtester.verify.benchmark import TOPIC, benchmark_claims

        known[TOPIC] = benchmark_claims(data)
    if only is not None:
        picked = {t: c for t, c in known.items() if t.lower().startswith(only.lower())}
        if not picked:
            raise ConfigError(f"no topic begins with {only!r}", cure=did_you_mean(only, known))
        known = picked
    return tuple(claim for group in known.values() for claim in group)
