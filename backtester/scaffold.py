"""`backtester new strategy NAME`: a small working strategy and its test."""

from __future__ import annotations

import keyword
import re
from pathlib import Path
from string import Template

from backtester.errors import ConfigError, StoreError
from backtester.plugins import shown, slug

_STRATEGY = Template('''\
"""$name: a minimum-variance hedge with an exponentially weighted covariance.

With `r` the returns of one bar of `d` days and `w = 0.5 ** (d / halflife)`, the covariance per day

    S <- w S + (1 - w) r r' / d        (RiskMetrics Technical Document, 1996, section 5.2)

is kept on every path, and the engine chooses the hedge that minimises the variance of exposure and
hedge together, net of what trading costs.
"""

from __future__ import annotations

import numpy as np
from backtester import Book, Days, HedgeDecision, MarketInfo, MarketView, Quadratic, Strategy
from backtester.arrays import Float


class $name(Strategy[Float]):
    """Hedge with `hedge_with` (None: all that the study allows).

    Parameters
    ----------
    hedge_with: names of the hedge instruments.
    halflife: days after which an observation counts half.
    """

    hedge_with: tuple[str, ...] | None = None
    halflife: Days = 30.0

    @property
    def warmup(self) -> float:
        """Days before the first decision: one half-life."""
        return self.halflife

    def init(self, market: MarketInfo) -> Float:
        """No covariance yet: zeros (paths, assets, assets)."""
        assets = len(market.assets)
        return np.zeros((market.paths, assets, assets))

    def observe(self, view: MarketView, state: Float) -> Float:
        """The covariance after this bar, on every path."""
        if view.elapsed == 0:  # the first event has no return
            return state
        returns = view.returns()
        weight = 0.5 ** (view.elapsed / self.halflife)
        fresh = returns[:, :, None] * returns[:, None, :] / view.elapsed
        return weight * state + (1.0 - weight) * fresh

    def decide(self, view: MarketView, book: Book, state: Float) -> HedgeDecision:
        """Minimise the variance of the whole book."""
        return HedgeDecision(
            exposure=book.exposure, risk=Quadratic(state), instruments=self.hedge_with
        )
''')

_TEST = Template('''\
"""$name keeps the laws of a strategy: causality, determinism, shapes, no state between runs."""

from __future__ import annotations

from pathlib import Path

from backtester.laws import check_strategy


def test_${stem}_keeps_the_laws() -> None:
    """The report says in words what failed, when and why."""
    report = check_strategy(str(Path(__file__).with_name("$stem.py")))
    assert report.ok, report.text()
''')


def new_strategy(name: str, folder: Path) -> tuple[Path, Path]:
    """Write `<folder>/<name>.py` and `<folder>/test_<name>.py`; the two paths.

    Parameters
    ----------
    name: of the class, in either spelling: `TailHedge` or `tail_hedge`.
    folder: where to write; made if it does not exist.

    Raises ConfigError for a name that is no identifier and StoreError where a file exists or
    cannot be written. Nothing is overwritten and nothing half-written is left behind.
    """
    title, stem = _names(name)
    texts = {
        folder / f"{stem}.py": _STRATEGY.substitute(name=title),
        folder / f"test_{stem}.py": _TEST.substitute(name=title, stem=stem),
    }
    written: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            with path.open("x", encoding="utf-8", newline="\n") as file:
                written.append(path)
                file.write(text)
    except OSError as error:
        for path in written:
            path.unlink(missing_ok=True)
        exists = isinstance(error, FileExistsError)
        where = shown(str(error.filename or folder))
        raise StoreError(
            f"strategy {title}: {where!r} cannot be written: {error.strerror}",
            cure="Choose another name or folder; nothing is ever overwritten."
            if exists
            else "Choose a folder you may write to.",
        ) from error
    strategy, test = texts
    return strategy, test


def _names(name: str) -> tuple[str, str]:
    """Class name and file stem; raises ConfigError."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,59}", name):
        raise ConfigError(
            f"strategy name {shown(name)!r} is not a plain identifier",
            cure="Use letters, digits and '_', starting with a letter, at most 60: 'TailHedge'.",
        )
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    stem = re.sub(r"_+", "_", spaced).strip("_").lower()
    title = name if "_" not in name and name[0].isupper() else stem.title().replace("_", "")
    taken = keyword.iskeyword(stem) or keyword.iskeyword(title) or title == "Strategy"
    if taken or slug(stem) != stem or stem.startswith("test_"):
        raise ConfigError(
            f"strategy name {name!r} is reserved",
            cure=f"Add a word that says what it does: '{title}Hedge'.",
        )
    return title, stem
