"""Compile the kernels of the monitors and of the correlation CUSUM, for `backtester.warmup`."""

from __future__ import annotations

import numpy as np


def compile_monitors() -> None:
    """Run every kernel once on arrays as the monitors pass them."""
    from backtester.estimation.cusum import correlation_cusum
    from backtester.monitors.kernels import clipped_products, contrasts, surprise_scores

    z = np.ones((1, 2, 60))
    out = np.empty((3, 1, 1))
    contrasts(z, 10, 8, 0.25, 2.0, out[0], out[1], out[2])
    clipped_products(z[:, :, 0].copy(), 2.0, np.empty((1, 1, 4)))
    surprise_scores(z[:, :, 0].copy(), out[1], out[2])
    correlation_cusum(z[0], z[0])
