"""Published numbers, and what this package answers: `backtester verify` and docs/verify.md.

A topic is a module of `backtester.verify.topics` with `TOPIC`, its title, and `CLAIMS`, a tuple of
`Claim`; listing it in `topics.ORDER` is all that a new one needs.
"""

from __future__ import annotations

from backtester.verify.claim import Claim, Row, checked

__all__ = ["Claim", "Row", "checked"]
