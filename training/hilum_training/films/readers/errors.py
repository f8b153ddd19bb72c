"""What can be wrong with a folder of films, each with the place where it is wrong.

DatasetInvalid
├── LayoutUnknown    no reader of that name
├── FileMissing      a file or folder that the layout has is not there
├── ColumnMissing    a table lacks a column
├── RowUnreadable    a row of a table holds what the layout does not allow
└── NameUnreadable   a file's name does not say what names in this layout say
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class DatasetInvalid(RuntimeError):
    """A folder is not the data set that it is read as."""


class LayoutUnknown(DatasetInvalid):
    """There is no reader of that name."""

    def __init__(self, layout: str, known: Sequence[str]) -> None:
        super().__init__(f"no layout {layout!r}; there are {', '.join(known)}")
        self.layout = layout


class FileMissing(DatasetInvalid):
    """A file or folder that the layout has is not there."""

    def __init__(self, path: Path, why: str = "") -> None:
        super().__init__(f"{path} is missing{f': {why}' if why else ''}")
        self.path = path


class ColumnMissing(DatasetInvalid):
    """A table lacks a column."""

    def __init__(self, path: Path, column: str, found: Sequence[str]) -> None:
        super().__init__(f"{path} has no column {column!r}; it has {', '.join(found) or 'none'}")
        self.path = path
        self.column = column


class RowUnreadable(DatasetInvalid):
    """A row of a table holds what the layout does not allow.

    Attributes:
        line: Of the file, the header being line 1; 0 where the file has no lines.
    """

    def __init__(self, path: Path, line: int, why: str) -> None:
        super().__init__(f"{path}, line {line}: {why}" if line else f"{path}: {why}")
        self.path = path
        self.line = line


class NameUnreadable(DatasetInvalid):
    """A file's name does not say what names in this layout say."""

    def __init__(self, path: Path, expected: str) -> None:
        super().__init__(f"{path}: names in this layout read like {expected}")
        self.path = path
