"""A site's labelled films, as a CSV file tells them.

One row a film. The columns, by the names in the first row:

``job_id``, ``sop_instance_uid``, ``file``
    Which film: its job, its SOP Instance UID (0008,0018), or a file (relative to the CSV's folder).
    At least one of the columns; of several that are filled in, the first in this order counts.
``patient``
    Optional: the same text for films of the same patient, a pseudonym. Without it each film counts
    as a patient, and the intervals are too narrow if that is not so.
``source``
    Optional: where the film comes from, e.g. a ward or a device. A wanted sensitivity or
    specificity then holds at the worst source. Films with an empty cell are a source of their own.
``<panel>``
    The truth of a whole panel: the label that is true, e.g. ``tuberculosis``; several of a panel
    with several labels are set apart by ``|``, and ``none`` says that none is. Each other label of
    the panel then counts as not true.
``<panel>.<label>``
    The truth of one label: ``1`` or ``0`` (``yes``, ``no``, ``true``, ``false``). Goes before
    ``<panel>``.

An empty cell says that the truth is not known. Other columns are left alone. Cells are set apart by
commas, or by semicolons where the first row has more of those.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

from hilum.application.thresholds.labelled_films import LabelledFilm
from hilum_cli.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    Key = tuple[str, str]

FILM_COLUMNS: Final = ("job_id", "sop_instance_uid", "file")
PATIENT: Final = "patient"
SOURCE: Final = "source"
NO_LABEL: Final = "none"
_NO_SOURCE: Final = "not stated"

_TRUE: Final = frozenset({"1", "yes", "true"})
_FALSE: Final = frozenset({"0", "no", "false"})


@dataclass(frozen=True, slots=True)
class LabelledFilms:
    """What a CSV file tells.

    Attributes:
        films: One a row.
        unused: Columns that name neither a film, a patient, a source nor anything that the model
            reads.
    """

    films: tuple[LabelledFilm, ...]
    unused: tuple[str, ...]


def read_labelled_films(path: Path, labels: Sequence[Key]) -> LabelledFilms:
    """Read a CSV file (RFC 4180, UTF-8).

    Args:
        path: The file.
        labels: ``(panel, label)`` of what the model reads.

    Raises:
        Failure: It cannot be read, names no film or no truth, or a cell holds what it cannot; says
            in which line.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            # Where a comma is the decimal point, a spreadsheet writes semicolons.
            delimiter = ";" if first.count(";") > first.count(",") else ","
            rows = csv.DictReader(file, strict=True, delimiter=delimiter)
            header = [name.strip() for name in rows.fieldnames or ()]
            rows.fieldnames = header
            columns = _Columns(path, header, labels)
            films = [columns.film(rows.line_num, row) for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Failure(f"{path} cannot be read: {error}") from error
    if not films:
        raise Failure(f"{path} holds no film")
    return LabelledFilms(tuple(films), columns.unused)


class _Columns:
    """What the columns of a file mean."""

    def __init__(self, path: Path, header: Sequence[str], labels: Sequence[Key]) -> None:
        self._path = path
        self._panels: dict[str, list[str]] = {}
        for panel, label in labels:
            self._panels.setdefault(panel, []).append(label)
        single = {f"{panel}.{label}": (panel, label) for panel, label in labels}
        self._whole = [name for name in header if name in self._panels]
        self._single = {name: single[name] for name in header if name in single}
        known = {*FILM_COLUMNS, PATIENT, SOURCE, *self._whole, *self._single}
        self.unused = tuple(name for name in header if name not in known)
        if not set(header) & set(FILM_COLUMNS):
            raise Failure(f"{path}: no column {', '.join(FILM_COLUMNS)} says which films these are")
        if not self._whole and not self._single:
            raise Failure(
                f"{path}: no column tells the truth; name one after a panel "
                f"({', '.join(self._panels)}) or a label ({next(iter(single), '')})"
            )

    def film(self, line: int, row: Mapping[str, str | None]) -> LabelledFilm:
        """The film of a row."""
        if any(value is None for value in row.values()) or None in row:
            raise self._wrong(line, "more or fewer cells than columns")
        cells = {name: (value or "").strip() for name, value in row.items()}
        given = {name: cells.get(name, "") for name in FILM_COLUMNS}
        name = next((value for value in given.values() if value), "")
        if not name:
            raise self._wrong(line, f"none of {', '.join(FILM_COLUMNS)} is filled in")
        return LabelledFilm(
            name=name,
            patient=cells.get(PATIENT) or name,
            source=(cells[SOURCE] or _NO_SOURCE) if SOURCE in cells else "",
            truth=self._truth(line, cells),
            job_id=self._job_id(line, given["job_id"]),
            sop_instance_uid=given["sop_instance_uid"] or None,
            content=self._content(given["file"]) if given["file"] else None,
        )

    def _truth(self, line: int, cells: Mapping[str, str]) -> dict[Key, bool]:
        truth: dict[Key, bool] = {}
        for panel in self._whole:
            labels = self._panels[panel]
            if not cells[panel]:
                continue
            said = {part.strip() for part in cells[panel].split("|")}
            if unknown := sorted(said - {*labels, NO_LABEL}):
                raise self._wrong(
                    line, f"{panel} has no label {unknown[0]}; {', '.join(labels)} it has"
                )
            if NO_LABEL in said and len(said) > 1:
                raise self._wrong(line, f"{panel} says {NO_LABEL} and something")
            truth |= {(panel, label): label in said for label in labels}
        for name, key in self._single.items():
            if value := cells[name].lower():
                if value not in _TRUE | _FALSE:
                    raise self._wrong(line, f"{name} is 1 or 0, not {cells[name]}")
                truth[key] = value in _TRUE
        return truth

    def _job_id(self, line: int, text: str) -> UUID | None:
        try:
            return UUID(text) if text else None
        except ValueError:
            raise self._wrong(line, f"{text} is no job id") from None

    def _content(self, name: str) -> Callable[[], bytes]:
        file = self._path.parent / name

        def content() -> bytes:
            try:
                return file.read_bytes()
            except OSError as error:
                raise Failure(f"{file} cannot be read: {error.strerror}") from error

        return content

    def _wrong(self, line: int, what: str) -> Failure:
        return Failure(f"{self._path}, line {line}: {what}")
