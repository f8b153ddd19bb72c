"""Stored pixels of a DICOM film, out of any transfer syntax."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pydicom import uid
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder

from hilum.adapters.dicom.codestream import (
    Codestream,
    check_codestream,
    codestream_syntax,
    has_adobe_marker,
    whole_codestream,
)
from hilum.adapters.dicom.decoding_cost import check_decoding_memory
from hilum.adapters.dicom.fragments import ITEM, join_fragments
from hilum.adapters.dicom.gdcm_process import decode_with_gdcm
from hilum.adapters.dicom.rle import decode_rle
from hilum.adapters.dicom.transfer_syntax import GDCM, Encoding, decoder_of, encoding_of
from hilum.domain.errors import CompressionRatioTooHigh, TruncatedFilm, UnreadableFilm

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hilum.adapters.dicom.image_pixel import ImagePixel

_BASELINE_BITS: Final = 8
_YBR_422: Final = "YBR_FULL_422"
_RLE_HEADER: Final = 64
_MOST_SEGMENTS: Final = 15
_STARTS: Final = (ITEM, b"\xff\xd8\xff", b"\xff\x4f\xff\x51")


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
        patterns: uint8 or uint16 (or their signed twins) [H, W] for one sample per pixel,
            [H, W, 3] for three.
        precision: Bits that carry the value.
        shift: Position of the lowest of them.
        photometric: Photometric interpretation of ``patterns``.
        syntax: Transfer Syntax UID that they were decoded by.
    """

    patterns: NDArray[np.integer]
    precision: int
    shift: int
    photometric: str
    syntax: str


def decode_pixels(source: PixelData, pixel: ImagePixel, largest_ratio: float) -> StoredPixels:
    """Decode the one frame of a film.

    The bytes decide where the transfer syntax contradicts them: a codestream is decoded as what
    it is, and samples that are not encapsulated are read as they stand.

    Args:
        source: The pixel data element.
        pixel: Description of the picture.
        largest_ratio: Largest decoded bytes / encoded bytes.

    Returns:
        The pixels.

    Raises:
        UnsupportedTransferSyntax: No decoder.
        TruncatedFilm: Fewer bytes than the picture needs.
        UnreadableFilm: The bytes cannot be decoded as that picture.
        CompressionRatioTooHigh: The encoded pixels are too few to be honest.
        LimitExceeded: Decoding costs more than the budget allows, see ``hilum.imaging.budget``.
    """
    if not _in_fragments(source, pixel):
        return _native(source.value, source, pixel)
    value = source.value
    if pixel.native_length > largest_ratio * len(value):
        raise CompressionRatioTooHigh(
            f"The pixels would grow from {len(value)} to {pixel.native_length} bytes; "
            f"the limit is a ratio of {largest_ratio:g}."
        )
    frame = join_fragments(value, little=not source.big_endian)
    syntax = _syntax_of(frame.data, source, pixel)
    encoding = encoding_of(syntax)
    if encoding is Encoding.NATIVE:
        return _native(frame.data, source, pixel)
    if encoding is Encoding.RLE:
        return _described(decode_rle(frame.data, pixel), pixel, syntax)
    claim = check_codestream(frame.data, encoding, pixel)
    decoder = decoder_of(syntax)
    if syntax == uid.JPEGExtended12Bit and claim.precision > _BASELINE_BITS:
        decoder = GDCM
    check_decoding_memory(claim, encoding, decoder)
    whole = whole_codestream(frame.data)
    if decoder == GDCM:
        patterns = decode_with_gdcm(whole, syntax, claim.precision, pixel)
        return _in_cell(patterns, pixel.photometric, claim, pixel, syntax)
    coded = replace(pixel, stored=claim.precision)
    if encoding is Encoding.JPEG and claim.precision <= _BASELINE_BITS:
        # 8 bits in cells of 16: the plug-in gives one byte for each sample.
        coded = replace(coded, allocated=8)
    plain = frame.plain and len(whole) == len(frame.data)
    packed = value if plain else encapsulate([whole], has_bot=False)
    decoded, photometric = _by_plug_in(packed, source.representation, syntax, coded)
    if encoding is Encoding.JPEG and pixel.samples > 1 and has_adobe_marker(whole):
        # The marker names the colours, so the plug-in has converted them.
        photometric = "RGB"
    return _in_cell(decoded, photometric, claim, pixel, syntax)


def is_native(source: PixelData, pixel: ImagePixel) -> bool:
    """Whether pixels are uncompressed: numpy reads them, and no decoder sees their bytes."""
    plain = not source.encapsulated and not source.value.startswith(_STARTS)
    return plain and len(source.value) >= pixel.native_length


