"""Call a user's plugin; what it raises comes back naming the plugin, the time and its own line."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

from backtester.clock import iso
from backtester.errors import BacktesterError, StrategyError

P = ParamSpec("P")
R = TypeVar("R")
_PACKAGE = Path(__file__).parent


def guarded(
    who: str, step: str, time: int, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs
) -> R:
    """The value of ``call(*args, **kwargs)``, or StrategyError with the user's own line of code.

    who: name of the strategy; step: the method called; time: UTC nanoseconds of the event.
    """
    try:
        return call(*args, **kwargs)
    except BacktesterError:
        raise
    except (Exception, SystemExit) as error:  # a plugin that exits must not end the run unseen
        frames = traceback.extract_tb(error.__traceback__)
        own = [f for f in frames if not Path(f.filename).is_relative_to(_PACKAGE)]
        where = own[-1] if own else frames[-1]
        hint = ""
        if isinstance(error, ValueError) and "read-only" in str(error):
            hint = " Market data and books are read-only: copy an array before changing it."
        raise StrategyError(
            f"strategy {who} raised {type(error).__name__} in {step}(): {error} "
            f"[{Path(where.filename).name}:{where.lineno}: {where.line}]",
            when=iso(time),
            cure="Correct that line; `backtester check` runs the strategy's laws." + hint,
        ) from error
