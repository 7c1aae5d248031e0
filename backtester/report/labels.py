"""Text and numbers as a reader sees them: names made harmless, numbers with their units.

A name in a study is written by a person or copied from a file. Two sinks need two treatments:
HTML escapes (jinja's autoescape), whereas plotly *decodes* entities and renders pseudo-HTML, so
that escaping cannot help there and the characters that make markup are replaced instead.
"""

from __future__ import annotations

import math
import re
import unicodedata

LABEL = 28  # characters of a name in a legend or on an axis
MISSING = "–"

_LOOKALIKES = str.maketrans({"<": "‹", ">": "›"})
_ENTITY = re.compile(r"&(?=[#0-9A-Za-z]{2})")  # what might be one: "S&P" is not, "&lt" is


def clean_text(text: object, limit: int = 400) -> str:
    """`text` on one line, without control, format (bidi) or unpaired surrogate characters.

    Those characters are shown as a middle dot: a name that hides something shows that it does.
    """
    raw = str(text)[: 4 * limit]
    shown = "".join(
        "·" if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") else c for c in raw
    )
    return ellipsis(shown, limit)


def ellipsis(text: str, limit: int) -> str:
    """`text` itself, or its first ``limit − 1`` characters and an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def safe_label(text: object, limit: int = LABEL) -> str:
    """A name for plotly: no markup, no entity, no template, at most `limit` characters.

    ``%{`` would be read as a field of a hover template.
    """
    plain = _ENTITY.sub("+", clean_text(text, limit).translate(_LOOKALIKES))
    return plain.replace("%{", "%(")


def distinct_labels(names: tuple[str, ...], limit: int = LABEL) -> tuple[str, ...]:
    """Safe labels of `names` that differ where the names differ: numbered where cutting met."""
    labels: list[str] = []
    for name in names:
        label = safe_label(name, limit)
        number = 2
        while label in labels:
            suffix = f" ({number})"
            label = safe_label(name, limit - len(suffix)) + suffix
            number += 1
        labels.append(label)
    return tuple(labels)


def number(value: float, digits: int = 2, *, sign: bool = False) -> str:
    """A decimal with thousands separators, or a dash where it is not finite."""
    if not math.isfinite(value):
        return MISSING
    text = f"{value:+,.{digits}f}" if sign else f"{value:,.{digits}f}"
    if float(text.replace(",", "")) == 0.0:  # no "−0.00"
        text = f"{0.0:.{digits}f}"
    return text.replace("-", "−")


def percent(fraction: float, digits: int = 1, *, sign: bool = False) -> str:
    """A fraction in per cent, without the unit (which stands in the header)."""
    return number(100.0 * fraction, digits, sign=sign)


def money(value: float, *, sign: bool = False) -> str:
    """Money with as many decimals as its size deserves."""
    size = abs(value) if math.isfinite(value) else 0.0
    digits = 0 if size >= 1000 or size == 0 else 2 if size >= 1 else 4
    return number(value, digits, sign=sign)


def scientific(value: float) -> str:
    """A small difference such as 3.1e−12; zero is ``0``."""
    if not math.isfinite(value):
        return MISSING
    return "0" if value == 0 else f"{value:.1e}".replace("-", "−")


def count(value: int) -> str:
    """A whole number with thousands separators."""
    return f"{value:,d}"


def plural(value: int, noun: str, many: str | None = None) -> str:
    """``1 path``, ``2 paths``."""
    return f"{count(value)} {noun if value == 1 else many or noun + 's'}"


def sentence(parts: list[str]) -> str:
    """``a, b and c``."""
    if len(parts) < 2:
        return "".join(parts)
    return ", ".join(parts[:-1]) + " and " + parts[-1]
