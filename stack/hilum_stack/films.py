"""Which films a demonstration analyses."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

from hilum.imaging.phantom import phantom_film, phantom_png
from hilum_stack.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Sequence


def choose_films(asked: Sequence[str], cxr_folder: Path, drafts: Path) -> list[str]:
    """Chooses the films: those asked for, else two real ones, else a phantom.

    Args:
        asked: Files or folders that the person named; taken as they are.
        cxr_folder: A collection of films with ``native/`` and ``dicom/``; may be missing.
        drafts: Receives the phantom film where nothing else is there.

    Returns:
        At least one path.
    """
    if asked:
        return list(asked)
    chosen = _samples(cxr_folder) or [write_phantom(drafts)]
    return [_as_typed(path) for path in chosen]


def files_of(text: str) -> list[str]:
    """Splits the value of ``FILES``; quotes protect blanks in a name.

    Raises:
        StackError: A quote is not closed.
    """
    try:
        return shlex.split(text)
    except ValueError as error:
        raise StackError(f"FILES={text!r}: {error}") from error


def require_films(asked: Sequence[str]) -> None:
    """Checks that what was asked for is there, before anything is started for it.

    Raises:
        StackError: Some of it is not.
    """
    missing = [film for film in asked if not Path(film).exists()]
    if missing:
        raise StackError(f"no such file or folder: {', '.join(missing)}")


def write_phantom(folder: Path) -> Path:
    """Writes a procedural chest phantom, 1024 x 1024 pixels of 8 bits, as PNG; no patient."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "chest-phantom-not-a-patient.png"
    path.write_bytes(phantom_png())
    return path


def write_dicom_phantom(folder: Path) -> Path:
    """Write the phantom as a DICOM file, of a study of its own each time; no patient."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "chest-phantom-not-a-patient.dcm"
    pixels = phantom_film(1024, 1024, seed=1)
    dataset = Dataset()
    dataset.SOPClassUID = DigitalXRayImageStorageForPresentation
    for keyword in ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"):
        setattr(dataset, keyword, generate_uid(prefix=None))
    dataset.PatientName, dataset.PatientID = "Phantom^Not A Patient", "PHANTOM"
    dataset.Modality, dataset.BodyPartExamined, dataset.ViewPosition = "DX", "CHEST", "PA"
    dataset.PresentationIntentType = "FOR PRESENTATION"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    dataset.PixelRepresentation = 0
    dataset.PixelData = pixels.tobytes()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.save_as(path, enforce_file_format=True)
    return path


def _as_typed(path: Path) -> str:
    """As a person in this folder would type it, for a table that fits the screen."""
    return min(os.path.relpath(path), str(path), key=len)


def _samples(cxr_folder: Path) -> list[Path]:
    """One photograph-like film and one DICOM chest film of the collection."""
    native = sorted(
        path
        for path in (cxr_folder / "native").glob("*")
        if path.suffix.lower() in {".png", ".jpg", ".jpeg"}
    )
    dicom = sorted((cxr_folder / "dicom").glob("*chest_PA*.dcm"))
    return [*native[:1], *dicom[:1]]
