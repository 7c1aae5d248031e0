"""Numbers and dates as fields of settings: what pydantic would convert in silence is an error."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)")


def _no_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError(f"{str(value).lower()} is not a number")
    return value


Number = Annotated[float, BeforeValidator(_no_bool)]
"""A number; true and false, which Python counts as 1 and 0, are not."""
Whole = Annotated[int, BeforeValidator(_no_bool)]
"""A whole number; true and false are not."""
Positive = Annotated[Number, Field(gt=0, allow_inf_nan=False)]
"""A finite number > 0."""


def date_text(value: Any) -> Any:
    """A date as text; raises ValueError for one that no calendar has, such as 2021-13-01."""
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, str) and (found := _DATE.match(value)):
        try:
            date(*(int(part) for part in found.groups()))
        except ValueError as error:
            raise ValueError(f"{value!r} is not a date ({error}); write 2021-01-31") from error
    return value
