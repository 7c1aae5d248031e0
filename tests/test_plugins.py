"""Plugins are found by name, module or file; what cannot be used says why and harms nothing."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtester.errors import ConfigError, PluginError, StoreError
from backtester.plugins import available, find, load_scenario, load_strategy, safe_name, slug
from backtester.scaffold import new_strategy
from backtester.strategy import Strategy

MINE = """
from backtester.strategy import Strategy

class {name}(Strategy):
    def decide(self, view, book, state):
        raise NotImplementedError
"""

Write = Callable[[str, str], Path]
Register = Callable[..., None]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file into a folder of its own; its path."""

    def _write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    return _write


@pytest.fixture
def register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Register:
    """Install a distribution (metadata and one module) that registers plugins."""

    def _register(
        dist: str, entries: dict[str, str], module: str = "", group: str = "strategies"
    ) -> None:
        site = tmp_path / f"site-{dist}"
        info = site / f"{dist.replace('-', '_')}-2.5.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist}\nVersion: 2.5\n")
        lines = "\n".join(f"{name} = {value}" for name, value in entries.items())
        (info / "entry_points.txt").write_text(f"[backtester.{group}]\n{lines}\n")
        (site / f"{dist.replace('-', '_')}_code.py").write_text(textwrap.dedent(module))
        monkeypatch.syspath_prepend(str(site))

    return _register


def refused(reference: str, *words: str, scenario: bool = False) -> PluginError:
    """The error of a reference that cannot be used; it says `words`."""
    with pytest.raises(PluginError) as caught:
        (load_scenario if scenario else load_strategy)(reference)
    for word in words:
        assert word in str(caught.value), str(caught.value)
    assert caught.value.cure
    return caught.value


