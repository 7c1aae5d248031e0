"""Pieces of tables for the terminal. Names are `Text`, never markup: `[/foo]` is a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backtester.report.labels import clean_text

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

NAME = 28  # characters of a name at 80 columns


def new_table(title: str) -> Table:
    """A plain table with its title on the left."""
    from rich import box
    from rich.table import Table

    return Table(
        title=shown_text(title, 70) if title else None,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1),
        highlight=False,
    )


def add_column(table: Table, title: str, *, left: bool = False, wrap: bool = False) -> None:
    """Add a column; numbers stand on the right."""
    from rich.text import Text

    table.add_column(
        Text(title),
        justify="left" if left else "right",
        no_wrap=not wrap,
        overflow="fold" if wrap else "ellipsis",
    )


def shown_name(name: str) -> Text:
    """A name at most `NAME` characters long."""
    return shown_text(name, NAME)


def shown_text(text: object, limit: int = 200) -> Text:
    """Text without markup."""
    from rich.text import Text

    return Text(clean_text(text, limit))


def shown_line(text: str) -> Text:
    """A line below a table."""
    return shown_text(text, 600)
