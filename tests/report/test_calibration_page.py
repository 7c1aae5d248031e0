"""The calibration page: as closed as the reports, complete, and safe with hostile names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backtester.calibration.fit_check import LAGS, TAILS, FitCheck
from backtester.report.calibration import calibration_html

from .hostile import HOSTILE
from .test_pages import (  # noqa: F401 - collected again, on this module's page
    outline,
    test_every_plot_has_data_words_and_a_table,
    test_makes_no_request,
    test_one_copy_of_plotly_and_small_otherwise,
    test_policy_allows_only_the_two_scripts,
    test_well_formed_and_ids_unique,
)

ESTIMATES = "regime  bars\nnormal  984 <b>"


def made(assets: tuple[str, ...] = ("ETH", "BTC", "SOL")) -> FitCheck:
    rng = np.random.default_rng(1)
    size, pairs = len(assets), len(assets) * (len(assets) - 1) // 2

    def band(*shape: int) -> np.ndarray:
        return np.sort(rng.random((*shape, 3)), axis=-1)

    return FitCheck(
        assets=assets,
        pairs=tuple((a, b) for i, a in enumerate(assets) for b in assets[i + 1 :]),
        times=np.arange(300) * 86_400_000_000_000,
        label=(np.arange(300) // 50 % 2).astype(np.int8),
        label_names=("normal", "crisis"),
        paths=40,
        quantile=np.sort(rng.random((size, 50)), axis=1),
        quantile_model=band(size, 50),
        squares=rng.random((size, LAGS)),
        squares_model=band(size, LAGS),
        rolling=rng.random((pairs, 241)),
        rolling_model=band(pairs),
        lower=rng.random((pairs, len(TAILS))),
        upper=rng.random((pairs, len(TAILS))),
        lower_model=band(pairs, len(TAILS)),
        upper_model=band(pairs, len(TAILS)),
    )


@pytest.fixture(scope="module")
def page() -> str:
    return calibration_html(made(), "mine", ESTIMATES)


def test_it_says_what_was_compared(page: str) -> None:
    text = " ".join(outline(page).text)
    for words in (
        "mine", "40 paths of as many bars", "1970-01-01 to 1970-10-27", "ETH/BTC", "Does it fit?",
        "outside the 5–95 % band", "of 3 pairs fall together more often", "984 <b>",
        "hedge-backtester",
    ):  # fmt: skip
        assert words in text, words


def test_the_same_check_gives_the_same_bytes(page: str) -> None:
    assert calibration_html(made(), "mine", ESTIMATES) == page


@pytest.mark.parametrize("batch", range(3))
def test_hostile_names_change_no_element(page: str, batch: int) -> None:
    def structure(html: str) -> list[tuple[str, tuple[str, ...]]]:
        return [(tag, tuple(attrs)) for tag, attrs in outline(html).tags]

    assets = HOSTILE[3 * batch : 3 * batch + 3]
    check = replace(made(tuple(assets)), label_names=("normal", HOSTILE[batch]))
    html = calibration_html(check, HOSTILE[batch], "\n".join(HOSTILE))
    assert structure(html) == structure(page)


def test_figures_are_plotly_s_own(page: str) -> None:
    import plotly.graph_objects as go

    from backtester.report import plots_calibration as plots

    for draw in (plots.quantiles, plots.squares, plots.tails):
        figure = draw(made(), "c-x")
        go.Figure(data=figure.traces, layout=figure.layout)
        assert figure.choice is not None
        for _, visible in figure.choice.options:
            assert len(visible) == len(figure.traces) and any(visible)
