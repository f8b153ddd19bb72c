"""TBX11K (Liu et al., CVPR 2020), as published.

    TBX11K/imgs/health/h0001.png  imgs/sick/s0001.png  imgs/tb/tb0003.png  imgs/test/...
    TBX11K/imgs/extra/...                  Montgomery, Shenzhen and the DA and DB sets of New Delhi
    TBX11K/annotations/json/TBX11K_trainval.json, all_trainval.json    boxes in COCO form
    TBX11K/lists/TBX11K_train.txt, TBX11K_val.txt, all_train.txt, all_val.txt    paths under imgs/

Boxes are read from the JSON, whose coordinates fit the 512 x 512 films; those of the XML do not.
Films of ``test`` carry no published answer and are left out. Films of ``extra`` keep the source and
the patient group of the set that they come from, so that a split that also holds Montgomery or
Shenzhen keeps both copies of a film together. One film a patient.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hilum_training.films.readers import nlm, vocabulary
from hilum_training.films.readers.errors import FileMissing, NameUnreadable
from hilum_training.films.readers.folder import PICTURES, layout_root, pictures
from hilum_training.films.readers.record import Box, Collection, FilmRecord, Reading
from hilum_training.films.readers.table import read_coco, read_names

if TYPE_CHECKING:
    from pathlib import Path

_FOLDERS: Final = {
    "health": (),
    "sick": ("abnormal_not_tuberculosis",),
    "tb": ("tuberculosis",),
}
_ANNOTATIONS: Final = ("TBX11K_trainval.json", "all_trainval.json")
_SPLITS: Final = {
    "train": ("TBX11K_train.txt", "all_train.txt"),
    "val": ("TBX11K_val.txt", "all_val.txt"),
}
_LICENCE: Final = "CC BY-NC-SA"
# DA and DB name their films n001, nx12 (normal) and p001, px12 (tuberculosis).
_DELHI: Final = re.compile(r"([np])x?\d+")


def read(folder: Path, *, partial: bool = False) -> Reading:
    """Read the data set; see the module for its layout.

    Raises:
        FileMissing: ``imgs``, one of its folders (unless ``partial``), the JSON or every list.
        NameUnreadable: A film of ``extra`` is of none of the sets.
        RowUnreadable: The JSON is no COCO.
    """
    root = layout_root(folder, ("imgs",), "TBX11K")
    boxes = _boxes(root / "annotations" / "json")
    splits = _splits(root / "lists")
    films = Collection(folder, partial=partial)
    for name, found in _FOLDERS.items():
        where = root / "imgs" / name
        if not where.is_dir():
            if not partial:
                raise FileMissing(where)
            continue
        for path in pictures(where):
            key = f"{name}/{path.name}"
            split = splits.get(key, "")
            films.add(_record(films.name(path), name, found, boxes.get(key, ()), split))
    for path in _extra(root):
        key = path.relative_to(root / "imgs").as_posix()
        films.add(_extra_record(path, films.name(path), boxes.get(key, ()), splits.get(key, "")))
    if (root / "imgs" / "test").is_dir():
        for _ in pictures(root / "imgs" / "test"):
            films.leave_out("test film, answer not published")
    return films.reading()


def _record(
    file: str, folder: str, found: tuple[str, ...], boxes: tuple[Box, ...], split: str
) -> FilmRecord:
    kinds = sorted({box.label for box in boxes})
    return FilmRecord(
        file=file,
        source="tbx11k",
        group=f"tbx11k-{file.rpartition('/')[2].partition('.')[0]}",
        labels=(folder, *kinds),
        label=vocabulary.label(found),
        findings=tuple(sorted({*found, *(_finding(kind) for kind in kinds)})),
        view="PA",
        licence=_LICENCE,
        licence_flags=("NC", "SA"),
        split=split,
        boxes=boxes,
    )


def _finding(category: str) -> str:
    """``ActiveTuberculosis`` as ``active_tuberculosis``."""
    return vocabulary.word(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", category))


def _extra(root: Path) -> list[Path]:
    found = (root / "imgs" / "extra").rglob("*")
    return sorted(
        path for path in found if path.suffix.lower() in PICTURES and not path.name.startswith(".")
    )


def _extra_record(path: Path, file: str, boxes: tuple[Box, ...], split: str) -> FilmRecord:
    delhi = _DELHI.fullmatch(path.stem)
    if delhi is None:
        try:
            source, group, label = nlm.recognised(path)
        except NameUnreadable as error:
            expected = "MCUCXR_0001_0.png, CHNCXR_0001_0.png, n001.jpg or px12.jpg"
            raise NameUnreadable(path, expected) from error
        licence, flags = nlm.LICENCE, (vocabulary.NO_LICENCE_TEXT,)
    else:
        # The two sets of New Delhi use the same names: the folders tell them apart.
        source, group = "delhi", f"delhi-{file}"
        label = "tuberculosis" if delhi[1] == "p" else vocabulary.NORMAL
        licence, flags = "not stated", (vocabulary.NO_LICENCE_TEXT,)
    return FilmRecord(
        file=file,
        source=source,
        group=group,
        labels=("extra", path.stem),
        label=label,
        findings=() if label == vocabulary.NORMAL else (label,),
        view="PA",
        licence=licence,
        licence_flags=flags,
        split=split,
        boxes=boxes,
    )


def _boxes(folder: Path) -> dict[str, tuple[Box, ...]]:
    present = [folder / name for name in _ANNOTATIONS if (folder / name).is_file()]
    if not present:
        raise FileMissing(folder / _ANNOTATIONS[0])
    merged: dict[str, tuple[Box, ...]] = {}
    for path in present:
        merged |= {name.removeprefix("imgs/"): found for name, found in read_coco(path).items()}
    return merged


def _splits(folder: Path) -> dict[str, str]:
    listed = [
        (split, folder / name)
        for split, names in _SPLITS.items()
        for name in names
        if (folder / name).is_file()
    ]
    if not listed:
        raise FileMissing(folder / _SPLITS["train"][0])
    return {
        name.removeprefix("imgs/"): split for split, path in listed for name in read_names(path)
    }
