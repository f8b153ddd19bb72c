"""Tables and prose: fitted to a terminal for people, plain for everything else."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Final

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

NOTICE: Final = "Research use only, not for diagnosis."

_GAP: Final = "  "
_PROSE_COLUMNS: Final = 100
_LONGEST_WORD: Final = 40
_JOB: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NARROWEST: Final = 12
"""Columns of text that a column keeps which folds beside columns that do not."""


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table to stdout; no cell is ever cut.

    On a terminal cells fold into several lines where the screen is narrow, those with ids, numbers
    and single words last. Elsewhere each row is one line, however long, so that ``grep`` and
    ``awk`` can read it.
    """
    console = Console(highlight=False)
    if console.is_terminal:
        whole = _whole_columns(columns, rows, console.width)
        table = Table(box=None, pad_edge=False, header_style="bold")
        for index, column in enumerate(columns):
            table.add_column(column, overflow="fold", no_wrap=index in whole)
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


def print_prose(text: str) -> None:
    """Print a sentence to stdout in at most 100 columns; words and ids stay whole."""
    for line in folded(text):
        click.echo(line)


def folded(text: str) -> list[str]:
    """Return the lines of a sentence, those after the first indented; no word is broken."""
    return textwrap.wrap(
        _one_line(text),
        _PROSE_COLUMNS,
        subsequent_indent=_GAP,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _whole_columns(
    columns: Sequence[str], rows: Sequence[Sequence[str]], width: int
) -> frozenset[int]:
    """The columns whose cells do not fold: those of ids and single words, where there is room."""
    cells = [[row[index] for row in rows] for index in range(len(columns))]
    widest = [max(map(len, (columns[index], *column))) for index, column in enumerate(cells)]
    ids = {index for index, column in enumerate(cells) if any(map(_JOB.fullmatch, column))}
    words = [
        index
        for index, column in enumerate(cells)
        if widest[index] <= _LONGEST_WORD and not any(" " in cell for cell in column)
    ]
    kept: set[int] = set()
    for index in sorted(words, key=lambda index: (index not in ids, widest[index])):
        whole = kept | {index}
        needed = sum(
            widest[one] if one in whole else min(widest[one], _NARROWEST)
            for one in range(len(columns))
        )
        if needed + len(_GAP) * len(columns) <= width:
            kept = whole
    return frozenset(kept)


def _one_line(cell: str) -> str:
    """Without line breaks and control characters, which could forge a row or steer a terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in cell) or "-"
