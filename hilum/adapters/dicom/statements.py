"""What the attributes of a DICOM data set say of the image, apart from its pixels.

Only plain statements count. What is absent or empty says nothing, and what cannot be read says
nothing and is noted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hilum.adapters.dicom.image_pixel import decimals, element
from hilum.domain.image_note import ImageNote

if TYPE_CHECKING:
    from pydicom import Dataset

_RAW_SOP_CLASSES: Final = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.1.1.1",  # Digital X-Ray
        "1.2.840.10008.5.1.4.1.1.1.2.1",  # Digital Mammography X-Ray
        "1.2.840.10008.5.1.4.1.1.1.3.1",  # Digital Intra-Oral X-Ray
    }
)
_FRONTAL: Final = frozenset({"PA", "AP", "FRONTAL"})
_NOT_FRONTAL: Final = re.compile(r"[LR]L|[LR]?LAT|LATERAL.*|[LR][LAP]O|OBL.*")
_DECUBITUS: Final = re.compile(r"[LR]LD|DECUB.*")
"""A lateral decubitus view is frontal: the patient lies on one side (PS3.3 C.8.11.5)."""
_CHEST: Final = re.compile(r"CHEST|THORA|TORAX|LUNG|RIB|TRUNK|TORSO|BODY|BABY")
_SPINE: Final = re.compile(r"SPINE|VERTEBRA")
_NO_BODY_PART: Final = re.compile(r"|UNKNOWN|OTHER|UNDEFINED|UNSPECIFIED|NONE|ANY|DEFAULT|NA")
_SPACINGS: Final = (
    "PixelSpacing",
    "ImagerPixelSpacing",
    "NominalScannedPixelSpacing",
    "PixelAspectRatio",
)
_LARGEST_ASPECT: Final = 5.0
_SQUARE: Final = 0.01
"""Proportions that differ by less are the same."""


@dataclass(frozen=True, slots=True)
class Orientation:
    """What Patient Orientation says of an image.

    Attributes:
        mirrored: Left and right are exchanged.
        flipped: Top and bottom are exchanged.
        lateral: The image shows the patient from the side.
        notes: What is to be done about it, or cannot be.
    """

    mirrored: bool = False
    flipped: bool = False
    lateral: bool = False
    notes: frozenset[ImageNote] = frozenset()


_MIRRORED: Final = frozenset({ImageNote.IMAGE_MIRRORED})
_FLIPPED: Final = frozenset({ImageNote.IMAGE_FLIPPED})
_PLAIN: Final[dict[tuple[str, ...], Orientation]] = {
    ("R", "F"): Orientation(mirrored=True, notes=_MIRRORED),
    ("L", "H"): Orientation(flipped=True, notes=_FLIPPED),
    ("R", "H"): Orientation(mirrored=True, flipped=True, notes=_MIRRORED | _FLIPPED),
    **{(row, column): Orientation(lateral=True) for row in "AP" for column in "FH"},
    **{
        (row, column): Orientation(notes=frozenset({ImageNote.ORIENTATION_SIDEWAYS}))
        for row in "FH"
        for column in "LR"
    },
}


def text(dataset: Dataset, keyword: str) -> str:
    """Return a single text in capitals, empty where the file holds none or several."""
    value = element(dataset, keyword)
    return value.strip().upper() if isinstance(value, str) else ""


def is_for_processing(dataset: Dataset) -> bool:
    """Return whether an image is FOR PROCESSING, by its intent or its SOP Class (PS3.3 A.26)."""
    stated = element(dataset, "PresentationIntentType")
    several = isinstance(stated, Sequence) and not isinstance(stated, str)
    first = next(iter(stated), "") if several else stated
    intent = re.sub(r"[^A-Z]", "", str(first or "").upper())
    return intent == "FORPROCESSING" or text(dataset, "SOPClassUID") in _RAW_SOP_CLASSES


def orientation(dataset: Dataset) -> Orientation:
    """Read Patient Orientation: directions of rows and of columns (PS3.3 C.7.6.1.1.1).

    Returns:
        Whole flips where both directions are plain and belong to a frontal image. Nothing for an
        oblique image of the usual orientation.
    """
    stated = element(dataset, "PatientOrientation")
    several = isinstance(stated, Sequence) and not isinstance(stated, str)
    values = stated if several else (stated or "",)
    directions = tuple(str(value).strip(" \0").upper() for value in values)
    while directions and not directions[-1]:
        directions = directions[:-1]
    if not any(directions):
        return Orientation()
    ignored = Orientation(notes=frozenset({ImageNote.ORIENTATION_IGNORED}))
    if len(directions) != 2:  # noqa: PLR2004 - of rows, of columns
        return ignored
    usual = directions[0].startswith("L") and directions[1].startswith("F")
    return _PLAIN.get(directions, Orientation() if usual else ignored)


def frontal(view: str) -> bool | None:
    """Return whether a View Position is a frontal one.

    Args:
        view: View Position (0018,5101), in capitals: a defined term (PS3.3 C.8.11.5.1.1), or words.

    Returns:
        None for a view that is neither plainly frontal nor plainly another.
    """
    words = re.findall(r"[A-Z]+", view)
    if any(_DECUBITUS.fullmatch(word) for word in words):
        return None
    is_frontal = not _FRONTAL.isdisjoint(words)
    is_other = any(_NOT_FRONTAL.fullmatch(word) for word in words)
    return None if is_frontal is is_other else is_frontal


def chest(body_part: str) -> bool | None:
    """Return whether a Body Part Examined is the chest.

    Args:
        body_part: (0018,0015), in capitals: a defined term (PS3.16 annex L), or words.

    Returns:
        None where it names no body part.
    """
    letters = re.sub(r"[^A-Z]", "", body_part)
    if _NO_BODY_PART.fullmatch(letters):
        return None
    return bool(_CHEST.search(letters)) and not _SPINE.search(letters)


def shows_one_side(dataset: Dataset) -> bool:
    """Return whether Image Laterality (PS3.3 C.8.11.5.1.3) is one side of the body."""
    return text(dataset, "ImageLaterality") in {"L", "R", "LEFT", "RIGHT"}


def has_burned_in_text(dataset: Dataset) -> bool:
    """Return whether Burned In Annotation (0028,0301) says that the pixels contain text."""
    return text(dataset, "BurnedInAnnotation") in {"YES", "Y"}


def pixel_aspect(dataset: Dataset) -> tuple[float, frozenset[ImageNote]]:
    """Read the proportions of a pixel: spacings first, then Pixel Aspect Ratio (PS3.3 C.7.6.3.1.7).

    Returns:
        Height over width, 1.0 where no plain statement says otherwise, and what is to be noted. A
        statement that is malformed, beyond 1:5, or that another one contradicts, is not applied.
    """
    stated = [_ratio(dataset, keyword) for keyword in _SPACINGS if _is_stated(dataset, keyword)]
    usable = [ratio for ratio in stated if ratio is not None]
    agree = not usable or max(usable) <= min(usable) * (1 + _SQUARE)
    if not agree or len(usable) < len(stated):
        ignored = frozenset({ImageNote.ASPECT_IGNORED})
    else:
        ignored = frozenset()
    if not usable or not agree or abs(usable[0] - 1.0) < _SQUARE:
        return 1.0, ignored
    return usable[0], ignored | {ImageNote.ASPECT_CORRECTED}


def _is_stated(dataset: Dataset, keyword: str) -> bool:
    """Whether the data set has such an element with a value, readable or not."""
    held = dataset.get_item(keyword) if keyword in dataset else None
    value = getattr(held, "value", None)
    return bool(value.strip(b"\0 \\") if isinstance(value, bytes) else value)


def _ratio(dataset: Dataset, keyword: str) -> float | None:
    height, width, *more = (*decimals(dataset, keyword), None)
    if more != [None] or height is None or width is None or min(height, width) <= 0:
        return None
    ratio = height / width
    return ratio if 1 / _LARGEST_ASPECT <= ratio <= _LARGEST_ASPECT else None
