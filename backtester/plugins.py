"""Find strategies and scenarios: by entry-point name, as `module:Class`, or in a local file.

Nothing is found by folder name, so a `strategies/` folder of the user's own can neither hide the
built-ins nor be hidden by them. A plugin is code that runs with the user's rights: loading one is
always the user's explicit choice, and its origin (distribution and version, or file and digest) is
kept beside it.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from backtester.errors import PluginError, did_you_mean
from backtester.plugin_files import load_module, read_source

Group = Literal["strategies", "scenarios", "overlays"]

_KIND: dict[Group, str] = {"strategies": "strategy", "scenarios": "scenario", "overlays": "overlay"}
_RESERVED = {"con", "prn", "aux", "nul"} | {f"{d}{n}" for d in ("com", "lpt") for n in range(1, 10)}
_SAFE = re.compile(r"[A-Za-z0-9_.-]{1,80}")


@dataclass(frozen=True)
class Plugin:
    """A registered or given plugin; `error` says why it cannot be used, None if it can."""

    name: str
    value: str
    origin: str
    error: str | None = None


def load_strategy(reference: str) -> type:
    """The strategy class `reference` names; PluginError where there is none.

    Parameters
    ----------
    reference: a registered name, `module:Class`, `path/to/file.py` or `path/to/file.py:Class`.
    """
    found = find("strategies", reference)[1]
    assert isinstance(found, type)
    return found


def load_scenario(reference: str) -> object:
    """What `reference` names: the Path of a YAML file, a scenario object or a scenario class.

    Parameters
    ----------
    reference: as for a strategy, or `path/to/file.yaml`.
    """
    return find("scenarios", reference)[1]


def load_overlay(reference: str) -> type:
    """The overlay class `reference` names: a registered name or `module:Class`."""
    found = find("overlays", reference)[1]
    assert isinstance(found, type)
    return found


def available(group: Group) -> tuple[Plugin, ...]:
    """All registered plugins of `group` by name; one that cannot be used carries its reason."""
    entries = _entries(group)
    count = Counter(entry.name for entry in entries)
    plugins = []
    for entry in entries:
        error = _refusal(entry.name)
        if error is None and count[entry.name] > 1:
            error = "the name is registered more than once; select this one as " + repr(entry.value)
        if error is None:
            try:
                _load(group, entry)
            except PluginError as failure:
                error = f"{failure.what}. {failure.cure}"
        plugins.append(Plugin(shown(entry.name), shown(entry.value), _origin(entry), error))
    return tuple(sorted(plugins, key=lambda p: (p.name, p.origin, p.value)))


def find(group: Group, reference: str) -> tuple[Plugin, object]:
    """The plugin `reference` names, with its origin, and the loaded object."""
    kind = _KIND[group]
    if not reference or not reference.isprintable() or len(reference) > 4096:
        raise PluginError(
            f"{kind} {shown(reference)} is not a name, module:Class or file",
            cure="Give printable text such as 'Naked' or './mine.py:Mine'.",
        )
    path, attribute = _split_file(reference)
    if path is not None:
        return _from_file(group, reference, path, attribute)
    if ":" in reference:
        return _from_module(group, reference)
    return _from_name(group, reference)


def shown(text: str) -> str:
    """`text` fit for a one-line message: control characters escaped, at most 120 characters."""
    escaped = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    return escaped if len(escaped) <= 120 else escaped[:117] + "..."


def safe_name(text: str) -> str:
    """`text` itself if it can be a file name on every system; else PluginError with a slug."""
    if slug(text) != text:
        raise PluginError(
            f"name {shown(text)!r} cannot be used as a file name",
            cure=f"Use letters, digits, '_', '-' and '.', at most 80: for example {slug(text)!r}.",
        )
    return text


def slug(text: str) -> str:
    """A file name for any `text`: itself where safe, else a readable part and a digest of it.

    The digest keeps two different texts from meeting in one file.
    """
    if _SAFE.fullmatch(text) and _plain(text):
        return text
    readable = re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-")[:60] or "name"
    return f"{readable}-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def _plain(text: str) -> bool:
    """Not hidden, not a path step, not a device name (which Windows sees before the first dot)."""
    return text[0] not in ".-" and text[-1] != "." and text.split(".")[0].lower() not in _RESERVED


def _refusal(name: str) -> str | None:
    if slug(name) == name:
        return None
    return "the registered name is not a plain one (letters, digits, '_', '-', '.')"


def _entries(group: Group) -> list[metadata.EntryPoint]:
    """Entry points, without exact repeats (one distribution seen in two folders of the path)."""
    unique: dict[tuple[str, str], metadata.EntryPoint] = {}
    for entry in metadata.entry_points(group=f"backtester.{group}"):
        unique.setdefault((entry.name, entry.value), entry)
    return list(unique.values())


def _origin(entry: metadata.EntryPoint) -> str:
    if entry.dist is None:
        return "unknown distribution"
    return shown(f"{entry.dist.name} {entry.dist.version}")


def _from_name(group: Group, name: str) -> tuple[Plugin, object]:
    kind, entries = _KIND[group], _entries(group)
    match = [entry for entry in entries if entry.name == name]
    if not match:
        stray = Path(f"{name}.py")
        file = f" There is a file {shown(stray.name)!r} here: './{shown(stray.name)}' selects it."
        raise PluginError(
            f"{kind} {shown(name)!r} is not registered",
            cure=did_you_mean(name, {shown(e.name) for e in entries if _refusal(e.name) is None})
            + (file if _safe_exists(stray) else ""),
        )
    if refusal := _refusal(name):
        raise PluginError(
            f"{kind} {shown(name)!r} cannot be selected: {refusal}",
            cure=f"Select it as {shown(match[0].value)!r} and tell its author.",
        )
    if len(match) > 1:
        owners = " and ".join(f"{_origin(e)} ({shown(e.value)})" for e in match)
        choices = " or ".join(repr(shown(e.value)) for e in match)
        raise PluginError(
            f"{kind} {name!r} is registered by {owners}",
            cure=f"Select one as {choices}, or uninstall the other.",
        )
    entry = match[0]
    return Plugin(name, entry.value, _origin(entry)), _load(group, entry)


def _load(group: Group, entry: metadata.EntryPoint) -> object:
    """What an entry point names, checked; PluginError for whatever goes wrong in it."""
    kind = _KIND[group]
    title = f"{kind} {shown(entry.name)!r} of {_origin(entry)}"
    try:
        found: object = entry.load()
    except (Exception, SystemExit) as error:  # code of a third party may raise anything
        raise PluginError(
            f"{title} cannot be loaded from {shown(entry.value)!r}: {_reason(error)}",
            cure="Reinstall or update that package; the other plugins are not affected.",
        ) from error
    return _checked(group, found, title)


def _from_module(group: Group, reference: str) -> tuple[Plugin, object]:
    kind = _KIND[group]
    name, _, attribute = reference.partition(":")
    if not all(part.isidentifier() for part in (*name.split("."), *attribute.split("."))):
        raise PluginError(
            f"{kind} {shown(reference)!r} is not of the form module:Class",
            cure="For example 'package.module:Class', or a file: './mine.py:Mine'.",
        )
    try:
        module = importlib.import_module(name)
    except (Exception, SystemExit) as error:
        missing = isinstance(error, ModuleNotFoundError) and f"{name}.".startswith(f"{error.name}.")
        cure = (
            "Install the package that holds it, or give the file: './mine.py:Mine'."
            if missing
            else "Mend the module: it must import without an error."
        )
        raise PluginError(
            f"module {name!r} of {kind} {reference!r} cannot be imported: {_reason(error)}",
            cure=cure,
        ) from error
    found: object = module
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise PluginError(
                f"module {name!r} has no {attribute!r}",
                cure=did_you_mean(attribute, _candidates(group, module) or _public(module)),
            )
        found = getattr(found, part)
    file = getattr(module, "__file__", None)
    origin = f"module {name}" if file is None else _file_origin(Path(file))
    return Plugin(attribute, reference, origin), _checked(group, found, f"{kind} {reference!r}")


def _split_file(reference: str) -> tuple[Path | None, str | None]:
    """(file, class) of a reference to a file; (None, None) for a name or a module."""
    head, colon, tail = reference.rpartition(":")
    if colon and head.lower().endswith(".py"):
        return Path(head), tail
    is_file = reference.lower().endswith((".py", ".yaml", ".yml")) or re.search(r"[/\\]", reference)
    return (Path(reference), None) if is_file else (None, None)


def _from_file(
    group: Group, reference: str, path: Path, attribute: str | None
) -> tuple[Plugin, object]:
    kind = _KIND[group]
    try:  # '~nobody' has no home, '~' none on a bare system
        path = path.expanduser()
    except RuntimeError as error:
        raise PluginError(
            f"{kind} file {shown(str(path))!r}: {error}", cure="Spell the folder out."
        ) from error
    suffix = path.suffix.lower()
    if suffix in (".yaml", ".yml") and group == "scenarios":
        read_source(path, kind)
        return Plugin(path.stem, reference, _file_origin(path)), path.resolve()
    if suffix != ".py":
        raise PluginError(
            f"{kind} file {shown(str(path))!r} is not a Python file",
            cure="Give a file that ends in .py" + (" or .yaml." if group == "scenarios" else "."),
        )
    module = load_module(path, kind)
    classes = _candidates(group, module)
    where = f"file {shown(str(path))!r}"
    if attribute is None:
        if not classes:
            raise PluginError(f"{where} has no {kind} class", cure=_WANTED[group])
        if len(classes) > 1:
            raise PluginError(
                f"{where} has several {kind} classes: {', '.join(sorted(classes))}",
                cure=f"Name one: {f'{path}:{min(classes)}'!r}.",
            )
        attribute = next(iter(classes))
    elif attribute not in vars(module):
        raise PluginError(
            f"{where} has no {shown(attribute)!r}", cure=did_you_mean(attribute, classes)
        )
    found = _checked(group, vars(module)[attribute], f"{attribute!r} in {where}")
    return Plugin(attribute, reference, _file_origin(path)), found


_WANTED: dict[Group, str] = {
    "strategies": "Write a class that derives from backtester.strategy.Strategy and has `decide`.",
    "scenarios": "Write a class with `name`, `assets` and `draw`, or name the Path of a YAML file.",
    "overlays": "Write a class that derives from backtester.overlay.Overlay and has `_shape`.",
}


def _candidates(group: Group, module: object) -> dict[str, type]:
    """The usable public classes a module itself defines (not those it imports)."""
    own = getattr(module, "__name__", None)
    classes = {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == own and not name.startswith("_")
    }
    return {name: value for name, value in classes.items() if _wrong(group, value) is None}


def _public(module: object) -> Iterable[str]:
    return [name for name in vars(module) if not name.startswith("_")]


def _wrong(group: Group, found: object) -> str | None:
    """Why `found` is not a plugin of `group`; None if it is one."""
    if group == "scenarios":
        if isinstance(found, Path):
            return None if found.is_file() else f"points at {shown(str(found))!r}, which is no file"
        return None if callable(getattr(found, "draw", None)) else "has no `draw`"
    wanted = _base(group)
    if not isinstance(found, type):
        return "is not a class"
    if not issubclass(found, wanted):
        return f"does not derive from {wanted.__module__}.{wanted.__name__}"
    if inspect.isabstract(found):
        return "lacks " + ", ".join(sorted(getattr(found, "__abstractmethods__", ())))
    return None


def _base(group: Group) -> type:
    """The class a plugin of `group` derives from; heavier imports than this module's own."""
    if group == "strategies":
        from backtester.strategy import Strategy

        return Strategy
    from backtester.overlay import Overlay

    return Overlay


def _checked(group: Group, found: object, title: str) -> object:
    if (fault := _wrong(group, found)) is not None:
        raise PluginError(f"{title} {fault}", cure=_WANTED[group])
    return found


def _reason(error: BaseException) -> str:
    return shown(f"{type(error).__name__}: {error}")


def _file_origin(path: Path) -> str:
    return shown(f"{path.name} sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}")


def _safe_exists(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name too long to be a file
        return False
