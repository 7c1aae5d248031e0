"""A wheel and an editable install work from a foreign folder with `strategies/` of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
GROUPS = PROJECT["project"]["entry-points"]
STRATEGIES = GROUPS["backtester.strategies"]
SCENARIOS = GROUPS["backtester.scenarios"]

SURVEY = """
import json, sys
import backtester, backtester_scenarios, backtester_strategies
from backtester.plugins import available, load_strategy
print(json.dumps({
    "home": [m.__file__ for m in (backtester, backtester_strategies, backtester_scenarios)],
    "strategies": {p.name: p.error for p in available("strategies")},
    "scenarios": {p.name: p.error for p in available("scenarios")},
    "mine": load_strategy("strategies/mine.py").__name__,
    "naked": load_strategy("Naked").__module__,
    "decoys": sorted({"strategies", "scenarios"} & set(sys.modules)),
}))
"""

MINE = """
from backtester.strategy import Strategy

class Mine(Strategy):
    def decide(self, view, book, state):
        raise NotImplementedError
"""


@dataclass(frozen=True)
class Installed:
    """An environment of its own with the package in it."""

    folder: Path
    home: Path  # where the package's code lies

    def run(self, command: str, *arguments: str, cwd: Path) -> str:
        """Standard output of a program of the environment."""
        return shell([str(self.folder / "bin" / command), *arguments], cwd)


def shell(command: list[str], cwd: Path) -> str:
    """Standard output; fails with what the program said."""
    keep = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "PYTHON", "COV"))}
    plain = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "COLUMNS": "200", "NO_COLOR": "1"}
    run = subprocess.run(
        command, cwd=cwd, env={**keep, **plain}, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, f"{command}:\n{run.stdout}\n{run.stderr}"
    return run.stdout


def pip(python: Path, *arguments: str, cwd: Path) -> None:
    shell([sys.executable, "-m", "pip", "--python", str(python), *arguments], cwd)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what is built, so that nothing is left in the tree."""
    copy = tmp_path_factory.mktemp("source")
    skip = shutil.ignore_patterns("__pycache__", "*.nbi", "*.nbc")
    for name in ("backtester", "strategies", "scenarios"):
        shutil.copytree(ROOT / name, copy / name, ignore=skip)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy / name)
    return copy


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built wheel."""
    out = tmp_path_factory.mktemp("wheel")
    build = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(out), str(source)]
    shell([sys.executable, "-m", "pip", *build], out)
    (built,) = out.glob("*.whl")
    return built


def environment(folder: Path) -> Path:
    """A fresh environment that sees this one's libraries, after its own; its interpreter."""
    shell([sys.executable, "-m", "venv", "--without-pip", str(folder)], folder.parent)
    python = folder / "bin" / "python"
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = shell([str(python), "-c", ask], folder)
    libraries = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (Path(site.strip()) / "libraries.pth").write_text("\n".join(sorted(libraries)) + "\n")
    return python


@pytest.fixture(scope="module", params=["wheel", "editable"])
def installed(
    request: pytest.FixtureRequest, source: Path, tmp_path_factory: pytest.TempPathFactory
) -> Installed:
    """The package in an environment of its own, both ways."""
    folder = tmp_path_factory.mktemp(request.param) / "venv"
    folder.parent.mkdir(exist_ok=True)
    python = environment(folder)
    if request.param == "wheel":
        pip(python, "install", "--no-deps", str(request.getfixturevalue("wheel")), cwd=source)
        return Installed(folder, folder)
    pip(python, "install", "--no-deps", "--no-build-isolation", "-e", str(source), cwd=source)
    return Installed(folder, source)


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A user's folder whose `strategies` and `scenarios` must stay out of it, but for one file."""
    for name in ("strategies", "scenarios"):
        (tmp_path / name).mkdir()
        for file in ("__init__.py", "baselines.py", "cross_asset.py"):
            (tmp_path / name / file).write_text("raise RuntimeError('a decoy was imported')\n")
    (tmp_path / "strategies" / "mine.py").write_text(MINE)
    return tmp_path


def test_every_package_is_in_the_build() -> None:
    declared = set(PROJECT["tool"]["setuptools"]["packages"])
    present = {
        f"{package}.{path.parent.relative_to(ROOT / folder).as_posix()}".rstrip(".").replace(
            "/", "."
        )
        for package, folder in PROJECT["tool"]["setuptools"]["package-dir"].items()
        for path in (ROOT / folder).rglob("__init__.py")
    }
    assert declared == present, "correct [tool.setuptools] packages in pyproject.toml"


def test_wheel_holds_all_code_and_data(wheel: Path) -> None:
    mapping = PROJECT["tool"]["setuptools"]["package-dir"]
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())
    skip = {".pyc", ".nbi", ".nbc"}
    for package, folder in mapping.items():
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and path.suffix not in skip:
                name = f"{package}/{path.relative_to(ROOT / folder).as_posix()}"
                assert name in inside, f"{name} is missing: see package-data in pyproject.toml"
    top = {name.split("/")[0] for name in inside if ".dist-info" not in name}
    assert top == set(mapping)
    assert any(name.endswith("licenses/LICENSE") for name in inside)


def test_neither_hides_the_other(installed: Installed, foreign: Path) -> None:
    told = json.loads(installed.run("python", "-c", SURVEY, cwd=foreign))
    for file in told["home"]:
        assert Path(file).is_relative_to(installed.home)
    assert {name: told["strategies"].get(name, "missing") for name in STRATEGIES} == dict.fromkeys(
        STRATEGIES
    )
    assert {name: told["scenarios"].get(name, "missing") for name in SCENARIOS} == dict.fromkeys(
        SCENARIOS
    )
    assert told["mine"] == "Mine"
    assert told["naked"] == "backtester_strategies.baselines"
    assert not told["decoys"]


@pytest.mark.parametrize("command", [("backtester",), ("python", "-m", "backtester")])
def test_list_from_a_foreign_folder(
    installed: Installed, foreign: Path, command: tuple[str, ...]
) -> None:
    told = installed.run(command[0], *command[1:], "list", cwd=foreign)
    for name in (*STRATEGIES, *SCENARIOS):
        assert name in told
    assert "decoy" not in told
