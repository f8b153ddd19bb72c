"""Tables: fitted to a terminal for people, plain and wide for everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

NOTICE: Final = "Research use only, not for diagnosis."

_GAP: Final = "  "


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table to stdout; no cell is ever cut.

    On a terminal cells fold into several lines where the screen is narrow. Elsewhere each row is
    one line, however long, so that ``grep`` and ``awk`` can read it.
    """
    console = Console(highlight=False)
    if console.is_terminal:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            # Text, not markup: a file may be called [red].
            table.add_row(*(Text(_one_line(cell)) for cell in row))
        console.print(table)
        return
    for line in plain_lines(columns, rows):
        console.file.write(f"{line}\n")
    console.file.flush()


def plain_lines(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A header and the rows, each column as wide as its widest cell."""
    cells = [list(columns), *([_one_line(cell) for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(columns))]
    return [
        _GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


def _one_line(cell: str) -> str:
    """Without line breaks and control characters, which could forge a row or steer a terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in cell) or "-"
