"""NIH ChestX-ray14, as published by the NIH Clinical Center.

    Data_Entry_2017_v2020.csv         one row a film: findings, patient, age, sex, view, native size
    BBox_List_2017.csv                boxes on some films, in pixels of the published 1024 x 1024
    train_val_list.txt, test_list.txt the published split, by patient
    images_001/images/*.png ... images_012/images/*.png    (one folder ``images`` is read as well)

The first release calls its table ``Data_Entry_2017.csv``, the sex column ``Patient Gender`` and an
age ``058Y``; it is read as well. Findings were mined from reports (Wang et al., ChestX-ray8, CVPR
2017). Boxes and lists may be absent; the table may not.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from hilum_training.films.asked import EVERY
from hilum_training.films.readers import vocabulary
from hilum_training.films.readers.errors import ColumnMissing, FileMissing
from hilum_training.films.readers.folder import layout_root, pictures
from hilum_training.films.readers.record import Box, Collection, FilmRecord, Reading
from hilum_training.films.readers.table import Row, read_names, read_table

if TYPE_CHECKING:
    from pathlib import Path

_ENTRIES: Final = ("Data_Entry_2017_v2020.csv", "Data_Entry_2017.csv")
_COLUMNS: Final = (
    "image index",
    "finding labels",
    "follow-up #",
    "patient id",
    "patient age",
    "view position",
)
# The header's "Bbox [x,y,w,h]" is itself cut at its commas.
_BOX_COLUMNS: Final = ("image index", "finding label", "bbox [x", "y", "w", "h]")
_SPLITS: Final = {"train_val": "train_val_list.txt", "test": "test_list.txt"}
_LICENCE: Final = "NIH-CC terms (attribution)"


def read(folder: Path, *, partial: bool = False) -> Reading:
    """Read the data set; see the module for its layout.

    Raises:
        FileMissing: The table, or a film that it names (unless ``partial``).
        ColumnMissing: Of the table or of the boxes.
        RowUnreadable: A number that is none.
    """
    root = layout_root(folder, _ENTRIES, "ChestX-ray14")
    table = next(root / name for name in _ENTRIES if (root / name).is_file())
    rows = read_table(table, _COLUMNS)
    sex = _sex_column(rows)
    images = _images(root)
    boxes = _boxes(root / "BBox_List_2017.csv")
    splits = _splits(root)
    films = Collection(folder, partial=partial)
    for row in rows:
        name = row["image index"]
        if name not in images:
            films.absent(root / "images_*/images" / name)
            continue
        films.add(_record(row, films.name(images[name]), sex, boxes, splits))
    return films.reading()


def _record(
    row: Row, file: str, sex: str, boxes: dict[str, list[Box]], splits: dict[str, str]
) -> FilmRecord:
    name = row["image index"]
    patient = row["patient id"]
    if not patient.isdigit():
        raise row.unreadable(f"patient id {patient!r} is no number")
    labels = tuple(row["finding labels"].split("|"))
    found = vocabulary.findings(labels)
    return FilmRecord(
        file=file,
        source="nih14",
        group=f"nih-{int(patient):05d}",
        study=f"nih-{int(patient):05d}-{row['follow-up #']}",
        labels=labels,
        label=vocabulary.label(found),
        findings=found,
        # The reports were searched for each of the fourteen.
        asked=frozenset({EVERY}),
        view=vocabulary.view(row["view position"]),
        age=vocabulary.age(row["patient age"]),
        sex=vocabulary.sex(row[sex]),
        licence=_LICENCE,
        licence_flags=(vocabulary.NO_LICENCE_TEXT,),
        split=splits.get(name, ""),
        boxes=tuple(boxes.get(name, ())),
        native_size=_native_size(row),
    )


def _sex_column(rows: tuple[Row, ...]) -> str:
    for name in ("patient sex", "patient gender"):
        if rows and name in rows[0].values:
            return name
    if not rows:
        return ""
    raise ColumnMissing(rows[0].path, "patient sex", tuple(rows[0].values))


def _images(root: Path) -> dict[str, Path]:
    folders = sorted(path for path in root.glob("images_*/images") if path.is_dir())
    if (root / "images").is_dir():
        folders.append(root / "images")
    if not folders:
        raise FileMissing(root / "images_001" / "images")
    return {path.name: path for folder in folders for path in pictures(folder)}


def _boxes(path: Path) -> dict[str, list[Box]]:
    found: dict[str, list[Box]] = defaultdict(list)
    if not path.is_file():
        return found
    for row in read_table(path, _BOX_COLUMNS):
        try:
            x, y, width, height = (float(row[name]) for name in ("bbox [x", "y", "w", "h]"))
        except ValueError as error:
            raise row.unreadable("a box is not four numbers") from error
        found[row["image index"]].append(Box(row["finding label"], x, y, width, height))
    return found


def _splits(root: Path) -> dict[str, str]:
    return {
        name: split
        for split, listed in _SPLITS.items()
        if (root / listed).is_file()
        for name in read_names(root / listed)
    }


def _native_size(row: Row) -> tuple[int, int] | None:
    width, height = row["originalimage[width"], row["height]"]
    return (int(width), int(height)) if width.isdigit() and height.isdigit() else None
