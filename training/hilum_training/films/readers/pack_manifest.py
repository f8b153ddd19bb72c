"""The project's film pack: several sources in one folder, under one table.

manifest.csv    one row an image
masks.csv       mask files: file, mask, kind, convention, annotator, licence   (may be absent)
boxes.csv       boxes: file, label, x, y, w, h                                 (may be absent)
images/<source>/*.jpg, masks/<source>/*.png
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from hilum_training.films.asked import COLUMN, read_asked
from hilum_training.films.readers import vocabulary
from hilum_training.films.readers.record import Box, Collection, FilmRecord, Mask, Reading
from hilum_training.films.readers.table import Row, read_table

if TYPE_CHECKING:
    from pathlib import Path

_COLUMNS: Final = ("file", "source", "group_id", "view", "normalised_label", "licence")
_MASKS: Final = ("file", "mask", "kind")
_BOXES: Final = ("file", "label", "x", "y", "w", "h")


def read(folder: Path, *, partial: bool = False) -> Reading:
    """Read the pack; see the module for its layout.

    Raises:
        FileMissing: ``manifest.csv``, or an image that it names (unless ``partial``).
        ColumnMissing: Of a table.
        RowUnreadable: A box that is not four numbers.
    """
    films = Collection(folder, partial=partial)
    rows = read_table(folder / "manifest.csv", _COLUMNS)
    masks = _masks(folder)
    boxes = _boxes(folder)
    for row in rows:
        name = row["file"]
        if not (folder / name).is_file():
            films.absent(folder / name)
            continue
        films.add(_record(row, tuple(boxes[name]), tuple(masks[name])))
    return films.reading()


def _record(row: Row, boxes: tuple[Box, ...], masks: tuple[Mask, ...]) -> FilmRecord:
    label = row["normalised_label"]
    recorded = tuple(part for part in row["labels"].split("|") if part)
    return FilmRecord(
        file=row["file"],
        source=row["source"],
        group=row["group_id"],
        labels=recorded or (label,),
        label=label,
        findings=_findings(row["source"], recorded, label),
        asked=read_asked(row.values.get(COLUMN), row["source"].removesuffix("_native"), label),
        view=vocabulary.view(row["view"]),
        age=vocabulary.age(row["age"]),
        age_group=row["age_group"],
        sex=vocabulary.sex(row["sex"]),
        licence=row["licence"],
        licence_flags=tuple(flag for flag in row["licence_flags"].split(",") if flag),
        split=row["split"],
        boxes=boxes,
        masks=masks,
        address=row["url"],
        variant_of=row["variant_of"],
        native_size=_native_size(row),
    )


def _findings(source: str, recorded: tuple[str, ...], label: str) -> tuple[str, ...]:
    """Every finding where ``labels`` lists them in our words; else what the label says."""
    ours = all(part == vocabulary.finding(part) for part in recorded)
    if recorded and (ours or source == "nih14"):
        return vocabulary.findings(recorded)
    named = label.removeprefix("other:").split("|")
    return tuple(sorted(set(named) - {vocabulary.NORMAL, ""}))


def _masks(folder: Path) -> dict[str, list[Mask]]:
    found: dict[str, list[Mask]] = defaultdict(list)
    if (folder / "masks.csv").is_file():
        for row in read_table(folder / "masks.csv", _MASKS):
            mask = Mask(
                row["kind"], row["mask"], row["convention"], row["annotator"], row["licence"]
            )
            found[row["file"]].append(mask)
    return found


def _boxes(folder: Path) -> dict[str, list[Box]]:
    found: dict[str, list[Box]] = defaultdict(list)
    if (folder / "boxes.csv").is_file():
        for row in read_table(folder / "boxes.csv", _BOXES):
            try:
                x, y, width, height = (float(row[name]) for name in ("x", "y", "w", "h"))
            except ValueError as error:
                raise row.unreadable("a box is not four numbers") from error
            found[row["file"]].append(Box(row["label"], x, y, width, height))
    return found


def _native_size(row: Row) -> tuple[int, int] | None:
    width, height = row["native_w"], row["native_h"]
    return (int(width), int(height)) if width.isdigit() and height.isdigit() else None
