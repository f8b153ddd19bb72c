"""Data sets in any layout, made into one film pack: what every other command reads.

Films are brought to one form (8-bit grey, shorter side 256 pixels where it was longer, JPEG of one
quality), so that neither size nor file format tells where a film comes from. Masks and boxes follow
their film. Patient groups are the readers': a patient whose films stand in two data sets is one.

Films of another pack are in that form already. They are copied as they are and keep their names.
The split goes by names within each source and label: beside films of other sources, of none of its
patients, a model that learnt from that pack has the same unseen patients in this. A set that shares
films or patients with the pack joins clusters, and some of them move.
"""

from __future__ import annotations

import csv
import hashlib
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from hilum_training.films.asked import COLUMN, written_asked
from hilum_training.films.pack import PICTURES_DIGEST, read_film
from hilum_training.films.readers.errors import DatasetInvalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from hilum_training.films.readers.record import FilmRecord, Mask, Reading

SHORTER_SIDE: Final = 256
_QUALITY: Final = 90
_INSIDE: Final = 127
FILM_COLUMNS: Final = (
    "file",
    "source",
    "source_file",
    "group_id",
    "view",
    "labels",
    "normalised_label",
    COLUMN,
    "licence",
    "licence_flags",
    "split",
    "age",
    "sex",
    "age_group",
    "native_w",
    "native_h",
    "width",
    "height",
    "variant_of",
    "url",
)
MASK_COLUMNS: Final = ("file", "mask", "kind", "convention", "annotator", "licence")
BOX_COLUMNS: Final = ("file", "label", "x", "y", "w", "h")


class PackExists(DatasetInvalid):
    """There is something already where the pack was to be written."""


def write_pack(out: Path, datasets: Sequence[tuple[str, Path, Reading]]) -> int:
    """Write ``manifest.csv``, ``masks.csv``, ``boxes.csv``, the pictures and their digest.

    Args:
        out: A folder that is empty or not there yet.
        datasets: Layout, folder and reading of each data set; each layout once.

    Returns:
        How many films were written.

    Raises:
        PackExists: ``out`` holds something.
        OSError: A picture cannot be read; check the folder first.
    """
    if out.exists() and any(out.iterdir()):
        raise PackExists(f"{out} is not empty")
    films: list[dict[str, object]] = []
    masks: list[dict[str, object]] = []
    boxes: list[dict[str, object]] = []
    # Other packs first: no new film may take a name of theirs.
    for layout, folder, reading in sorted(datasets, key=lambda dataset: dataset[0] != "pack"):
        names = _names(layout, reading.records, {str(film["file"]) for film in films})
        with ThreadPoolExecutor() as pool:
            write = partial(_copy_film if layout == "pack" else _write_film, out, folder, names)
            for film, its_masks, its_boxes in pool.map(write, reading.records):
                films.append(film)
                masks += its_masks
                boxes += its_boxes
    digest = hashlib.sha256()
    for film in films:
        digest.update((out / str(film["file"])).read_bytes())
    # Films that are mended under their old names must not be taken from the decoded cache.
    (out / PICTURES_DIGEST).write_text(digest.hexdigest() + "\n", encoding="utf-8")
    _write_table(out / "masks.csv", MASK_COLUMNS, masks)
    _write_table(out / "boxes.csv", BOX_COLUMNS, boxes)
    # Last: a pack that was interrupted has no manifest, and is not taken for one.
    _write_table(out / "manifest.csv", FILM_COLUMNS, films)
    return len(films)


def _names(layout: str, records: Sequence[FilmRecord], taken: set[str]) -> dict[str, str]:
    """Each film's file in the pack: its path in the data set, in one folder a layout."""
    if layout == "pack":
        return {record.file: record.file for record in records}
    names: dict[str, str] = {}
    for record in records:
        stem = re.sub(r"[^A-Za-z0-9.-]+", "_", record.file.rpartition(".")[0])
        name, copies = f"images/{layout}/{stem}.jpg", 1
        while name in taken:
            copies += 1
            name = f"images/{layout}/{stem}-{copies}.jpg"
        taken.add(name)
        names[record.file] = name
    return names


_Rows = tuple[dict[str, object], list[dict[str, object]], list[dict[str, object]]]


