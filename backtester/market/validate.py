"""What a panel must satisfy; each failure names the asset, the time and the cure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from backtester.arrays import Float
from backtester.clock import iso
from backtester.errors import DataError

if TYPE_CHECKING:
    from backtester.market.panel import MarketPanel


def validate_panel(panel: MarketPanel) -> None:
    """Raise DataError for the first thing wrong with `panel`."""
    _shapes(panel)
    _names(panel)
    if panel.bars < 2:
        raise DataError(
            f"market {panel.name!r} has {panel.bars} stamp(s)",
            cure="A return needs at least two prices.",
        )
    late = np.flatnonzero(np.diff(panel.times) <= 0)
    if late.size:
        raise DataError(
            f"timestamps of market {panel.name!r} do not increase",
            when=iso(int(panel.times[late[0] + 1])),
            cure="Sort the index and drop duplicates before building the panel.",
        )
    _values(panel, "prices", panel.prices, positive=True)
    for item in ("half_spread", "depth", "volume", "funding"):
        values = getattr(panel, item)
        if values is not None:
            _values(panel, item, values, positive=None if item == "funding" else False)
    if panel.depth is not None and not (panel.depth > 0).all():
        _fail(panel, "depth", panel.depth, ~(panel.depth > 0), "is zero", "Depth must be positive.")
    if panel.regime is not None and not (
        (panel.regime >= 0).all() and (panel.regime < len(panel.regime_names)).all()
    ):
        raise DataError(
            f"market {panel.name!r} has regime codes outside its names {panel.regime_names}",
            cure="Codes index regime_names, from 0.",
        )
    if panel.tradable is not None and panel.tradable.dtype != np.bool_:
        raise DataError(
            f"tradable of market {panel.name!r} has type {panel.tradable.dtype}, expected bool",
            cure="True where orders fill at the stamp, False during an outage or a halt.",
        )
    _constant(panel)


def _shapes(panel: MarketPanel) -> None:
    bars, names = len(panel.times), len(panel.assets)
    if panel.prices.ndim != 3 or panel.prices.shape[0] != bars or panel.prices.shape[2] != names:
        raise DataError(
            f"prices of market {panel.name!r} have shape {panel.prices.shape}, "
            f"expected (times={bars}, paths, assets={names})",
            cure="Prices are time-major: (times, paths, assets).",
        )
    if panel.prices.shape[1] < 1:
        raise DataError(f"market {panel.name!r} has no paths", cure="Ask for at least one path.")
    for item in ("half_spread", "depth", "funding", "volume", "regime", "tradable"):
        values = getattr(panel, item)
        if values is None:
            continue
        want = (bars, panel.paths, names)[: values.ndim]
        shared = (bars, 1, names)[: values.ndim]
        if values.shape not in (want, shared):
            raise DataError(
                f"{item} of market {panel.name!r} has shape {values.shape}, expected {want}",
                cure="Axes are (times, paths, assets); one path may stand for all.",
            )


def _names(panel: MarketPanel) -> None:
    seen: set[str] = set()
    for asset in panel.assets:
        if not isinstance(asset, str) or not asset or not asset.isprintable() or len(asset) > 80:
            raise DataError(
                f"asset name {asset!r} of market {panel.name!r} cannot be used",
                cure="Use 1 to 80 printable characters.",
            )
        if asset in seen:
            raise DataError(
                f"market {panel.name!r} has two columns called {asset!r}",
                cure="Rename or drop one of them.",
            )
        seen.add(asset)


def _values(panel: MarketPanel, item: str, values: Float, positive: bool | None) -> None:
    _fail(panel, item, values, np.isnan(values), "is missing (NaN)", _MISSING)
    _fail(panel, item, values, np.isinf(values), "is infinite", "Correct or drop the stamp.")
    if positive is None:
        return
    _fail(panel, item, values, values < 0, "is negative", _NEGATIVE if positive else "Use ≥ 0.")
    if positive:
        _fail(panel, item, values, values == 0, "is zero", _NEGATIVE)


_MISSING = (
    'Repair it before, or build the panel with missing="drop" (common stamps) or "hold:N" (hold '
    "the last price for at most N stamps)."
)
_NEGATIVE = "Returns need positive prices; cut the history or correct the value."


def _fail(
    panel: MarketPanel, item: str, values: Float, bad: np.ndarray, what: str, cure: str
) -> None:
    if not bad.any():
        return
    t, p, n = (int(i) for i in np.argwhere(bad)[0])
    where = f" on path {p}" if panel.paths > 1 else ""
    more = int(bad.sum()) - 1
    also = f" ({more} more such values)" if more else ""
    label = "price" if item == "prices" else item.replace("_", " ")
    raise DataError(
        f"{label} of {panel.assets[n]!r} in market {panel.name!r}{where} {what}{also}",
        when=iso(int(panel.times[t])),
        cure=cure,
    )


def _constant(panel: MarketPanel) -> None:
    still = (panel.prices == panel.prices[:1]).all(axis=0)
    if still.any() and panel.bars > 2:
        p, n = (int(i) for i in np.argwhere(still)[0])
        raise DataError(
            f"price of {panel.assets[n]!r} in market {panel.name!r} never changes (path {p})",
            when=iso(int(panel.times[0])),
            cure="A constant price has no correlation with anything; drop the column.",
        )