def _in_fragments(source: PixelData, pixel: ImagePixel) -> bool:
    """Whether the value holds encoded pixels, whatever the transfer syntax says."""
    if source.encapsulated:
        return True
    encoded = source.value.startswith(_STARTS)
    length = len(source.value)
    if encoding_of(source.syntax) is Encoding.NATIVE:
        return encoded and length < pixel.native_length * 2 // 3
    if source.value.startswith(ITEM) or (encoded and length < pixel.native_length):
        return True
    if length < pixel.native_length and _rle_header_fits(source.value, pixel):
        return True
    if length < pixel.native_length:
        raise UnreadableFilm(
            "The transfer syntax is compressed. The pixel data is neither encapsulated nor as "
            "long as the uncompressed image."
        )
    return False


def _syntax_of(frame: bytes, source: PixelData, pixel: ImagePixel) -> str:
    """The transfer syntax that the fragments are of."""
    found = codestream_syntax(frame, source.syntax)
    if found is not None:
        return found
    said = encoding_of(source.syntax)
    if _rle_header_fits(frame, pixel):
        return str(uid.RLELossless)
    if len(frame) >= pixel.native_length and (said is not Encoding.RLE or _no_rle_header(frame)):
        return str(uid.ExplicitVRLittleEndian)
    if said is Encoding.NATIVE:
        raise UnreadableFilm(
            "The transfer syntax is uncompressed. The pixel data is encapsulated, in no encoding "
            "that is known."
        )
    return source.syntax


def _rle_header_fits(frame: bytes, pixel: ImagePixel) -> bool:
    """Whether an RLE header stands here: the count of segments, then the first's offset (G.5)."""
    if len(frame) < _RLE_HEADER:
        return False
    count, first = struct.unpack_from("<2L", frame)
    return bool(count == pixel.samples * pixel.allocated // 8 and first == _RLE_HEADER)


def _no_rle_header(frame: bytes) -> bool:
    return int.from_bytes(frame[:4], "little") > _MOST_SEGMENTS


def _native(value: bytes, source: PixelData, pixel: ImagePixel) -> StoredPixels:
    """Uncompressed pixels (PS3.5 section 8.1): a view on the file's bytes, no copy."""
    length = pixel.native_length
    if pixel.photometric == _YBR_422:
        if len(value) >= length:
            # Every pixel has chrominances of its own, whatever the name says.
            pixel = replace(pixel, photometric="YBR_FULL")
        else:
            length = length * 2 // 3
    if len(value) < length:
        raise TruncatedFilm(f"The pixel data has {len(value)} bytes; the picture needs {length}.")
    big = source.big_endian
    syntax = str(uid.ExplicitVRBigEndian if big else uid.ExplicitVRLittleEndian)
    if pixel.samples > 1:
        patterns, photometric = _by_plug_in(value, source.representation, syntax, pixel)
        return _described(patterns, replace(pixel, photometric=photometric), syntax)
    if pixel.allocated == 8 and big and source.representation == "OW":  # noqa: PLR2004 - bits of a byte
        # 8-bit samples in 16-bit words: big endian swaps each pair (PS3.5 section 8.1.2).
        even = value[: length + length % 2]
        flat = np.frombuffer(even.ljust(length + length % 2, b"\0"), ">u2").astype("<u2")
        return _described(_shaped(flat.view(np.uint8), pixel), pixel, syntax)
    kind = "u1" if pixel.allocated == 8 else (">u2" if big else "<u2")  # noqa: PLR2004 - as above
    count = pixel.rows * pixel.columns
    stored = np.frombuffer(value, kind, count=count)
    native = stored.astype(stored.dtype.newbyteorder("="), copy=False)
    return _described(_shaped(native, pixel), pixel, syntax)


def _shaped(flat: NDArray[np.integer], pixel: ImagePixel) -> NDArray[np.integer]:
    return flat[: pixel.rows * pixel.columns].reshape(pixel.rows, pixel.columns)


def _described(patterns: NDArray[np.integer], pixel: ImagePixel, syntax: str) -> StoredPixels:
    shift = pixel.high_bit + 1 - pixel.stored
    return StoredPixels(patterns, pixel.stored, shift, pixel.photometric, syntax)


def _in_cell(
    patterns: NDArray[np.integer],
    photometric: str,
    claim: Codestream,
    pixel: ImagePixel,
    syntax: str,
) -> StoredPixels:
    """Find the value in a decoded sample (PS3.5 sections 8.1.1 and 8.2).

    A codestream carries the whole cell: overlay bits, sign bits, and values that High Bit puts
    to the left. A codestream of fewer bits than Bits Stored holds narrower values.
    """
    stored = min(pixel.stored, claim.precision)
    shift = min(pixel.high_bit + 1 - pixel.stored, claim.precision - stored)
    return StoredPixels(patterns, stored, shift, photometric, syntax)


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
        "as_rgb": False,
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
