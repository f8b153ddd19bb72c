"""The Image Pixel module of a dataset (PS3.3 C.7.6.3), read with suspicion."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from pydicom.dataelem import RawDataElement

from hilum.domain.errors import MultiFrameFilm, UnreadableFilm

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

MONOCHROME: Final = frozenset({"MONOCHROME1", "MONOCHROME2"})
_COLOUR: Final = frozenset(
    {"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT", "YBR_PARTIAL_420", "YBR_PARTIAL_422"}
)
_KNOWN: Final = MONOCHROME | _COLOUR | {"PALETTE COLOR"}
_COLOUR_SAMPLES: Final = 3
_BYTE, _PACKED, _WORD, _LONG = 8, 12, 16, 32
_BINARY_NUMBERS: Final = frozenset({"US", "SS", "UL", "SL", "FL", "FD"})


@dataclass(frozen=True, slots=True)
class ImagePixel:
    """How the pixels are described.

    Attributes:
        rows: (0028,0010).
        columns: (0028,0011).
        samples: Samples per Pixel (0028,0002), 1 or 3.
        photometric: Photometric Interpretation (0028,0004).
        allocated: Bits Allocated (0028,0100), 8, 12, 16 or 32. Samples of 12 are packed.
        stored: Bits Stored (0028,0101).
        high_bit: High Bit (0028,0102).
        signed: Pixel Representation (0028,0103) is 1.
        planar: Planar Configuration (0028,0006).
    """

    rows: int
    columns: int
    samples: int
    photometric: str
    allocated: int
    stored: int
    high_bit: int
    signed: bool
    planar: int

    @property
    def native_length(self) -> int:
        """Bytes of one uncompressed frame."""
        return self.rows * self.columns * self.samples * self.allocated // 8


def element(dataset: Dataset, keyword: str) -> Any:
    """Value of an element, or None where it is absent, empty or cannot be read."""
    try:
        value = dataset.get(keyword)
    except Exception:  # noqa: BLE001 - whatever a damaged value raises, there is no value
        return None
    return None if value is None or value in ("", b"") else value


def first_of(value: Any) -> Any:
    """The first of several values, or the one value there is."""
    several = isinstance(value, Sequence) and not isinstance(value, str | bytes)
    return next(iter(value), None) if several else value


def integer(dataset: Dataset, keyword: str) -> int | None:
    """Value of an element as one whole number, or None."""
    try:
        return int(first_of(element(dataset, keyword)))
    except (TypeError, ValueError, OverflowError):
        return None


def decimals(dataset: Dataset, keyword: str) -> list[float | None]:
    """Values of an element, at least one, as numbers.

    Args:
        dataset: The data set.
        keyword: An element of VR DS. Some writers put a comma where the point belongs.

    Returns:
        The numbers. None for each that is absent or not finite.
    """
    raw = dataset.get_item(keyword) if keyword in dataset else None
    if (
        isinstance(raw, RawDataElement)
        and isinstance(raw.value, bytes)
        and raw.VR not in _BINARY_NUMBERS
    ):
        return [_number(text) for text in raw.value.decode("latin-1").split("\\")]
    value = element(dataset, keyword)
    several = isinstance(value, Sequence) and not isinstance(value, str | bytes)
    return [_number(one) for one in (value if several else [value])] or [None]


def _number(value: Any) -> float | None:
    try:
        number = float(str(value).strip(" \0\t\r\n").replace(",", "."))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def refuse_frames(dataset: Dataset) -> None:
    """Refuse more than one frame.

    Raises:
        MultiFrameFilm: Number of Frames (0028,0008) is above 1.
    """
    frames = integer(dataset, "NumberOfFrames")
    if frames is not None and frames > 1:
        raise MultiFrameFilm(f"The DICOM object has {frames} frames; a film has one.")


def image_pixel(dataset: Dataset) -> ImagePixel:
    """Read and check the Image Pixel module.

    Args:
        dataset: A dataset that has pixel data.

    Returns:
        The description, as the data set states it. See :func:`fitted`.

    Raises:
        UnreadableFilm: An attribute is missing, or has a value that no radiograph has.
        MultiFrameFilm: More than one frame.
    """
    refuse_frames(dataset)
    rows, columns = integer(dataset, "Rows"), integer(dataset, "Columns")
    allocated = integer(dataset, "BitsAllocated")
    if not rows or not columns or not allocated:
        raise UnreadableFilm("The DICOM object does not say how large its picture is.")
    if not _BYTE <= allocated <= _WORD and allocated != _LONG:
        raise UnreadableFilm(f"{allocated} bits allocated per sample; 8, 12, 16 and 32 are read.")
    photometric = _photometric(dataset)
    samples = integer(dataset, "SamplesPerPixel") or (3 if photometric in _COLOUR else 1)
    if not photometric:
        photometric = "MONOCHROME2" if samples == 1 else "RGB"
    if samples not in {1, _COLOUR_SAMPLES} or photometric not in _KNOWN:
        raise UnreadableFilm(
            f"{samples} samples per pixel as {photometric[:16]}: not a picture that is read here."
        )
    high_bit = integer(dataset, "HighBit")
    return ImagePixel(
        rows=rows,
        columns=columns,
        samples=samples,
        photometric=photometric,
        allocated=allocated if allocated in {_BYTE, _PACKED, _LONG} else _WORD,
        stored=integer(dataset, "BitsStored") or (high_bit + 1 if high_bit else allocated),
        high_bit=-1 if high_bit is None else high_bit,
        signed=integer(dataset, "PixelRepresentation") == 1,
        planar=integer(dataset, "PlanarConfiguration") or 0,
    )


def _photometric(dataset: Dataset) -> str:
    """Photometric Interpretation in capitals, without a space in front of a number."""
    stated = str(first_of(element(dataset, "PhotometricInterpretation")) or "")
    return re.sub(r"\s+(?=\d)", "", stated.strip().upper())


def fitted(
    pixel: ImagePixel, *, samples: int | None = None, allocated: int | None = None
) -> ImagePixel:
    """Make a description consistent in itself.

    Samples of another number than the photometric interpretation has are grey or RGB. A High Bit
    that the value cannot have is the one of a value to the right of its cell.

    Args:
        pixel: The description by the data set.
        samples: Samples per pixel that the bytes hold, where they tell.
        allocated: Bits of a sample, likewise.

    Returns:
        The description of what the bytes hold.
    """
    samples = samples or pixel.samples
    allocated = allocated or pixel.allocated
    photometric = pixel.photometric
    if (samples == 1) is (photometric in _COLOUR):
        photometric = "MONOCHROME2" if samples == 1 else "RGB"
    stored = min(pixel.stored, allocated)
    fits = stored - 1 <= pixel.high_bit < allocated
    return replace(
        pixel,
        samples=samples,
        allocated=allocated,
        photometric=photometric,
        stored=stored,
        high_bit=pixel.high_bit if fits else stored - 1,
    )
