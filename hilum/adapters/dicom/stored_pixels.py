"""Pixel data of a DICOM film before and after it is decoded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from hilum.domain.errors import UnreadableFilm

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class PixelData:
    """The pixel data element and what is said of it.

    Attributes:
        value: Its value: samples, or items with fragments.
        representation: Its VR, OB or OW.
        syntax: Transfer Syntax UID, as the file says.
        encapsulated: The length of the element is undefined.
        big_endian: Byte order of the data set.
    """

    value: bytes
    representation: str
    syntax: str
    encapsulated: bool
    big_endian: bool


@dataclass(frozen=True, slots=True)
class StoredPixels:
    """Decoded, and nothing else done to them.

    Attributes:
        patterns: uint8, uint16 or uint32 (or their signed twins) [H, W] for one sample per pixel,
            [H, W, 3] for three.
        precision: Bits that carry the value.
        shift: Position of the lowest of them.
        signed: Two's complement in these bits.
        lossy: The encoding may have changed values, also beyond these bits.
        photometric: Photometric interpretation of ``patterns``.
        syntax: Transfer Syntax UID that they were decoded by.
    """

    patterns: NDArray[np.integer]
    precision: int
    shift: int
    signed: bool
    photometric: str
    syntax: str
    lossy: bool = False


def narrowed(stored: StoredPixels) -> StoredPixels:
    """Put values of 32-bit cells into 16 bits, the depth of every detector.

    Raises:
        UnreadableFilm: 16 bits do not hold them.
    """
    unused = 32 - stored.precision
    kind = np.int32 if stored.signed else np.uint32
    values = (stored.patterns.view(np.uint32) << unused - stored.shift).view(kind) >> unused
    low, high = int(values.min()), int(values.max())
    most = 0x7FFF if low < 0 else 0xFFFF
    if not -most - 1 <= low <= high <= most:
        raise UnreadableFilm(f"Stored values from {low} to {high}; 16 bits are read.")
    patterns = values.astype(np.uint16)
    return replace(stored, patterns=patterns, precision=16, shift=0, signed=low < 0)
