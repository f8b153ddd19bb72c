"""COVID-19 Radiography Database (Chowdhury, Rahman et al.), as published on Kaggle.

    COVID/images/COVID-1.png                     COVID/masks/COVID-1.png
    Lung_Opacity/images/Lung_Opacity-1.png       Lung_Opacity/masks/...
    Normal/images/Normal-1.png                   Normal/masks/...
    Viral Pneumonia/images/Viral Pneumonia-1.png Viral Pneumonia/masks/...
    COVID.metadata.xlsx ...                      (file names and addresses; not needed, not read)

Its films come from other collections (RSNA and so ChestX-ray14, Kermany, covid-chestxray-dataset,
COVID-CXNet, BIMCV and more) and carry no patient: beside any of these, only the near-duplicate
check of the split keeps copies together. The masks were drawn by a network (Rahman et al., Comput
Biol Med 2021;132:104319), not by people.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hilum_training.films.readers import vocabulary
from hilum_training.films.readers.errors import FileMissing
from hilum_training.films.readers.folder import layout_root, pictures
from hilum_training.films.readers.record import Collection, FilmRecord, Mask, Reading

if TYPE_CHECKING:
    from pathlib import Path

_CLASSES: Final = ("COVID", "Lung_Opacity", "Normal", "Viral Pneumonia")
_LICENCE: Final = "of the original authors, not stated for each film"


def read(folder: Path, *, partial: bool = False) -> Reading:
    """Read the data set; see the module for its layout.

    Raises:
        FileMissing: A class folder or its ``images`` (unless ``partial``).
    """
    root = layout_root(folder, _CLASSES, "COVID-19_Radiography_Dataset")
    films = Collection(folder, partial=partial)
    for kind in _CLASSES:
        images = root / kind / "images"
        if not images.is_dir():
            if not partial:
                raise FileMissing(images)
            continue
        for path in pictures(images):
            films.add(_record(path, films, kind))
    return films.reading()


def _record(path: Path, films: Collection, kind: str) -> FilmRecord:
    found = vocabulary.findings((kind,))
    mask = path.parent.parent / "masks" / path.name
    masks = (Mask("lungs", films.name(mask), annotator="a network"),) if mask.is_file() else ()
    return FilmRecord(
        file=films.name(path),
        source="covid_radiography",
        group=f"covid_radiography-{vocabulary.word(path.stem)}",
        labels=(kind,),
        label=vocabulary.label(found),
        findings=found,
        view=vocabulary.FRONTAL,
        licence=_LICENCE,
        licence_flags=(vocabulary.NO_LICENCE_TEXT, vocabulary.UNVERIFIED),
        masks=masks,
    )