class TestNames:
    def test_built_ins_are_registered_and_work(self) -> None:
        listed = {p.name: p for p in available("strategies")}
        for name in ("Naked", "StaticHedge", "OneToOne", "RollingOLS", "DeltaNeutralOffset"):
            assert listed[name].error is None
            assert listed[name].origin.startswith("hedge-backtester ")
            assert issubclass(load_strategy(name), Strategy)

    def test_built_in_scenarios_are_registered_and_work(self) -> None:
        listed = {p.name: p for p in available("scenarios")}
        for name in ("normal", "crisis", "correlation_breakdown", "regime_switching"):
            assert listed[name].error is None
            assert load_scenario(name) is not None

    def test_unknown_name_has_advice(self) -> None:
        refused("Nakd", "'Nakd' is not registered", "Did you mean 'Naked'?")

    def test_unknown_name_points_at_a_file_here(
        self, write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        write("mine.py", MINE.format(name="Mine"))
        monkeypatch.chdir(tmp_path)
        refused("mine", "'./mine.py' selects it")

    def test_third_party_is_found_with_its_origin(self, register: Register) -> None:
        register("acme-hedges", {"Acme": "acme_hedges_code:Acme"}, MINE.format(name="Acme"))
        plugin, found = find("strategies", "Acme")
        assert plugin.origin == "acme-hedges 2.5"
        assert isinstance(found, type) and found.__name__ == "Acme"

    @pytest.mark.parametrize(
        ("dist", "code", "value", "words"),
        [
            ("raiser", "1 / 0", "raiser_code:A", "ZeroDivisionError"),
            ("quitter", "raise SystemExit(3)", "quitter_code:A", "SystemExit: 3"),
            ("lacking", "", "lacking_code:A", "has no attribute 'A'"),
            ("absent", "", "no_such_module_here:A", "No module named"),
            ("mistyped", "A = 3", "mistyped_code:A", "is not a class"),
            ("alien", "class A: pass", "alien_code:A", "does not derive from"),
            (
                "abstract",
                "from backtester.strategy import Strategy\nclass A(Strategy): pass",
                "abstract_code:A",
                "lacks decide",
            ),
        ],
    )
    def test_broken_plugin_is_listed_and_breaks_nothing(
        self, register: Register, dist: str, code: str, value: str, words: str
    ) -> None:
        register(dist, {"Broken": value}, code)
        listed = {p.name: p for p in available("strategies")}
        assert words in str(listed["Broken"].error)
        assert listed["Naked"].error is None
        assert issubclass(load_strategy("Naked"), Strategy)
        refused("Broken", words, f"{dist} 2.5")

    def test_same_name_twice_hides_neither(self, register: Register) -> None:
        register("rival", {"Naked": "rival_code:Naked"}, MINE.format(name="Naked"))
        refused("Naked", "hedge-backtester", "rival 2.5", "Select one as", "'rival_code:Naked'")
        both = [p for p in available("strategies") if p.name == "Naked"]
        assert len(both) == 2
        assert all("more than once" in str(p.error) for p in both)
        assert load_strategy("rival_code:Naked").__module__ == "rival_code"
        built_in = load_strategy("backtester_strategies.baselines:Naked")
        assert built_in.__module__ == "backtester_strategies.baselines"

    def test_registered_name_with_markup_is_refused(self, register: Register) -> None:
        register("hostile", {"<b>x": "hostile_code:X"}, MINE.format(name="X"))
        listed = {p.name: p for p in available("strategies")}
        assert "not a plain one" in str(listed["<b>x"].error)
        refused("<b>x", "cannot be selected", "'hostile_code:X'")

    @pytest.mark.parametrize("bad", ["", "a\x00b", "\x1b[31mNaked", "N\naked", "x" * 5000])
    def test_control_characters_are_escaped(self, bad: str) -> None:
        error = refused(bad, "is not a name, module:Class or file")
        assert str(error).isprintable()


class TestModules:
    def test_class_of_a_module(self) -> None:
        assert load_strategy("backtester_strategies.baselines:Naked").__name__ == "Naked"

    @pytest.mark.parametrize(
        ("reference", "words"),
        [
            ("no_such_package_here:A", "Install the package that holds it"),
            ("backtester_strategies.baselines:Nakd", "Did you mean 'Naked'?"),
            ("backtester.errors:Status", "does not derive from"),
            ("a b:C", "not of the form module:Class"),
            ("a:", "not of the form module:Class"),
            ("os:system('x')", "not of the form module:Class"),
        ],
    )
    def test_faults(self, reference: str, words: str) -> None:
        refused(reference, words)


class TestFiles:
    def test_single_class_needs_no_name(self, write: Write) -> None:
        path = write("strategies/mine.py", MINE.format(name="Mine"))
        plugin, found = find("strategies", str(path))
        assert isinstance(found, type) and found.__name__ == "Mine"
        assert plugin.origin.startswith("mine.py sha256:")

    def test_its_folder_stays_off_the_path_and_nothing_is_shadowed(self, write: Write) -> None:
        path = write("numpy.py", MINE.format(name="Mine"))
        before, numpy = list(sys.path), sys.modules["numpy"]
        load_strategy(str(path))
        assert sys.path == before
        assert sys.modules["numpy"] is numpy
        assert not list(path.parent.glob("__pycache__"))

    def test_same_content_is_one_class_and_an_edit_another(self, write: Write) -> None:
        path = write("mine.py", MINE.format(name="Mine"))
        first = load_strategy(str(path))
        assert load_strategy(f"{path}:Mine") is first
        write("mine.py", MINE.format(name="Mine") + "# edited\n")
        assert load_strategy(str(path)) is not first

    def test_several_classes_are_named(self, write: Write) -> None:
        path = write("two.py", MINE.format(name="One") + MINE.format(name="Two"))
        refused(str(path), "several strategy classes: One, Two", "two.py:One")
        assert load_strategy(f"{path}:Two").__name__ == "Two"
        refused(f"{path}:Twoo", "has no 'Twoo'", "Did you mean 'Two'")

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("", ["is empty", "new strategy"]),
            ("x = (1,\ny = 2\n", ["line 1", "not valid Python"]),
            ("x = 1\0", ["not valid Python"]),
            ("x = 1\n\n1 / 0\n", ["line 3", "ZeroDivisionError: division by zero"]),
            ("import sys\nsys.exit(2)\n", ["line 2", "SystemExit: 2"]),
            ("import no_such_thing\n", ["line 1", "Install 'no_such_thing'"]),
            ("import beside\n", ["line 1", "does not see its neighbours"]),
            ("x = 1\n", ["has no strategy class", "derives from"]),
            (
                "from backtester_strategies.baselines import Naked\n",
                ["has no strategy class"],
            ),
        ],
    )
    def test_faults_name_file_line_and_cure(
        self, write: Write, text: str, words: list[str]
    ) -> None:
        write("beside.py", "x = 1\n")
        path = write("bad.py", text)
        before = set(sys.modules)
        error = refused(str(path), "bad.py", *words)
        if "raised while" in error.what:  # half a module must not stay behind
            assert not [m for m in set(sys.modules) - before if m.startswith("_backtester_file_")]

    def test_not_a_file(self, write: Write, tmp_path: Path) -> None:
        path = write("mine.py", MINE.format(name="Mine"))
        refused(str(path.with_name("mien.py")), "does not exist", "Did you mean 'mine.py'?")
        refused(str(tmp_path / "no" / "mine.py"), "does not exist", "has no such file")
        (tmp_path / "folder.py").mkdir()
        refused(str(tmp_path / "folder.py"), "is a folder")
        refused("../../etc/passwd", "is not a Python file")
        refused("x" * 300 + ".py", "cannot be read")
        refused("./mine.yaml", "is not a Python file")
        write("large.py", "#" * (1 << 20) + "\n")
        refused(str(tmp_path / "large.py"), "at most 1 MiB")

    def test_interrupt_is_not_swallowed(self, write: Write) -> None:
        path = write("stop.py", "raise KeyboardInterrupt\n")
        with pytest.raises(KeyboardInterrupt):
            load_strategy(str(path))


