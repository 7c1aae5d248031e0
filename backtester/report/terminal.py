"""Pieces of tables for the terminal. Names are `Text`, never markup: `[/foo]` is a name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from backtester.report.labels import clean_text

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.table import Table
    from rich.text import Text

NAME = 28  # characters of a name at 80 columns
LEAST = 16  # characters to which a name is folded before a table gives way to lines
WIDEST = 10_000


class Figures:
    """A table of figures by book; where its headings do not fit the terminal, a list of lines.

    Headings and figures are never cut; a name may be folded down to `LEAST` characters.
    """

    def __init__(self, title: str, name: str, headings: Sequence[str]) -> None:
        """A title above; the heading of the names, then one a figure, lines split by newlines."""
        self._title, self._name, self._headings = title, name, tuple(headings)
        self._rows: list[tuple[Text, tuple[str, ...], bool]] = []

    def section(self, title: str) -> None:
        """A row that heads those which follow."""
        self._rows.append((shown_name(title), (), False))

    def row(self, name: str, *figures: str, last: bool = False) -> None:
        """A book and its figures; last: of a section."""
        self._rows.append((shown_name(name), figures, last))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The table, or its lines."""
        table = self._table()
        wide = console.measure(table, options=options.update(max_width=WIDEST)).maximum
        longest = max((name.cell_len for name, *_ in self._rows), default=0)
        if wide - max(longest - LEAST, 0) <= options.max_width:
            yield table
        else:
            yield from self._lines()

    def _table(self) -> Table:
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(
            title=shown_text(self._title, 70),
            title_justify="left",
            title_style="bold",
            box=box.SIMPLE_HEAD,
            pad_edge=False,
            padding=(0, 1),
            highlight=False,
        )
        table.add_column(Text(self._name), overflow="fold")
        for heading in self._headings:
            table.add_column(Text(heading), justify="right", no_wrap=True)
        for name, figures, last in self._rows:
            style = None if figures else "bold"
            table.add_row(name, *figures, style=style, end_section=last)
        return table

    def _lines(self) -> Iterator[Text]:
        from rich.text import Text

        yield Text(str(shown_text(self._title, 70)), style="bold")
        for name, figures, _ in self._rows:
            if not figures:
                yield Text(str(name), style="bold")
                continue
            yield name
            for heading, figure in zip(self._headings, figures, strict=True):
                yield Text(f"  {' '.join(heading.split())}: {figure}")
        yield Text("")


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
