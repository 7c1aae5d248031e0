"""What the built-in overlays share: scales from the file beside them, and the day's scale."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np

from backtester.arrays import Float
from backtester.overlay import Overlay
from backtester.overlay_frame import Frame
from backtester.plausibility import Scale

SCALES = Path(__file__).with_name("scales.yaml")


class BuiltIn(Overlay):
    """An overlay whose default scales stand in ``scales.yaml``."""

    @classmethod
    def scales(cls) -> Mapping[str, Scale]:
        """Parameter → scale computed from the data named in it."""
        return default_scales().get(cls.__name__, {})


@lru_cache(maxsize=1)
def default_scales() -> dict[str, dict[str, Scale]]:
    """Overlay → parameter → scale; see docs/overlays.md for where they come from."""
    from backtester.yaml_files import read_mapping

    data = read_mapping(SCALES, "plausibility scales")
    return {
        overlay: {name: Scale.model_validate(scale) for name, scale in scales.items()}
        for overlay, scales in data["scales"].items()
    }


def day_length(frame: Frame) -> Float:
    """How large each bar is for all assets together, (T − 1, P), with mean square 1.

    The Mahalanobis length of the bar's returns over the root of the number of directions. Under a
    Student-t or another elliptical law it is the day's common scale times a χ_F / √F. Of the market
    before any overlay: those that move correlation do not move the day's scale.
    """
    if frame.length is not None:
        return frame.length
    moments, spots = frame.moments, range(len(frame.spots))
    returns, root = frame.base_returns, np.sqrt(frame.elapsed)
    shape = returns.shape[1:]
    standard = []
    for i in spots:
        spread = np.broadcast_to(frame.at(moments.volatility[:, :, i]), shape)
        centred = returns[i] - frame.at(moments.mean[:, :, i]) * frame.elapsed
        standard.append(np.divide(centred, spread * root, out=np.zeros(shape), where=spread > 0.0))
    total = np.zeros(shape)
    for k in spots:
        along = np.zeros(shape)
        for i in spots:
            along += frame.at(moments.whitening[:, :, k, i]) * standard[i]
        total += along * along
    frame.length = np.sqrt(total / frame.at(moments.rank))
    return frame.length


def noise(frame: Frame, purpose: str) -> Float:
    """Unit-variance noise (T − 1, P) that shares the day's scale and is uncorrelated with it all.

    f = length · √F · u, u one coordinate of a uniform unit vector in F dimensions. Where returns
    are √W L ε with normal ε, f has exactly the law of √W times a normal: tails and clusters of
    volatility are kept, and Cov(f, returns) = 0. [derived: |ε| u is normal for independent u]
    """
    size, length = len(frame.spots), day_length(frame)
    first = frame.normals(f"{purpose}.direction")
    if size == 1:
        return length * np.where(first < 0.0, -1.0, 1.0)
    rest = 2.0 * frame.gammas(f"{purpose}.length", (size - 1) / 2.0)
    return np.asarray(length * np.sqrt(float(size)) * first / np.sqrt(first * first + rest))


def replica(frame: Frame, purpose: str) -> list[Float]:
    """Another draw of every spot's standardised return on the same days, F arrays (T − 1, P).

    The market's correlation and the day's scale, in a direction independent of what happened:
    uncorrelated with all returns. [derived, as `noise`]
    """
    moments, spots, length = frame.moments, range(len(frame.spots)), day_length(frame)
    normal = frame.vectors(f"{purpose}.direction", len(frame.spots))
    square = np.zeros(length.shape)
    for k in spots:
        square += normal[k] * normal[k]
    size = length * np.sqrt(len(frame.spots) / square)
    result = []
    for i in spots:
        total = np.zeros(length.shape)
        for k in spots:
            total += frame.at(moments.root[:, :, i, k]) * normal[k]
        result.append(size * total)
    return result
