"""Tables of data sets: CSV with the columns that a layout promises, COCO annotations."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hilum_training.films.readers.errors import ColumnMissing, FileMissing, RowUnreadable
from hilum_training.films.readers.record import Box

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: values by column, stripped; an absent optional column reads as empty."""

    path: Path
    line: int
    values: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.values.get(column, "")

    def unreadable(self, why: str) -> RowUnreadable:
        """The error that names this row."""
        return RowUnreadable(self.path, self.line, why)


def read_table(path: Path, columns: Sequence[str]) -> tuple[Row, ...]:
    """Rows of a CSV file.

    Names of columns are matched without regard to case and outer blanks, since releases of the same
    data set differ in them; rows carry them in lower case.

    Args:
        path: UTF-8, with or without a byte order mark.
        columns: The ones that must be there, in lower case.

    Raises:
        FileMissing: There is no such file.
        ColumnMissing: A column is not there.
        RowUnreadable: The file is not text in UTF-8, or a row has more values than columns.
    """
    if not path.is_file():
        raise FileMissing(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            return tuple(_rows(path, csv.reader(stream), columns))
    except (UnicodeDecodeError, csv.Error) as error:
        raise RowUnreadable(path, 0, f"no CSV in UTF-8: {error}") from error


def _rows(path: Path, reader: Any, columns: Sequence[str]) -> Iterator[Row]:
    header = [name.strip().lower() for name in next(reader, [])]
    for column in columns:
        if column not in header:
            raise ColumnMissing(path, column, header)
    for values in reader:
        if not any(value.strip() for value in values):
            continue
        if any(value.strip() for value in values[len(header) :]):
            raise RowUnreadable(path, reader.line_num, "more values than columns")
        yield Row(
            path,
            reader.line_num,
            {name: value.strip() for name, value in zip(header, values, strict=False)},
        )


def read_names(path: Path) -> frozenset[str]:
    """Lines of a list file.

    Raises:
        FileMissing: There is no such file.
    """
    if not path.is_file():
        raise FileMissing(path)
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    return frozenset(line.strip() for line in lines if line.strip())


def read_coco(path: Path) -> dict[str, tuple[Box, ...]]:
    """Boxes of a COCO annotation file by the images' ``file_name``; none for an image without.

    Raises:
        FileMissing: There is no such file.
        RowUnreadable: It is not JSON, or not COCO.
    """
    if not path.is_file():
        raise FileMissing(path)
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        names = {item["id"]: item["name"] for item in document["categories"]}
        boxes: dict[int, list[Box]] = defaultdict(list)
        for item in document["annotations"]:
            x, y, width, height = (float(value) for value in item["bbox"])
            boxes[item["image_id"]].append(Box(names[item["category_id"]], x, y, width, height))
        return {item["file_name"]: tuple(boxes[item["id"]]) for item in document["images"]}
    except (KeyError, TypeError, ValueError) as error:
        raise RowUnreadable(path, 0, f"no COCO annotations: {error!r}") from error
