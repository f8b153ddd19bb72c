"""Public sets of DICOM files: ``make public-sets``, once a night.

``requirements/nightly.lock`` pins pydicom-data, and pydicom has files of its own. Folders in
``HILUM_PUBLIC_SETS`` are judged too.
"""

from __future__ import annotations

import io
import os
import subprocess
from collections import Counter
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.errors import InvalidDicomError

from hilum.adapters.dicom.guarded_reader import GuardedFilmReader
from hilum.imaging.film import FilmLimits
from tests.fuzz.answers import answer_to
from tests.unit.adapters.dicom.dcmtk import by_dcmtk

PINNED = [Path(str(files(name))) for name in ("data_store", "pydicom.data")]
MORE = [Path(name) for name in os.environ.get("HILUM_PUBLIC_SETS", "").split(os.pathsep) if name]
RADIOGRAPHS = ("CR", "DX")

# What DCMTK shows alike, counted over the pinned sets.
AGREEING_RADIOGRAPHS = 8
AGREEING_OTHERS = 21
ACCEPTED = 55

# CR and DX objects with a window that are not compared, and why.
NOT_COMPARED = {
    "chrJapMulti.dcm": ("not_an_image", "has no pixel data"),
    "chrJapMultiExplicitIR6.dcm": ("not_an_image", "has no pixel data"),
    "chrKoreanMulti.dcm": ("not_an_image", "has no pixel data"),
    "6154": ("film_too_small", "16 x 16 pixels"),
    "6247": ("film_too_small", "16 x 16 pixels"),
    "6278": ("film_too_small", "16 x 16 pixels"),
}


@dataclass(frozen=True)
class Judged:
    """A file and its answers.

    Attributes:
        name: Name of the file.
        answer: ``accepted``, the code of a refusal, or the name of an exception that escaped.
        radiograph: CR or DX.
        windowed: States a window or a VOI LUT for one sample a pixel.
        greys: Largest difference from DCMTK of an accepted image with a window.
    """

    name: str
    answer: str
    radiograph: bool
    windowed: bool
    greys: int | None

    @property
    def agrees(self) -> bool:
        """DCMTK shows the same."""
        return self.greys is not None and self.greys <= 1


def judged(path: Path, reader: GuardedFilmReader, folder: Path) -> Judged:
    """Read a file with Hilum, and with DCMTK where that shows a window."""
    data = path.read_bytes()
    try:
        answer = answer_to(reader, data)
    except Exception as error:  # noqa: BLE001 - the name is the finding
        answer = type(error).__name__
    try:
        ds = dcmread(io.BytesIO(data))
    except InvalidDicomError:
        return Judged(path.name, answer, radiograph=False, windowed=False, greys=None)
    windowed = ("WindowCenter" in ds or "VOILUTSequence" in ds) and ds.get("SamplesPerPixel") == 1
    greys = None
    if windowed and answer == "accepted":
        greys = difference(reader.read(data).pixels, data, folder)
    return Judged(path.name, answer, ds.get("Modality") in RADIOGRAPHS, windowed, greys)


def difference(shown: np.ndarray, data: bytes, folder: Path) -> int | None:
    """Largest difference in grey from what DCMTK shows; None where it shows nothing."""
    try:
        return int(np.abs(shown.astype(int) - by_dcmtk(data, folder)).max())
    except subprocess.CalledProcessError:
        return None


def judged_in(folders: list[Path], target: Path) -> list[Judged]:
    """Judge every file below the folders but modules of Python, and print the counts."""
    reader = GuardedFilmReader(FilmLimits())
    paths = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    paths = [path for path in paths if path.suffix not in {".py", ".pyc"}]
    every = [judged(path, reader, target) for path in paths]
    print(f"\n{len(every)} files: {dict(Counter(one.answer for one in every))}")  # noqa: T201
    agreeing = Counter(one.radiograph for one in every if one.agrees)
    print(f"as DCMTK shows them: {agreeing[True]} CR and DX, {agreeing[False]} others")  # noqa: T201
    return every


@pytest.fixture(scope="module")
def pinned(tmp_path_factory):
    return judged_in(PINNED, tmp_path_factory.mktemp("pinned"))


@pytest.fixture(scope="module")
def every(pinned, tmp_path_factory):
    return pinned + (judged_in(MORE, tmp_path_factory.mktemp("more")) if MORE else [])


def test_every_file_is_accepted_or_refused_with_a_code(every):
    """No file lets another exception than a refusal escape."""
    assert every
    assert [one for one in every if not one.answer.islower()] == []


def test_an_accepted_image_with_a_window_agrees_with_dcmtk(every):
    """Each image with a window that is accepted differs from DCMTK by one grey at most."""
    compared = [one for one in every if one.windowed and one.answer == "accepted"]
    assert [one for one in compared if not one.agrees] == []


def test_each_radiograph_with_a_window_agrees_or_has_a_reason(pinned):
    """The CR and DX objects with a window that are not compared are those of the table."""
    lacking = [one for one in pinned if one.radiograph and one.windowed and not one.agrees]
    expected = {name: code for name, (code, _) in NOT_COMPARED.items()}
    assert {one.name: one.answer for one in lacking} == expected


def test_no_fewer_images_agree_or_are_accepted(pinned):
    """The counts of the pinned sets reach what they were."""
    agreeing = Counter(one.radiograph for one in pinned if one.agrees)
    assert agreeing[True] >= AGREEING_RADIOGRAPHS
    assert agreeing[False] >= AGREEING_OTHERS
    assert sum(one.answer == "accepted" for one in pinned) >= ACCEPTED
