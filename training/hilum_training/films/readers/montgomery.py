"""Montgomery County X-ray set (NLM), as published.

    MontgomerySet/CXR_png/MCUCXR_0001_0.png
    MontgomerySet/ClinicalReadings/MCUCXR_0001_0.txt
    MontgomerySet/ManualMask/leftMask/MCUCXR_0001_0.png
    MontgomerySet/ManualMask/rightMask/MCUCXR_0001_0.png

One film a patient, posteroanterior. Each film has both masks; the names of the sides are the
set's own, so code that needs the patient's side looks where in the film a mask lies.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hilum_training.films.readers import nlm
from hilum_training.films.readers.errors import FileMissing
from hilum_training.films.readers.folder import layout_root, pictures
from hilum_training.films.readers.record import Collection, Mask, Reading

if TYPE_CHECKING:
    from pathlib import Path


def read(folder: Path, *, partial: bool = False) -> Reading:
    """Read the data set; see the module for its layout.

    Raises:
        FileMissing: ``CXR_png``, a film's clinical reading, or a mask (unless ``partial``).
        NameUnreadable: A picture's name is none of this set.
        RowUnreadable: A clinical reading is empty.
    """
    root = layout_root(folder, ("CXR_png",), "MontgomerySet")
    films = Collection(folder, partial=partial)
    for path in pictures(root / "CXR_png"):
        text = root / "ClinicalReadings" / f"{path.stem}.txt"
        record = nlm.record(path, films.name(path), text)
        films.add(replace(record, masks=_masks(root, path, films, partial=partial)))
    return films.reading()


def _masks(root: Path, film: Path, films: Collection, *, partial: bool) -> tuple[Mask, ...]:
    masks = []
    for side in ("left", "right"):
        path = root / "ManualMask" / f"{side}Mask" / film.name
        if path.is_file():
            name = films.name(path)
            masks.append(Mask(f"{side}_lung", name, nlm.EXCLUDING, "NLM, manual", nlm.LICENCE))
        elif not partial:
            raise FileMissing(path)
    return tuple(masks)
