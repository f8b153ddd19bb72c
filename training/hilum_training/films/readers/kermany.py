"""Kermany et al., chest X-ray images of children, as published (Mendeley Data rscbjbr9sj; Kaggle).

    chest_xray/{train,val,test}/NORMAL/IM-0001-0001.jpeg, NORMAL2-IM-0007-0001.jpeg
    chest_xray/{train,val,test}/PNEUMONIA/person123_bacteria_45.jpeg, person21_virus_53.jpeg

``val`` is there in the Kaggle release only. The third release on Mendeley names its films
``BACTERIA-1008087-0001.jpeg``, ``VIRUS-...`` and ``NORMAL-...``; they are read as well. Person and
IM numbers group films; a number may stand for several children, so that grouping errs towards
keeping films together. All films are anteroposterior, of children aged one to five (Kermany et al.,
Cell 2018;172:1122), without age or sex for each.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hilum_training.films.readers import vocabulary
from hilum_training.films.readers.errors import FileMissing, NameUnreadable
from hilum_training.films.readers.folder import layout_root, pictures
from hilum_training.films.readers.record import Collection, FilmRecord, Reading

if TYPE_CHECKING:
    from pathlib import Path

_SPLITS: Final = ("train", "val", "test")
_NORMAL: Final = re.compile(r"((?:NORMAL2-)?IM-\d+)-\d+(?:-\d+)?|(NORMAL-\d+)-\d+", re.IGNORECASE)
_PNEUMONIA: Final = re.compile(
    r"(person\d+)_(bacteria|virus)_\d+|((bacteria|virus)-\d+)-\d+", re.IGNORECASE
)
_EXPECTED: Final = {
    "NORMAL": "IM-0001-0001.jpeg",
    "PNEUMONIA": "person123_bacteria_45.jpeg",
}


def read(folder: Path, *, partial: bool = False) -> Reading:
    """Read the data set; see the module for its layout.

    Raises:
        FileMissing: ``train`` or ``test`` or a class folder (unless ``partial``).
        NameUnreadable: A picture's name tells neither person nor kind.
    """
    root = layout_root(folder, _SPLITS, "chest_xray")
    films = Collection(folder, partial=partial)
    for split in _SPLITS:
        for kind in ("NORMAL", "PNEUMONIA"):
            where = root / split / kind
            if not where.is_dir():
                # Mendeley's releases have no val.
                if partial or (split == "val" and not (root / split).is_dir()):
                    continue
                raise FileMissing(where)
            for path in pictures(where):
                films.add(_record(path, films.name(path), split, kind))
    return films.reading()


def _record(path: Path, file: str, split: str, kind: str) -> FilmRecord:
    labels, group = _named(path, kind)
    found = vocabulary.findings(labels[-1:])
    return FilmRecord(
        file=file,
        source="kermany",
        group=f"kermany-{group}",
        labels=labels,
        label=vocabulary.label(found),
        findings=found,
        view="AP",
        age_group="paediatric (1-5 y)",
        licence="CC BY 4.0",
        split=split,
    )


def _named(path: Path, kind: str) -> tuple[tuple[str, ...], str]:
    pattern = _NORMAL if kind == "NORMAL" else _PNEUMONIA
    match = pattern.fullmatch(path.stem)
    if match is None:
        raise NameUnreadable(path, _EXPECTED[kind])
    if kind == "NORMAL":
        return (kind,), match[1] or match[2]
    return (kind, (match[2] or match[4]).lower()), match[1] or match[3]
