"""The tree's own laws: who may import whom, how long a file is, what a bare import loads."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "backtester"

# A module imports only what stands above it here; a package may import within itself.
LAYERS = re.findall(
    r"\w+",
    """
    arrays errors fields rng records kernel_cache compiled
    events clock yaml_core yaml_files progress executor
    instruments market estimation regimes
    costs accounting margin hedging execution
    guard monitors
    strategy scenario plausibility overlay_frame overlay plugin_files plugins scaffold
    overlay_files provenance scenario_data scenario_files
    setup engine
    folds metrics score study_errors study markets
    audit results store calibration walk_forward evidence comparison
    runner laws summary
    report
    api stresses demo warmup
    verify
    __init__ commands cli __main__
    """,
)

HEAVY = re.findall(
    r"\w+",
    "pandas cvxpy numba scipy vectorbt plotly arch sklearn pyarrow jinja2 matplotlib statsmodels",
)

LONGEST = 400


def python_files(*folders: str) -> list[Path]:
    """Our Python files in `folders`; never empty."""
    files = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    assert files, f"no Python files in {folders}"
    return files


def module_name(path: Path) -> str:
    """Dotted name of a file of the package."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def for_types_only(node: ast.AST) -> bool:
    """Whether `node` is `if TYPE_CHECKING:`, whose imports do not exist at run time."""
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def imports(path: Path) -> set[tuple[str, int]]:
    """(dotted name, line) of all that `path` imports, inside functions too.

    `from a import b` is reported as `a.b`: whether b is a module is for the caller to see.
    """
    found: set[tuple[str, int]] = set()
    package = module_name(path) if path.name == "__init__.py" else module_name(path.parent / "_")
    package = package.removesuffix("._")

    def visit(node: ast.AST) -> None:
        if for_types_only(node):
            assert isinstance(node, ast.If)
            for statement in node.orelse:
                visit(statement)
            return
        if isinstance(node, ast.Import):
            found.update((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parent = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parent, *([node.module] if node.module else [])])
            found.update((f"{base}.{alias.name}", node.lineno) for alias in node.names)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(path.read_text(encoding="utf-8"), str(path)))
    return found


def layer(name: str) -> str:
    """The entry of LAYERS a dotted name of ours belongs to."""
    parts = name.split(".")
    if len(parts) == 1:
        return "__init__"
    known = (PACKAGE / parts[1]).is_dir() or (PACKAGE / f"{parts[1]}.py").is_file()
    return parts[1] if known else "__init__"  # a public name of the package itself


def test_every_module_has_a_layer() -> None:
    present = {p.stem if p.is_file() else p.name for p in PACKAGE.iterdir() if p.name[0] != "."}
    present -= {"__pycache__", "py"}
    unknown = sorted(present - set(LAYERS))
    assert not unknown, f"add {unknown} to LAYERS in tests/test_architecture.py, where they belong"


def test_imports_go_upwards_in_the_list() -> None:
    rank = {name: i for i, name in enumerate(LAYERS)}
    wrong = []
    for path in python_files("backtester"):
        own = layer(module_name(path))
        for target, line in sorted(imports(path)):
            if target.split(".")[0] != "backtester" or target == "backtester.__version__":
                continue
            other = layer(target)
            if other != own and rank[other] > rank[own]:
                where = f"{path.relative_to(ROOT)}:{line}"
                wrong.append(f"{where} ({own}) imports {target}, which stands below it")
    assert not wrong, "\n".join(wrong)


def test_no_import_cycle() -> None:
    files = {module_name(path): path for path in python_files("backtester")}
    graph: dict[str, set[str]] = {}
    for name, path in files.items():
        targets = {target for target, _ in imports(path)}
        direct = {t if t in files else t.rpartition(".")[0] for t in targets}
        graph[name] = (direct & set(files)) - {name, "backtester"}
    done: set[str] = set()

    def walk(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, "cycle: " + " -> ".join((*trail[trail.index(name) :], name))
        if name in done:
            return
        for target in sorted(graph[name]):
            walk(target, (*trail, name))
        done.add(name)

    for name in sorted(graph):
        walk(name, ())


def test_package_never_imports_its_plugins() -> None:
    plugins = {"strategies", "scenarios", "backtester_strategies", "backtester_scenarios"}
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {target}"
        for path in python_files("backtester")
        for target, line in sorted(imports(path))
        if target.split(".")[0] in plugins
    ]
    assert not wrong, "only backtester.plugins loads plugins, by name:\n" + "\n".join(wrong)


def test_files_are_short() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in python_files("backtester", "strategies", "scenarios", "tests")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST
    }
    assert not long, f"files over {LONGEST} lines: {long}"


@pytest.mark.parametrize(
    "code",
    [
        "import backtester",
        "import backtester.plugins",
        "import backtester.cli as c; sys.argv = ['backtester', '--help']; c.main()",
    ],
    ids=["import", "plugins", "help"],
)
def test_heavy_libraries_load_where_they_are_used(code: str) -> None:
    """Told by what is loaded, never by a clock."""
    script = f"""
import sys
try:
    {code}
except SystemExit as stop:
    assert not stop.code, stop.code
print(*sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)
"""
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert run.returncode == 0, run.stderr
    assert not run.stderr.split(), f"{code!r} loads {run.stderr.split()}: import them where used"


def shipped_files() -> list[Path]:
    """Files under version control, or those that would be; all files of an unpacked archive."""
    ignored = {".git", ".venv", "results", "build", "dist"}
    if not (ROOT / ".git").exists():
        every = [p for p in ROOT.rglob("*") if p.is_file()]
        return [p for p in every if not ignored & set(p.relative_to(ROOT).parts)]
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    return [p for name in listed.decode().split("\0") if name and (p := ROOT / name).is_file()]


def test_no_file_knows_this_machine_or_an_index() -> None:
    # spelt in pieces, so that this file does not hold what it forbids
    machine = r"(?<![\w.~<>-])/(?:" + "|".join(("root", "work", "home", "opt")) + r")/\w"
    index = r"py" r"pi\.|python" r"hosted|\w/sim" r"ple/|index-u" r"rl[ =]\S*:"
    wrong = []
    for path in shipped_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:  # an image or a Parquet file
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if match := re.search(f"{machine}|{index}", line):
                wrong.append(f"{path.relative_to(ROOT)}:{number}: {match.group()}")
    assert not wrong, "\n".join(wrong)
