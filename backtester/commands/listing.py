"""`backtester list [strategies|scenarios|overlays]`."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from backtester.commands.console import NARROW, Debug, command, console, plain, say

if TYPE_CHECKING:
    from rich.table import Table

    from backtester.plugins import Group, Plugin


class What(StrEnum):
    """What to list."""

    STRATEGIES = "strategies"
    SCENARIOS = "scenarios"
    OVERLAYS = "overlays"


@command
def listing(
    what: Annotated[What | None, typer.Argument(help="All, unless one is named.")] = None,
    debug: Debug = False,
) -> None:
    """List installed strategies, scenarios and overlays, with where they come from."""
    from backtester.plugins import available

    for group in (what,) if what else tuple(What):
        if console().width >= NARROW:
            console().print(table(group.value))
            continue
        for plugin in available(group.value):
            say(f"{plugin.name}: {line(group.value, plugin)}")


def table(group: Group) -> Table:
    """Name, one line and origin of every plugin of `group`; a broken one shows its reason."""
    from backtester.plugins import available

    return table_of(group, [(plugin, line(group, plugin)) for plugin in available(group)])


def table_of(title: str, plugins: Iterable[tuple[Plugin, str]]) -> Table:
    """A table of plugins and what is said of each; names are text, never markup."""
    from rich.table import Table
    from rich.text import Text

    shown = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    shown.add_column("name", no_wrap=True, style="cyan")
    shown.add_column("what it does", ratio=1, overflow="fold")
    shown.add_column("from", overflow="fold")
    for plugin, said in plugins:
        text = Text(plain(said), style="red" if plugin.error else "")
        shown.add_row(Text(plain(plugin.name)), text, Text(plain(plugin.origin)))
    return shown


def line(group: Group, plugin: Plugin) -> str:
    """What a plugin does, or why it cannot be used."""
    return f"cannot be used: {plugin.error}" if plugin.error else describe(group, plugin)


def describe(group: Group, plugin: Plugin) -> str:
    """One line on a plugin: its docstring's first, or its file's description."""
    from pathlib import Path

    from backtester.plugins import find

    found = find(group, plugin.name)[1]
    if isinstance(found, Path):
        from backtester.yaml_files import read_mapping

        text = str(read_mapping(found, "scenario").get("description") or "")
    else:
        text = found.__doc__ or ""
    return (text.strip() or "no description").splitlines()[0]
