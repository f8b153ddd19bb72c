"""A DICOM image goes from a PACS through Hilum, and its result comes back: shown, and timed."""

from __future__ import annotations

import shutil
import subprocess
import time
from dataclasses import dataclass
from io import BytesIO
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Final

from pydicom import dcmread
from pydicom.uid import generate_uid

from hilum_stack.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pydicom import Dataset

    from hilum_stack.pacs import Pacs

WITHIN_S: Final = 120.0
_QUIET_S: Final = 3.0
_LOOK_EVERY_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Returned:
    """An object that came back.

    Attributes:
        seconds: After the image was acknowledged.
        modality: (0008,0060).
        description: Series Description.
        content: The file.
    """

    seconds: float
    modality: str
    description: str
    content: bytes


def is_dicom(path: Path) -> bool:
    """Return whether a file is DICOM with a preamble."""
    with path.open("rb") as opened:
        return opened.read(132)[128:] == b"DICM"


def copy_of(image: Path, folder: Path) -> Path:
    """Write a copy of a DICOM file as a study of its own, so that each run begins anew.

    Args:
        image: A DICOM file, whose pixels stay as they are encoded.
        folder: Gets the copy.
    """
    dataset = dcmread(image)
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        setattr(dataset, keyword, generate_uid(prefix=None))
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    path = folder / "image-of-the-round-trip.dcm"
    dataset.save_as(path, enforce_file_format=True)
    return path


def round_trip(pacs: Pacs, image: Path, look: Callable[[], object]) -> list[Returned]:
    """Have the PACS send an image, and wait for what comes back in its study.

    Args:
        pacs: Sends, and takes.
        image: A DICOM file.
        look: Is called while nothing comes; raises where something has ended.

    Returns:
        What came back, in the order in which it came, until nothing more came for 3 seconds.

    Raises:
        StackError: It was not taken, or nothing came back within 120 seconds.
    """
    sent = dcmread(image, stop_before_pixels=True)
    known = {str(sent.SOPInstanceUID), *pacs.objects(sent.StudyInstanceUID)}
    pacs.send(image)
    began = last = time.monotonic()
    returned: list[Returned] = []
    while time.monotonic() - last < (_QUIET_S if returned else WITHIN_S):
        held = pacs.objects(sent.StudyInstanceUID)
        for uid in held.keys() - known:
            last = time.monotonic()
            header = dcmread(BytesIO(held[uid]), stop_before_pixels=True)
            told = (header.Modality, str(header.get("SeriesDescription", "")))
            returned.append(Returned(last - began, *told, held[uid]))
        known |= held.keys()
        look()
        time.sleep(_LOOK_EVERY_S)
    if not returned:
        raise StackError(f"nothing came back to {pacs.ae_title} within {WITHIN_S:.0f} s")
    return returned


def report_text(content: bytes) -> str:
    """Return a structured report as text: by DCMTK's ``dsrdump``, or a tree where it is missing."""
    program = shutil.which("dsrdump")
    if program is not None:
        with NamedTemporaryFile(suffix=".dcm") as file:
            file.write(content)
            file.flush()
            # Some character sets cannot be converted, and are then shown as they are.
            for convert in (("--convert-to-utf8",), ()):
                argv = (program, "--quiet", *convert, file.name)
                done = subprocess.run(argv, capture_output=True, check=False)
                if done.returncode == 0:
                    return done.stdout.decode(errors="replace").rstrip()
    return "\n".join(_lines(dcmread(BytesIO(content)), 0))


def _lines(item: Dataset, depth: int) -> Iterator[str]:
    named = item.get("ConceptNameCodeSequence")
    name = named[0].CodeMeaning if named else ""
    yield f"{'  ' * depth}{name}: {_value(item)}".rstrip(": ")
    for child in item.get("ContentSequence", ()):
        yield from _lines(child, depth + 1)


def _value(item: Dataset) -> str:
    for keyword in ("TextValue", "UID", "DateTime", "PersonName"):
        if keyword in item:
            return str(item[keyword].value)
    if "MeasuredValueSequence" in item:
        return str(item.MeasuredValueSequence[0].NumericValue)
    if "ConceptCodeSequence" in item:
        return str(item.ConceptCodeSequence[0].CodeMeaning)
    return ""