def _copy_film(out: Path, folder: Path, names: Mapping[str, str], record: FilmRecord) -> _Rows:
    """A film of another pack with its masks, byte for byte."""
    with Image.open(folder / record.file) as image:
        size = image.size
    for file in (record.file, *(mask.file for mask in record.masks)):
        (out / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / file, out / file)
    masks = [_mask_row(record.file, mask.file, mask.kind, mask) for mask in record.masks]
    return _film_row(names, record, size, size), masks, _box_rows(record.file, record, (1, 1))


def _write_film(out: Path, folder: Path, names: Mapping[str, str], record: FilmRecord) -> _Rows:
    pixels = read_film(folder / record.file)
    rows, columns = pixels.shape
    scale = min(1.0, SHORTER_SIDE / min(rows, columns))
    size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    name = names[record.file]
    path = out / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).resize(size, Image.Resampling.BOX).save(path, quality=_QUALITY)
    masks = [_write_mask(out, folder, name, size, drawn) for drawn in _combined(record.masks)]
    boxes = _box_rows(name, record, (size[0] / columns, size[1] / rows))
    return _film_row(names, record, size, (columns, rows)), masks, boxes


def _film_row(
    names: Mapping[str, str],
    record: FilmRecord,
    size: tuple[int, int],
    stored: tuple[int, int],
) -> dict[str, object]:
    native = record.native_size or stored
    return {
        "file": names[record.file],
        "source": record.source,
        "source_file": record.file,
        "group_id": record.group,
        "view": record.view,
        "labels": "|".join(record.findings) or record.label,
        "normalised_label": record.label,
        COLUMN: written_asked(record.answered),
        "licence": record.licence,
        "licence_flags": ",".join(record.licence_flags),
        "split": record.split,
        "age": "" if record.age is None else record.age,
        "sex": record.sex,
        "age_group": record.age_group,
        "native_w": native[0],
        "native_h": native[1],
        "width": size[0],
        "height": size[1],
        "variant_of": names.get(record.variant_of, ""),
        "url": record.address,
    }


def _box_rows(name: str, record: FilmRecord, scale: tuple[float, float]) -> list[dict[str, object]]:
    return [
        {
            "file": name,
            "label": box.label,
            "x": round(box.x * scale[0], 1),
            "y": round(box.y * scale[1], 1),
            "w": round(box.width * scale[0], 1),
            "h": round(box.height * scale[1], 1),
        }
        for box in record.boxes
    ]


def _mask_row(film: str, name: str, kind: str, mask: Mask) -> dict[str, object]:
    return {
        "file": film,
        "mask": name,
        "kind": kind,
        "convention": mask.convention,
        "annotator": mask.annotator,
        "licence": mask.licence,
    }


def _combined(masks: Sequence[Mask]) -> Iterable[tuple[str, tuple[Mask, ...]]]:
    """Masks by kind; one of each lung alone is one of both, as most sources have it."""
    if {mask.kind for mask in masks} == {"left_lung", "right_lung"}:
        return (("lungs", tuple(masks)),)
    return ((mask.kind, (mask,)) for mask in masks)


def _write_mask(
    out: Path,
    folder: Path,
    film: str,
    size: tuple[int, int],
    drawn: tuple[str, tuple[Mask, ...]],
) -> dict[str, object]:
    kind, parts = drawn
    name = film.replace("images/", "masks/", 1).removesuffix(".jpg") + f"_{kind}.png"
    path = out / name
    path.parent.mkdir(parents=True, exist_ok=True)
    inside = np.zeros((size[1], size[0]), dtype=bool)
    for part in parts:
        inside |= _shrunk(folder / part.file, size)
    Image.fromarray(inside).save(path)
    return _mask_row(film, name, kind, parts[0])


def _shrunk(path: Path, size: tuple[int, int]) -> NDArray[np.bool_]:
    """A mask in the film's size; a pixel is inside where half of it was."""
    bright = (read_film(path) > _INSIDE).astype(np.uint8) * 255
    smaller = Image.fromarray(bright).resize(size, Image.Resampling.BOX)
    return np.asarray(smaller) > _INSIDE


def _write_table(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns)
        writer.writeheader()
        writer.writerows(rows)
