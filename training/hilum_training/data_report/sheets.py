"""Pages of example films, and of films with their lung masks: openly licensed ones only."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image, ImageDraw

from hilum_training.films.licences import may_be_shown
from hilum_training.films.pack import read_film

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from hilum_training.films.readers.record import FilmRecord

CELL: Final = 112
COLUMNS: Final = 6
_CAPTION: Final = 14
_QUALITY: Final = 72
_TINT: Final = np.array([255, 140, 0])
_INSIDE: Final = 127


@dataclass(frozen=True, slots=True)
class Shown:
    """A film on a page."""

    row: str
    record: FilmRecord


def example_films(records: Sequence[FilmRecord]) -> tuple[Shown, ...]:
    """Up to six films of each source and class, of different patients, drawn by hash.

    Only films that may be shown; a superseded copy is not among ``records``.
    """
    rows: dict[str, list[FilmRecord]] = {}
    for record in records:
        if may_be_shown(record.licence, record.licence_flags):
            kind = record.label.partition(":")[0]
            rows.setdefault(f"{record.source}: {kind}", []).append(record)
    return tuple(Shown(row, record) for row in sorted(rows) for record in _drawn(rows[row]))


def masked_films(records: Sequence[FilmRecord]) -> tuple[Shown, ...]:
    """Up to six films of each source and class, where film and lung mask may be shown."""
    rows: dict[str, list[FilmRecord]] = {}
    for record in records:
        if may_be_shown(record.licence, record.licence_flags) and lung_mask(record) is not None:
            kind = record.label.partition(":")[0]
            rows.setdefault(f"{record.source}: {kind}", []).append(record)
    return tuple(Shown(row, record) for row in sorted(rows) for record in _drawn(rows[row]))


def lung_mask(record: FilmRecord) -> str | None:
    """The file of a lung mask that may be shown, or None."""
    for mask in record.masks:
        if mask.kind == "lungs" and may_be_shown(mask.licence):
            return mask.file
    return None


def write_sheet(folder: Path, shown: Sequence[Shown], path: Path, *, masks: bool) -> None:
    """One page: a row of films under each caption, the lungs tinted where ``masks`` is set.

    Args:
        folder: Of the pack.
        shown: Films in the order of the page.
        path: A JPEG file.
        masks: Whether to lay each film's lung mask over it.
    """
    rows = list(dict.fromkeys(item.row for item in shown))
    height = max(len(rows), 1) * (CELL + _CAPTION)
    page = Image.new("RGB", (COLUMNS * CELL, height), "white")
    draw = ImageDraw.Draw(page)
    for place, row in enumerate(rows):
        top = place * (CELL + _CAPTION)
        draw.text((2, top + 1), row, fill="black")
        films = [item.record for item in shown if item.row == row]
        for column, record in enumerate(films):
            cell = _cell(folder, record, masks=masks)
            left = column * CELL + (CELL - cell.width) // 2
            page.paste(cell, (left, top + _CAPTION + (CELL - cell.height) // 2))
    page.save(path, format="JPEG", quality=_QUALITY, optimize=True)


def _drawn(records: Sequence[FilmRecord]) -> list[FilmRecord]:
    """By the hash of their names, one film a patient: the same choice on every machine."""
    ordered = sorted(records, key=lambda record: hashlib.sha256(record.file.encode()).digest())
    first: dict[str, FilmRecord] = {}
    for record in ordered:
        first.setdefault(record.group, record)
    return sorted(list(first.values())[:COLUMNS], key=lambda record: record.file)


def _cell(folder: Path, record: FilmRecord, *, masks: bool) -> Image.Image:
    pixels = read_film(folder / record.file)
    coloured = np.repeat(pixels[:, :, np.newaxis], 3, axis=2)
    mask = lung_mask(record) if masks else None
    if mask is not None:
        coloured = _tinted(coloured, read_film(folder / mask) > _INSIDE)
    cell = Image.fromarray(coloured)
    cell.thumbnail((CELL - 2, CELL - 2), Image.Resampling.BOX)
    return cell


def _tinted(film: NDArray[np.uint8], inside: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The film with a third of the tint inside the mask."""
    tinted = film.astype(np.float64)
    tinted[inside] = tinted[inside] * (2 / 3) + _TINT / 3
    return tinted.astype(np.uint8)
