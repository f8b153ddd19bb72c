"""Stored pixels of a DICOM film, out of any transfer syntax."""

from __future__ import annotations

import struct
from dataclasses import replace
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
    named_colours,
    whole_codestream,
)
from hilum.adapters.dicom.decoding_cost import check_decoding_memory
from hilum.adapters.dicom.fragments import ITEM, join_fragments
from hilum.adapters.dicom.gdcm_process import decode_with_gdcm
from hilum.adapters.dicom.image_pixel import fitted
from hilum.adapters.dicom.misplaced import is_to_the_left, swapped_where_due
from hilum.adapters.dicom.native_pixels import native_pixels
from hilum.adapters.dicom.rle import decode_rle
from hilum.adapters.dicom.stored_pixels import PixelData, StoredPixels, narrowed
from hilum.adapters.dicom.transfer_syntax import (
    GDCM,
    Encoding,
    decoder_of,
    encoding_of,
    read_as,
)
from hilum.domain.errors import CompressionRatioTooHigh, UnreadableFilm

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hilum.adapters.dicom.fragments import Frame
    from hilum.adapters.dicom.image_pixel import ImagePixel

_BASELINE_BITS: Final = 8
_WORD: Final = 16
_WORD_BYTES, _LONG_BYTES = 2, 4
_RLE_HEADER: Final = 64
_MOST_SEGMENTS: Final = 15
_STARTS: Final = (ITEM, b"\xff\xd8\xff", b"\xff\x4f\xff\x51")


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
    stored = _decoded(source, pixel, largest_ratio)
    if stored.patterns.itemsize == _LONG_BYTES:
        stored = narrowed(stored)
    if stored.patterns.itemsize != _WORD_BYTES or stored.patterns.ndim != 2:  # noqa: PLR2004 - [H, W]
        return stored
    unused = _WORD - stored.precision
    if unused and not stored.shift and is_to_the_left(stored.patterns, stored.precision):
        return replace(stored, shift=unused)
    swapped = swapped_where_due(stored.patterns)
    if swapped is None:
        return stored
    little = stored.syntax == uid.ExplicitVRBigEndian
    syntax = str(uid.ExplicitVRLittleEndian if little else uid.ExplicitVRBigEndian)
    return replace(stored, patterns=swapped, syntax=syntax)


def _decoded(source: PixelData, pixel: ImagePixel, largest_ratio: float) -> StoredPixels:
    if not _in_fragments(source, pixel):
        return native_pixels(source.value, source, pixel)
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
        return native_pixels(frame.data, source, pixel)
    if encoding is Encoding.RLE:
        pixel = fitted(pixel, allocated=_WORD if _BASELINE_BITS < pixel.allocated < _WORD else None)
        return _described(decode_rle(frame.data, pixel), pixel, syntax)
    return _decoded_codestream(frame, source, pixel, syntax)


def _decoded_codestream(
    frame: Frame, source: PixelData, pixel: ImagePixel, syntax: str
) -> StoredPixels:
    encoding, decoder = encoding_of(syntax), decoder_of(syntax)
    claim = check_codestream(frame.data, encoding, pixel)
    if syntax == uid.JPEGExtended12Bit and claim.precision > _BASELINE_BITS:
        decoder = GDCM
    check_decoding_memory(claim, encoding, decoder)
    whole = whole_codestream(frame.data)
    if claim.precision > pixel.allocated:
        # The header cannot be of these samples.
        pixel = replace(pixel, stored=claim.precision, high_bit=claim.precision - 1)
    pixel = fitted(
        pixel,
        samples=claim.components,
        allocated=_WORD if claim.precision > _BASELINE_BITS else min(pixel.allocated, _WORD),
    )
    precision = claim.precision
    if decoder == GDCM:
        patterns = decode_with_gdcm(whole, syntax, precision, pixel)
        if syntax == uid.JPEGExtended12Bit and precision == _WORD:
            # GDCM encodes up to 12 bits as 16, which the standard does not have, without an offset.
            patterns = patterns ^ np.uint16(0x8000)
        return _described(patterns, pixel, syntax, claim=claim)
    # Compressed samples of a pixel come together, whatever Planar Configuration says.
    coded = replace(pixel, stored=precision, planar=0)
    if encoding is Encoding.JPEG and precision <= _BASELINE_BITS:
        # 8 bits in cells of 16: the plug-in gives one byte for each sample.
        coded = replace(coded, allocated=_BASELINE_BITS)
    if encoding is Encoding.JPEG and pixel.samples > 1:
        whole, photometric = named_colours(whole, pixel.photometric)
        coded = replace(coded, photometric=photometric)
    plain = frame.plain and len(whole) == len(frame.data)
    packed = source.value if plain else encapsulate([whole], has_bot=False)
    decoded, photometric = _by_plug_in(packed, source.representation, syntax, coded)
    if encoding is Encoding.JPEG and pixel.samples > 1 and has_adobe_marker(whole):
        # The marker names the colours, so the plug-in has converted them.
        photometric = "RGB"
    if encoding is not Encoding.JPEG_LS:
        # JPEG 2000 and JPEG have chrominances of full range.
        photometric = photometric.replace("PARTIAL", "FULL")
    if claim.transformed:
        # Whatever the label is, the plug-in has undone the transform.
        photometric = "RGB"
    return _described(decoded, pixel, syntax, photometric=photometric, claim=claim)


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
    found = codestream_syntax(frame, read_as(source.syntax))
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


def _described(
    patterns: NDArray[np.integer],
    pixel: ImagePixel,
    syntax: str,
    *,
    photometric: str | None = None,
    claim: Codestream | None = None,
) -> StoredPixels:
    """Find the value in a decoded sample (PS3.5 sections 8.1.1 and 8.2).

    A codestream carries the whole cell: overlay bits, sign bits, and values that High Bit puts
    to the left. A codestream of fewer bits than Bits Stored holds narrower values.
    """
    precision = claim.precision if claim else pixel.allocated
    stored = min(pixel.stored, precision)
    return StoredPixels(
        patterns,
        stored,
        min(pixel.high_bit + 1 - pixel.stored, precision - stored),
        pixel.signed,
        photometric or pixel.photometric,
        syntax,
        # The syntaxes of a loss also cut reversible codestreams short.
        lossy=claim is not None and (claim.lossy or syntax in {uid.JPEG2000, uid.HTJ2K}),
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
