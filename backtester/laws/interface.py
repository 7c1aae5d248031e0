"""Law *interface*: the class, its parameters, `warmup` and `requires` are usable at all."""

from __future__ import annotations

import math
import traceback
from pathlib import Path
from typing import Any

from backtester.errors import BacktesterError, ConfigError
from backtester.laws.report import CheckResult, failed, passed
from backtester.strategy import Strategy

NAME = "interface"
_PACKAGE = Path(__file__).parent.parent


def interface(kind: type[Strategy[Any]], parameters: dict[str, Any]) -> CheckResult:
    """The strategy can be made with `parameters` and says what it needs.

    Raises ConfigError where `parameters` do not suit it: that is not the strategy's fault.
    """
    try:
        strategy = kind.configured(parameters)
        warmup, wanted = strategy.warmup, strategy.requires()
    except ConfigError:
        raise
    except BacktesterError as error:
        return failed(NAME, f"{error.what}. {error.cure}", error.when)
    except Exception as error:  # a user's own code may raise anything
        return failed(NAME, f"{kind.__name__} raised {own_line(error)} before the run began")
    if not isinstance(warmup, int | float) or not math.isfinite(warmup) or warmup < 0:
        return failed(NAME, f"warmup is {warmup!r}; return the trading days needed, a number ≥ 0")
    if not isinstance(wanted, tuple) or not all(isinstance(name, str) for name in wanted):
        return failed(NAME, f"requires() is {wanted!r}; return a tuple of asset names")
    if not kind.model_config.get("frozen"):
        return failed(
            NAME,
            "its parameters can be changed after it is made; leave model_config as Strategy has it",
        )
    return passed(NAME, f"parameters are frozen; warm-up {warmup:g} days")


def own_line(error: BaseException) -> str:
    """An error with the last line of the user's own code that led to it."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if not Path(f.filename).is_relative_to(_PACKAGE)] or frames
    where = f" [{Path(own[-1].filename).name}:{own[-1].lineno}: {own[-1].line}]" if own else ""
    return f"{type(error).__name__}: {error}{where}"
