"""Shenzhen Hospital X-ray set (NLM), as published.

    ChinaSet_AllFiles/CXR_png/CHNCXR_0001_0.png
    ChinaSet_AllFiles/ClinicalReadings/CHNCXR_0001_0.txt
    ChinaSet_AllFiles/mask/CHNCXR_0001_0_mask.png    (or masks/; Stirenko et al. 2018, a set apart)

One film a patient, posteroanterior. The masks may be absent.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hilum_training.films.readers import nlm
from hilum_training.films.readers.folder import layout_root, pictures
from hilum_training.films.readers.record import Collection, Mask, Reading

if TYPE_CHECKING:
    from pathlib import Path


def read(folder: Path, *, partial: bool = False) -> Reading:
    """Read the data set; see the module for its layout.

    Raises:
        FileMissing: ``CXR_png`` or a film's clinical reading.
        NameUnreadable: A picture's name is none of this set.
        RowUnreadable: A clinical reading is empty.
    """
    root = layout_root(folder, ("CXR_png",), "ChinaSet_AllFiles")
    films = Collection(folder, partial=partial)
    for path in pictures(root / "CXR_png"):
        text = root / "ClinicalReadings" / f"{path.stem}.txt"
        record = nlm.record(path, films.name(path), text)
        films.add(replace(record, masks=_masks(root, path, films)))
    return films.reading()


def _masks(root: Path, film: Path, films: Collection) -> tuple[Mask, ...]:
    for name in ("mask", "masks"):
        path = root / name / f"{film.stem}_mask.png"
        if path.is_file():
            return (
                Mask(
                    "lungs",
                    films.name(path),
                    nlm.EXCLUDING,
                    "Stirenko et al. 2018",
                    "CC BY-NC-SA 4.0",
                ),
            )
    return ()
