"""Stored pixels of a DICOM film, out of any transfer syntax."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pydicom import uid
from pydicom.encaps import get_frame
from pydicom.pixels.decoders.base import get_decoder

from hilum.adapters.dicom.codestream import check_codestream
from hilum.adapters.dicom.gdcm_process import decode_with_gdcm
from hilum.adapters.dicom.rle import decode_rle
from hilum.adapters.dicom.transfer_syntax import GDCM, Encoding, decoder_of, encoding_of
from hilum.domain.errors import CompressionRatioTooHigh, TruncatedFilm, UnreadableFilm

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hilum.adapters.dicom.image_pixel import ImagePixel

_BASELINE_BITS: Final = 8
_YBR_422: Final = "YBR_FULL_422"


@dataclass(frozen=True, slots=True)
class StoredPixels:
    """Decoded, and nothing else done to them.

    Attributes:
        patterns: uint8 or uint16 (or their signed twins) [H, W] for one sample per pixel,
            [H, W, 3] for three.
        precision: Bits that carry the value.
        shift: Position of the lowest of them.
        photometric: Photometric interpretation of ``patterns``; RGB for all three-sample pixels.
    """

    patterns: NDArray[np.integer]
    precision: int
    shift: int
    photometric: str


def decode_pixels(
    value: bytes, value_representation: str, syntax: str, pixel: ImagePixel, largest_ratio: float
) -> StoredPixels:
    """Decode the one frame of a film.

    Args:
        value: Value of Pixel Data (7FE0,0010).
        value_representation: Its VR, OB or OW.
        syntax: Transfer Syntax UID.
        pixel: Description of the picture.
        largest_ratio: Largest decoded bytes / encoded bytes.

    Returns:
        The pixels.

    Raises:
        UnsupportedTransferSyntax: No decoder.
        TruncatedFilm: Fewer bytes than the picture needs.
        UnreadableFilm: The bytes cannot be decoded as that picture.
        CompressionRatioTooHigh: The encoded pixels are too few to be honest.
    """
    encoding = encoding_of(syntax)
    if encoding is Encoding.NATIVE:
        return _native(value, value_representation, syntax, pixel)
    if pixel.native_length > largest_ratio * len(value):
        raise CompressionRatioTooHigh(
            f"The pixels would grow from {len(value)} to {pixel.native_length} bytes; "
            f"the limit is a ratio of {largest_ratio:g}."
        )
    try:
        frame = get_frame(value, 0, number_of_frames=1)
    except Exception as error:
        raise UnreadableFilm("The encapsulated pixel data has no readable fragments.") from error
    if encoding is Encoding.RLE:
        return _described(decode_rle(frame, pixel), pixel)
    claim = check_codestream(frame, encoding, pixel)
    if decoder_of(syntax) == GDCM or (
        syntax == uid.JPEGExtended12Bit and claim.precision > _BASELINE_BITS
    ):
        patterns = decode_with_gdcm(frame, syntax, claim.precision, pixel)
        return StoredPixels(patterns, claim.precision, 0, pixel.photometric)
    coded = replace(pixel, stored=claim.precision)
    decoded, photometric = _by_plug_in(value, value_representation, syntax, coded)
    return StoredPixels(decoded, claim.precision, 0, photometric)


def _native(value: bytes, representation: str, syntax: str, pixel: ImagePixel) -> StoredPixels:
    """Uncompressed pixels (PS3.5 section 8.1): a view on the file's bytes, no copy."""
    length = pixel.native_length
    if pixel.photometric == _YBR_422:
        length = length * 2 // 3
    if len(value) < length:
        raise TruncatedFilm(f"The pixel data has {len(value)} bytes; the picture needs {length}.")
    if pixel.samples > 1:
        patterns, photometric = _by_plug_in(value, representation, syntax, pixel)
        return StoredPixels(patterns, pixel.stored, 0, photometric)
    big = syntax == uid.ExplicitVRBigEndian
    if pixel.allocated == 8 and big and representation == "OW":  # noqa: PLR2004 - bits of a byte
        # 8-bit samples in 16-bit words: big endian swaps each pair (PS3.5 section 8.1.2).
        even = value[: length + length % 2]
        flat = np.frombuffer(even.ljust(length + length % 2, b"\0"), ">u2").astype("<u2")
        return _described(_shaped(flat.view(np.uint8), pixel), pixel)
    kind = "u1" if pixel.allocated == 8 else (">u2" if big else "<u2")  # noqa: PLR2004 - as above
    count = pixel.rows * pixel.columns
    stored = np.frombuffer(value, kind, count=count)
    return _described(
        _shaped(stored.astype(stored.dtype.newbyteorder("="), copy=False), pixel), pixel
    )


def _shaped(flat: NDArray[np.integer], pixel: ImagePixel) -> NDArray[np.integer]:
    return flat[: pixel.rows * pixel.columns].reshape(pixel.rows, pixel.columns)


def _described(patterns: NDArray[np.integer], pixel: ImagePixel) -> StoredPixels:
    return StoredPixels(
        patterns, pixel.stored, pixel.high_bit + 1 - pixel.stored, pixel.photometric
    )


def _by_plug_in(
    value: bytes, representation: str, syntax: str, pixel: ImagePixel
) -> tuple[NDArray[np.integer], str]:
    plug_in = "" if encoding_of(syntax) is Encoding.NATIVE else decoder_of(syntax)
    options: dict[str, Any] = {
        "number_of_frames": 1,
        "rows": pixel.rows,
        "columns": pixel.columns,
        "samples_per_pixel": pixel.samples,
        "bits_allocated": pixel.allocated,
        "bits_stored": pixel.stored,
        "photometric_interpretation": pixel.photometric,
        "pixel_representation": int(pixel.signed),
        "planar_configuration": pixel.planar,
        "pixel_keyword": "PixelData",
        "pixel_vr": representation,
    }
    try:
        patterns, described = get_decoder(uid.UID(syntax)).as_array(
            value, index=0, decoding_plugin=plug_in, **options
        )
    except MemoryError:
        raise  # not the file's fault: its size was checked
    except Exception as error:
        # Decoders raise anything on hostile bytes; the file is what is at fault.
        raise UnreadableFilm("The pixel data cannot be decoded.") from error
    return patterns, str(described["photometric_interpretation"])
