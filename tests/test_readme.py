"""The README does what it says: its files are written, its commands and code run as printed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BESIDE = {"comparisons.parquet", "sharpe.parquet", "stability.parquet"}
REPORTS = {"report.html", "scorecard.json", "scorecard.parquet", "study.yaml", "manifest.json"}


@dataclass(frozen=True)
class Block:
    """One fenced block, in the order printed."""

    language: str
    title: str
    text: str


BLOCKS = [Block(*found.groups(default="")) for found in FENCE.finditer(README)]


def run(command: list[str], folder: Path) -> str:
    """Standard output of a command that must succeed."""
    scripts = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def commands(block: Block) -> list[str]:
    """Command lines without their comments."""
    lines = (line.partition("#")[0].strip() for line in block.text.splitlines())
    return [line for line in lines if line]


def test_every_block_is_understood() -> None:
    assert README.count("```") == 2 * len(BLOCKS)
    assert {b.language for b in BLOCKS} == {"bash", "python", "yaml", "text"}
    for block in BLOCKS:
        assert block.title or block.language in ("bash", "text"), block.text[:60]


def test_set_up_names_targets_that_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (block,) = (b for b in BLOCKS if b.title == "set-up")
    for line in commands(block):
        program, target = line.split()
        assert program == "make"
        assert re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE), target
    for target in re.findall(r"`make ([a-z-]+)`", README):
        assert re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE), target


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).is_file(), target
    for target in re.findall(r"`((?:docs|tests|backtester)/[\w./-]+)`", README):
        assert (ROOT / target).exists(), target


def test_what_the_readme_prints_runs(tmp_path: Path) -> None:
    """In a foreign folder, top to bottom, exactly as printed."""
    said: dict[str, str] = {}
    for block in BLOCKS:
        if block.title == "set-up" or block.language == "text":
            continue
        if block.title:
            (tmp_path / block.title).write_text(block.text, encoding="utf-8")
        if block.language == "bash":
            for line in commands(block):
                said[line] = run(line.split(), tmp_path)
        elif block.title == "notebook.py":
            said[block.title] = run([sys.executable, block.title], tmp_path)
    assert "every law holds" in said["backtester check my_hedge.py"]
    for market in ("regime_switching", "correlation_breakdown"):
        assert market in said["backtester compare study.yaml"]
    assert "my_hedge" in said["backtester stress study.yaml"]
    folders = sorted((tmp_path / "results").iterdir(), key=lambda f: len(list(f.iterdir())))
    assert [{f.name for f in folder.iterdir()} for folder in folders] == [
        REPORTS | {".written", "stress.json"},
        REPORTS | {".written"} | BESIDE,
    ], "the notebook's studies are the commands': same digests, same folders"
    for folder in folders:
        assert folder.name in "".join(said.values()).replace("\n", "")
    audited = re.search(r"audit: (\S+) of capital", said["notebook.py"])
    assert audited is not None and float(audited[1]) <= 1e-9


@pytest.mark.parametrize("name", ["my_hedge.py", "study.yaml", "notebook.py"])
def test_each_file_is_printed_once(name: str) -> None:
    assert [b.title for b in BLOCKS].count(name) == 1
