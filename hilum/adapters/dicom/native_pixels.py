"""Uncompressed pixels (PS3.5 section 8.1). Their length tells what the header has wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
from pydicom import uid

from hilum.adapters.dicom.image_pixel import fitted
from hilum.adapters.dicom.stored_pixels import PixelData, StoredPixels
from hilum.domain.errors import TruncatedFilm
from hilum.imaging.colour import plain_grey
from hilum.imaging.colour_model import grey_distance, is_neutral

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hilum.adapters.dicom.image_pixel import ImagePixel

_BYTE, _PACKED, _WORD = 8, 12, 16
_PAIRED: Final = frozenset({"YBR_FULL_422", "YBR_PARTIAL_422"})
_LOOKED_AT: Final = 16
_CLEARLY: Final = 0.75


def native_pixels(value: bytes, source: PixelData, pixel: ImagePixel) -> StoredPixels:
    """Read samples that are not compressed.

    Args:
        value: The samples, and what stands behind them.
        source: The pixel data element.
        pixel: Description of the picture.

    Returns:
        The pixels: a view on the file's bytes where one serves.

    Raises:
        TruncatedFilm: Fewer bytes than the picture needs.
    """
    if pixel.allocated == _PACKED:
        if len(value) < pixel.native_length * _WORD // _PACKED:
            value = _unpacked(value, big=source.big_endian)
        pixel = replace(pixel, allocated=_WORD)
    pixel = _fitted_to(pixel, value)
    big = source.big_endian
    syntax = str(uid.ExplicitVRBigEndian if big else uid.ExplicitVRLittleEndian)
    length = pixel.native_length
    paired = pixel.photometric in _PAIRED and len(value) < length
    needed = length * 2 // 3 if paired else length
    if len(value) < needed:
        raise TruncatedFilm(f"The pixel data has {len(value)} bytes; the picture needs {needed}.")
    area = pixel.rows * pixel.columns
    threefold = pixel.samples == 1 and 0 <= len(value) - 3 * length <= 1
    flat = _samples(value, source, pixel, needed * (3 if threefold else 1))
    patterns = flat[:area].reshape(pixel.rows, pixel.columns)
    # Every pixel has chrominances of its own in the end, whatever the name says.
    photometric = pixel.photometric.removesuffix("_422")
    if paired:
        patterns = _unpaired(flat, pixel)
    elif pixel.samples > 1:
        patterns = _colours(flat, pixel)
    elif threefold and _is_plain(_some(three := _colours(flat, pixel)), pixel):
        patterns = three[..., 0]
    shift = pixel.high_bit + 1 - pixel.stored
    return StoredPixels(patterns, pixel.stored, shift, pixel.signed, photometric, syntax)


def _fitted_to(pixel: ImagePixel, value: bytes) -> ImagePixel:
    """Correct what the length of the pixels contradicts, one byte of padding apart."""
    length = len(value)
    one = pixel.rows * pixel.columns * pixel.allocated // _BYTE
    samples = pixel.samples
    if fitted(pixel).photometric != pixel.photometric:
        samples = 3 if length >= 3 * one else 1
    elif 0 <= length - one <= 1:
        samples = 1
    allocated = pixel.allocated
    if allocated == _BYTE and length >= 2 * one * samples:
        # Words, by Bits Stored or since their upper halves are empty.
        words = pixel.stored > _BYTE or not value[1 : 2 * one * samples : 2].strip(b"\0")
        allocated = _WORD if words else _BYTE
    if allocated == _WORD and pixel.stored <= _BYTE and 0 <= length - one * samples // 2 <= 1:
        allocated = _BYTE
    return fitted(pixel, samples=samples, allocated=allocated)


def _samples(
    value: bytes, source: PixelData, pixel: ImagePixel, length: int
) -> NDArray[np.unsignedinteger]:
    big = source.big_endian
    if pixel.allocated == _BYTE and big and source.representation == "OW":
        # 8-bit samples in 16-bit words: big endian swaps each pair (PS3.5 section 8.1.2).
        even = length + length % 2
        words = np.frombuffer(value[:even].ljust(even, b"\0"), ">u2").astype("<u2")
        return words.view(np.uint8)
    width = pixel.allocated // _BYTE
    stored = np.frombuffer(value, f"{'>' if big else '<'}u{width}", count=length // width)
    return stored.astype(stored.dtype.newbyteorder("="), copy=False)


def _unpacked(value: bytes, *, big: bool) -> bytes:
    """Give each sample of 12 bits, two of which are in three bytes (ACR-NEMA), a word."""
    octets = np.frombuffer(value[: len(value) // 3 * 3], np.uint8).reshape(-1, 3).astype(np.uint16)
    first = octets[:, 0] | (octets[:, 1] & 15) << 8
    second = octets[:, 1] >> 4 | octets[:, 2] << 4
    return np.stack([first, second], axis=-1).astype(">u2" if big else "<u2").tobytes()


def _unpaired(flat: NDArray[np.unsignedinteger], pixel: ImagePixel) -> NDArray[np.unsignedinteger]:
    """Give both pixels of a pair the chrominances that they share (PS3.3 C.7.6.3.1.2)."""
    area = pixel.rows * pixel.columns
    pairs = flat[: area // 2 * 4].reshape(-1, 1, 4)
    whole = np.zeros((area, 3), flat.dtype)
    shown = whole[: area // 2 * 2].reshape(-1, 2, 3)
    shown[..., 0] = pairs[:, 0, :2]
    shown[..., 1:] = pairs[..., 2:]
    return whole.reshape(pixel.rows, pixel.columns, 3)


def _colours(flat: NDArray[np.unsignedinteger], pixel: ImagePixel) -> NDArray[np.unsignedinteger]:
    """Three samples per pixel, in the order that Planar Configuration states or that is grey."""
    rows, columns = pixel.rows, pixel.columns
    whole = flat[: 3 * rows * columns]
    orders = [
        whole.reshape(rows, columns, 3),
        whole.reshape(3, rows, columns).transpose(1, 2, 0),
    ]
    stated, other = orders[:: -1 if pixel.planar == 1 else 1]
    return other if _is_greyer(_some(other), _some(stated), pixel) else stated


def _is_greyer(
    other: NDArray[np.unsignedinteger], stated: NDArray[np.unsignedinteger], pixel: ImagePixel
) -> bool:
    """Whether samples show grey in another order and not, or less so, in the stated one."""
    for is_grey in (_is_plain, _is_neutral):
        if is_grey(stated, pixel):
            return False
        if is_grey(other, pixel):
            return True
    # Neighbours in one plane are alike, too. So both orders may be near grey, one clearly nearer.
    distance = grey_distance(other, bits=pixel.stored)
    if distance is None:
        return False
    now = grey_distance(stated, bits=pixel.stored)
    return now is None or distance < _CLEARLY * now


def _some(samples: NDArray[np.unsignedinteger]) -> NDArray[np.unsignedinteger]:
    """Some of the rows, to look at."""
    return samples[:: max(1, len(samples) // _LOOKED_AT)]


def _is_plain(some: NDArray[np.unsignedinteger], pixel: ImagePixel) -> bool:
    return plain_grey(some, bits=pixel.stored) is not None


def _is_neutral(some: NDArray[np.unsignedinteger], pixel: ImagePixel) -> bool:
    return is_neutral(some, bits=pixel.stored)
