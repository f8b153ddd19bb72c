"""What the attributes of a DICOM data set say of the image, apart from its pixels.

Only plain statements count. What is absent or empty says nothing, and what cannot be read says
nothing and is noted.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydicom import Dataset

from hilum.adapters.dicom import vocabulary
from hilum.adapters.dicom.image_pixel import decimals, element
from hilum.domain.image_note import ImageNote

_RAW_SOP_CLASSES: Final = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.1.1.1",  # Digital X-Ray
        "1.2.840.10008.5.1.4.1.1.1.2.1",  # Digital Mammography X-Ray
        "1.2.840.10008.5.1.4.1.1.1.3.1",  # Digital Intra-Oral X-Ray
    }
)
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
    """Return a single text in capitals, without accents; empty where there is none, or several."""
    value = element(dataset, keyword)
    if not isinstance(value, str):
        return ""
    letters = unicodedata.normalize("NFKD", value.strip(" \0").upper())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def is_for_processing(dataset: Dataset, sop_class: str | None) -> bool:
    """Return whether an image is FOR PROCESSING, by its intent or its SOP Class (PS3.3 A.26)."""
    stated = element(dataset, "PresentationIntentType")
    several = isinstance(stated, Sequence) and not isinstance(stated, str)
    first = next(iter(stated), "") if several else stated
    intent = re.sub(r"[^A-Z]", "", str(first or "").upper())
    return intent == "FORPROCESSING" or sop_class in _RAW_SOP_CLASSES


def orientation(dataset: Dataset) -> Orientation:
    """Read Patient Orientation: directions of rows and of columns (PS3.3 C.7.6.1.1.1).

    Returns:
        Whole flips where both directions are plain and belong to a frontal image. Nothing for an
        oblique image of the usual orientation.
    """
    stated = element(dataset, "PatientOrientation")
    several = isinstance(stated, Sequence) and not isinstance(stated, str)
    # Some writers separate the two by something else, in one value.
    values = stated if several else re.split(r"[\\/,;\s]+", str(stated or "").strip(" \0"))
    words = (str(value).strip(" \0").upper() for value in values)
    directions = tuple(vocabulary.DIRECTIONS.get(word, word) for word in words)
    while directions and not directions[-1]:
        directions = directions[:-1]
    if not any(directions):
        return Orientation()
    ignored = Orientation(notes=frozenset({ImageNote.ORIENTATION_IGNORED}))
    if len(directions) != 2:  # noqa: PLR2004 - of rows, of columns
        return ignored
    usual = directions[0].startswith("L") and directions[1].startswith("F")
    return _PLAIN.get(directions, Orientation() if usual else ignored)


@dataclass(frozen=True, slots=True)
class View:
    """What a header says of the view.

    Attributes:
        frontal: Whether it is a frontal one. None for a view that is neither plainly frontal nor
            plainly another.
        name: ``PA`` or ``AP`` where it is plainly one of them, else View Position as it stands.
    """

    frontal: bool | None = None
    name: str | None = None


def view(dataset: Dataset) -> View:
    """Read View Position (0018,5101) and View Code Sequence (0054,0220).

    The first has a defined term (PS3.3 C.8.11.5.1.1) or words, the second a code of CID 4010.

    Returns:
        What the words say, or the code where they say nothing.
    """
    words = text(dataset, "ViewPosition")
    stated, coded = view_of_words(words), view_of_codes(_codes(dataset, "ViewCodeSequence"))
    if stated is None or coded is None:
        return stated or coded or View(name=words or None)
    agree = stated.frontal is coded.frontal
    return stated if agree else View(name=stated.name)


def view_of_words(words: str) -> View | None:
    """Understand View Position.

    Args:
        words: In capitals, without accents.

    Returns:
        The view, or None where the words name none.
    """
    found = {name for name in ("PA", "AP") if getattr(vocabulary, name).search(words)}
    others = re.findall(r"[A-Z]+", vocabulary.AP.sub(" ", vocabulary.PA.sub(" ", words)))
    if any(vocabulary.DECUBITUS.fullmatch(word) for word in others):
        return View(name=words)
    is_frontal = bool(found) or "FRONTAL" in others
    is_other = any(vocabulary.NOT_FRONTAL.fullmatch(word) for word in others)
    if not is_frontal and not is_other:
        return None
    if is_frontal is is_other or len(found) > 1:
        return View(name=words)
    if is_frontal and vocabulary.MERE_POSITION.issuperset(others):
        return View(is_frontal, next(iter(found), None))
    return View(is_frontal, words)


def view_of_codes(codes: frozenset[str]) -> View | None:
    """Understand View Code Sequence. Returns None for codes that are unknown or contradict."""
    if codes and codes <= vocabulary.OTHER_VIEW_CODES:
        return View(frontal=False, name=min(codes))
    names = {vocabulary.FRONTAL_CODES.get(code, "") for code in codes}
    return View(frontal=True, name=names.pop()) if len(names) == 1 and "" not in names else None


def chest(dataset: Dataset) -> bool | None:
    """Return whether an image shows the chest, by what it says of the body part.

    Body Part Examined (0018,0015) has a defined term (PS3.16 annex L) or words, Anatomic Region
    Sequence (0008,2218) a code of CID 4031.

    Returns:
        None where neither names a body part that is known, or they contradict each other.
    """
    codes = _codes(dataset, "AnatomicRegionSequence")
    coded = None
    if codes & vocabulary.CHEST_CODES:
        coded = True
    elif codes & vocabulary.OTHER_PART_CODES:
        coded = False
    stated = chest_of_words(text(dataset, "BodyPartExamined"))
    if stated is None or coded is None:
        return coded if stated is None else stated
    return stated if stated is coded else None


def chest_of_words(words: str) -> bool | None:
    """Understand Body Part Examined.

    Args:
        words: In capitals, without accents.
    """
    found = re.findall(r"[A-Z]+", words)
    if any(vocabulary.SPINE.fullmatch(word) for word in found):
        return False
    if any(vocabulary.CHEST.fullmatch(word) for word in found):
        return True
    return None if vocabulary.OTHER_PARTS.isdisjoint(found) else False


def _codes(dataset: Dataset, keyword: str) -> frozenset[str]:
    """SNOMED codes of a sequence, those of damaged items left out."""
    items = element(dataset, keyword)
    if not isinstance(items, Sequence) or isinstance(items, str):
        return frozenset()
    return frozenset(
        text(item, "CodeValue")
        for item in items
        if isinstance(item, Dataset)
        and text(item, "CodingSchemeDesignator") in vocabulary.SNOMED_SCHEMES
    )


def shows_one_side(dataset: Dataset) -> bool:
    """Return whether Image Laterality (PS3.3 C.8.11.5.1.3) is one side of the body."""
    return text(dataset, "ImageLaterality") in vocabulary.ONE_SIDE


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
