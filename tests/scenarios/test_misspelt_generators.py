"""A wrong key in a file of any generator: file, line, key and what was meant."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from backtester.errors import BacktesterError
from backtester.scenario_files import read_scenario

from .test_data_files import PROVENANCE
from .test_documented_generators import BLOCKS, data

COPULA = next(b for b in BLOCKS if "generator: CopulaGarch" in b)
BLOCK = next(b for b in BLOCKS if "generator: BlockBootstrap" in b)
REPLAY = next(b for b in BLOCKS if "generator: HistoricalReplay" in b)


@pytest.mark.parametrize(
    ("text", "old", "new", "words"),
    [
        (COPULA, "innovation_limit", "inovation_limit", "'inovation_limit'.*'innovation_limit'"),
        (
            COPULA,
            "alpha: 0.034",
            "alfa: 0.034",
            r"line 7: .*'margins\.ETH\.alfa'.*'alpha'",
        ),
        (COPULA, "degrees_of_freedom: 6.5", "dof: 6.5", r"unknown key 'regimes\.normal\.dof'"),
        (COPULA, "degrees_of_freedom: 6.5", "degrees_of_freedom: 2.0", "greater than 2"),
        (COPULA, "degrees_of_freedom: 6.5", "scale_limit: 6.0", "scale_limit"),
        (COPULA, "beta: 0.964", "beta: 0.97", r"alpha \+ beta = 1\.004"),
        (COPULA, "{default: 0.85}", "{default: 1.85}", r"outside \[-1, 1\]"),
        (COPULA, "  ETH: {alpha", "  ETC: {alpha", "unknown asset 'ETC'"),
        (BLOCK, "mean_block_days: 20.0", "mean_block_days: -1.0", "greater than 0"),
        (BLOCK, "columns:", "colums:", r"'history\.colums'.*'columns'"),
        (BLOCK, "drift: none", "drift: nil", "drift"),
        (BLOCK, "{crisis: 60.0}", "{crash: 60.0}", "'crash', which its history never visits"),
        (REPLAY, "step_bars: 7", "step_bars: 0", "step_bars"),
        (REPLAY, "starts: sequence", "starts: anywhere", "starts"),
        (REPLAY, "coins.csv", "coin.csv", "'coin.csv', which does not exist"),
        (REPLAY, "generator: HistoricalReplay", "generator: HistoricReplay", "HistoricalReplay"),
    ],
)
def test_wrong_key(tmp_path: Path, text: str, old: str, new: str, words: str) -> None:
    import yaml

    data(tmp_path)
    assert old in text
    file = tmp_path / "mine.yaml"
    whole = text.replace(old, new, 1) + yaml.safe_dump({"provenance": PROVENANCE})
    file.write_text(whole, encoding="utf-8")
    with pytest.raises(BacktesterError) as caught:
        read_scenario(file)
    said = f"{caught.value.what} {caught.value.cure}"
    assert "mine.yaml" in said and re.search(words, said), said