class TestScenarios:
    def test_yaml_path_is_resolved(self, write: Write) -> None:
        path = write("mine.yaml", "generator: CorrelatedReturns\n")
        assert load_scenario(str(path)) == path.resolve()
        refused(str(path.with_name("my.yaml")), "does not exist", "mine.yaml", scenario=True)
        refused(str(write("empty.yml", "")), "is empty", scenario=True)

    def test_class_and_path_in_a_file(self, write: Write) -> None:
        write("data.yaml", "x: 1\n")
        path = write(
            "mine.py",
            """
            from pathlib import Path
            HERE = Path(__file__).with_name("data.yaml")
            GONE = Path(__file__).with_name("gone.yaml")
            class Flat:
                def draw(self): ...
            """,
        )
        assert getattr(load_scenario(str(path)), "__name__", "") == "Flat"
        assert load_scenario(f"{path}:HERE") == path.resolve().with_name("data.yaml")
        refused(f"{path}:GONE", "which is no file", scenario=True)
        refused(f"{path}:Path", "has no `draw`", scenario=True)

    def test_third_party_scenario(self, register: Register) -> None:
        module = "class Calm:\n    def draw(self): ...\nCALM = Calm()\n"
        register("weather", {"calm": "weather_code:CALM"}, module, group="scenarios")
        assert type(load_scenario("calm")).__name__ == "Calm"
        refused("clam", "Did you mean 'calm'", scenario=True)


class TestFileNames:
    @pytest.mark.parametrize(
        "bad",
        ["", ".", "..", "../x", "a/b", "CON", "nul.txt", "lpt1", "a\x00", "é", "x" * 81, "a."],
    )
    def test_unsafe_are_refused_with_a_safe_one(self, bad: str) -> None:
        with pytest.raises(PluginError, match="cannot be used as a file name"):
            safe_name(bad)
        assert safe_name(slug(bad)) == slug(bad) != bad

    def test_safe_stay(self) -> None:
        for name in ("a", "Cross_Asset-1.5", "x" * 80):
            assert safe_name(name) == name

    @given(st.text(), st.text())
    def test_slugs_are_safe_and_do_not_meet(self, one: str, other: str) -> None:
        assert safe_name(slug(one)) == slug(one)
        assert one == other or slug(one) != slug(other)


class TestScaffold:
    def test_new_strategy_loads_and_its_test_compiles(self, tmp_path: Path) -> None:
        path, test = new_strategy("TailHedge", tmp_path / "new" / "folder")
        assert (path.name, test.name) == ("tail_hedge.py", "test_tail_hedge.py")
        kind = load_strategy(str(path))
        assert kind.__name__ == "TailHedge"
        kind.configured({"halflife": 10})  # type: ignore[attr-defined]
        compile(test.read_text(encoding="utf-8"), str(test), "exec")

    @pytest.mark.parametrize(
        ("name", "title", "stem"),
        [
            ("tail_hedge", "TailHedge", "tail_hedge"),
            ("RollingOLS", "RollingOLS", "rolling_ols"),
            ("OLSHedge", "OLSHedge", "ols_hedge"),
            ("beta2", "Beta2", "beta2"),
        ],
    )
    def test_either_spelling(self, tmp_path: Path, name: str, title: str, stem: str) -> None:
        path, _ = new_strategy(name, tmp_path)
        assert path.stem == stem
        assert load_strategy(str(path)).__name__ == title

    @pytest.mark.parametrize("bad", ["", "../x", "a b", "1a", "é", "x" * 61, "a\x00", "_hidden"])
    def test_bad_name(self, tmp_path: Path, bad: str) -> None:
        with pytest.raises(ConfigError, match=r"not a plain identifier.*starting with a letter"):
            new_strategy(bad, tmp_path)
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize("bad", ["class", "Strategy", "CON", "none", "test_me"])
    def test_reserved_name(self, tmp_path: Path, bad: str) -> None:
        with pytest.raises(ConfigError, match="is reserved"):
            new_strategy(bad, tmp_path)
        assert not list(tmp_path.iterdir())

    def test_nothing_is_overwritten_or_half_written(self, tmp_path: Path) -> None:
        (tmp_path / "test_mine.py").write_text("keep")
        with pytest.raises(StoreError, match=r"test_mine\.py.*nothing is ever overwritten"):
            new_strategy("Mine", tmp_path)
        assert [p.name for p in tmp_path.iterdir()] == ["test_mine.py"]
        assert (tmp_path / "test_mine.py").read_text() == "keep"
        with pytest.raises(StoreError, match="cannot be written"):
            new_strategy("Mine", tmp_path / "test_mine.py")
