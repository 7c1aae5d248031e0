"""The pages of `docs/` name what exists: every key of a study, every module, every link."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

import backtester as bt
from backtester.costs.model import CostConfig
from backtester.errors import Status
from backtester.folds import WalkForward
from backtester.study import (
    ExposureSpec,
    HistorySpec,
    LimitSpec,
    MarketSpec,
    StrategySpec,
    StressSpec,
    Study,
)
from backtester.yaml_files import parse_mapping

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = (
    "index",
    "monitors",
    "architecture",
    "engine",
    "hedging",
    "studies",
    "assumptions",
    "notebook",
)
SECTIONS: dict[str, type[BaseModel]] = {
    "The study": Study,
    "exposure": ExposureSpec,
    "markets": MarketSpec,
    "history": HistorySpec,
    "strategies": StrategySpec,
    "costs": CostConfig,
    "limits": LimitSpec,
    "stress": StressSpec,
    "walk_forward": WalkForward,
}


def page(name: str) -> str:
    """Text of a page."""
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """A section of the page on studies."""
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", page("studies"), re.M | re.S)
    assert found is not None, title
    return found[1]


@pytest.mark.parametrize("title", SECTIONS)
def test_every_key_of_a_study_is_documented(title: str) -> None:
    text = section(title)
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("|")]
    named = set(re.findall(r"`(\w+)`", "".join(rows)))
    assert named == set(SECTIONS[title].model_fields)


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page(name)):
        assert (DOCS / target).exists(), f"{name}.md: {target}"
    for target in re.findall(r"`((?:docs|tests|scenarios|strategies)/[\w./-]+)`", page(name)):
        assert (ROOT / target).exists(), f"{name}.md: {target}"


@pytest.mark.parametrize("number", range(4))
def test_the_yaml_of_the_page_on_studies_is_a_study(number: int) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", page("studies"), re.S)
    assert len(blocks) == 4
    data = parse_mapping(blocks[number], "study", "studies.md")
    base = parse_mapping(blocks[0], "study", "studies.md")
    if number == 2:  # the same strategy in three forms; the first two share a label
        specs = data["strategies"]
        forms = [Study.of({**base, "strategies": [spec]}).strategies[0] for spec in specs]
        assert len({form.use for form in forms}) == 1
        assert forms[1].parameters == forms[2].parameters == {"halflife": 20}
        return
    assert Study.of({**base, **data}).markets


def test_every_module_is_on_the_map() -> None:
    present = {p.stem for p in (ROOT / "backtester").iterdir() if p.suffix == ".py" or p.is_dir()}
    minor = {"__init__", "__main__", "__pycache__"}
    minor |= {"guard", "summary", "scaffold", "plugin_files", "scenario_files"}
    table = page("architecture").split("## Modules")[1]
    named = set(re.findall(r"`(\w+)/?`", table))
    assert present - minor <= named, sorted(present - minor - named)


def test_every_status_is_explained() -> None:
    for status in Status:
        assert f"`{status.name}`" in page("hedging"), status


def test_every_argument_of_run_is_on_the_page() -> None:
    import inspect

    for name in inspect.signature(bt.run).parameters:
        assert f"| `{name}` |" in page("notebook"), name
