"""Layouts by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from hilum_training.films.readers import (
    covid_chestxray,
    covid_radiography,
    kermany,
    local,
    montgomery,
    nih14,
    pack_manifest,
    shenzhen,
    tbx11k,
)
from hilum_training.films.readers.errors import FileMissing, LayoutUnknown

if TYPE_CHECKING:
    from pathlib import Path

    from hilum_training.films.readers.record import Reading


class Reader(Protocol):
    """Reads a folder in one layout."""

    def __call__(self, folder: Path, *, partial: bool = False) -> Reading:
        """Every film of the folder."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A layout that can be read.

    Attributes:
        title: The data set, for people.
        read: Its reader.
        top: What stands in the folder that is named.
    """

    title: str
    read: Reader
    top: str


LAYOUTS: Final[dict[str, Layout]] = {
    "covid_chestxray": Layout(
        "COVID-19 image data collection (Cohen et al.)", covid_chestxray.read, "metadata.csv"
    ),
    "covid_radiography": Layout(
        "COVID-19 Radiography Database", covid_radiography.read, "COVID/images"
    ),
    "kermany": Layout("Kermany chest X-rays of children", kermany.read, "train/PNEUMONIA"),
    "local": Layout("A hospital's own films", local.read, local.TABLE),
    "montgomery": Layout("Montgomery County X-ray set", montgomery.read, "CXR_png"),
    "nih14": Layout("NIH ChestX-ray14", nih14.read, "Data_Entry_2017_v2020.csv"),
    "pack": Layout("The project's film pack", pack_manifest.read, "manifest.csv"),
    "shenzhen": Layout("Shenzhen Hospital X-ray set", shenzhen.read, "CXR_png"),
    "tbx11k": Layout("TBX11K", tbx11k.read, "imgs/tb"),
}


def read_dataset(layout: str, folder: Path, *, partial: bool = False) -> Reading:
    """Read a data set.

    Args:
        layout: A key of :data:`LAYOUTS`.
        folder: Of the data set: the layout's root, or where its archive was unpacked.
        partial: A part of the data set is enough: leave out films whose file is not there.

    Raises:
        LayoutUnknown: There is no such layout.
        DatasetInvalid: The folder is not in it; the error names the file, column or row.
    """
    if layout not in LAYOUTS:
        raise LayoutUnknown(layout, tuple(LAYOUTS))
    if not folder.is_dir():
        raise FileMissing(folder, "no such folder")
    return LAYOUTS[layout].read(folder, partial=partial)
