"""Bands of a 16-bit PNG, so that a large one needs little memory.

Pillow decodes a whole file, and keeps the upper byte of such samples alone. So the rows of a band
are put into a small PNG of their own, behind the row that their filters refer to. Pillow decodes
that twice, once for each byte of a sample.
"""

from __future__ import annotations

import io
import struct
import zlib
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from hilum.domain.errors import TruncatedFilm
from hilum.imaging.colour import row_bands
from hilum.imaging.png_header import PNG_SIGNATURE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_IHDR_END: Final = 33
_INTERLACE: Final = 28
_GREY_ALPHA: Final = 2
_SAMPLE_BYTES: Final = 2
_PIECE: Final = 64 * 1024
# Beside its samples a band takes about 40 bytes for a pixel.
_BAND_PIXELS: Final = 250_000
# As many bytes per pixel as grey and alpha of 16 bits, so filtered alike (W3C PNG section 9.2).
_RGBA_OF_EIGHT_BITS: Final = b"\x08\x06"


def decoded_bands(
    data: bytes, shape: tuple[int, int], samples: int, *, multiple: int
) -> Iterator[tuple[int, list[NDArray[np.uint16]]]]:
    """Decode a file band by band.

    Args:
        data: A PNG file of 16 bits per sample.
        shape: Its rows and columns.
        samples: 2, 3 or 4 samples per pixel.
        multiple: Rows of a band are a multiple of it.

    Yields:
        First row of a band, and its samples: uint16 [h, W] each. An interlaced file is decoded
        at once.

    Raises:
        TruncatedFilm: The file ends before its pixels do.
    """
    if data[_INTERLACE]:
        parts = _decoded_whole(data, samples)
        for top, bottom in row_bands(shape, multiple, _BAND_PIXELS):
            band = [part.crop((0, top, shape[1], bottom)) for part in parts]
            yield top, _channels(band, samples)
        return
    pixels = _Inflated(data)
    stride = 1 + shape[1] * samples * _SAMPLE_BYTES
    before = bytes(stride)
    for top, bottom in row_bands(shape, multiple, _BAND_PIXELS):
        rows = before + pixels.take((bottom - top) * stride)
        size = struct.pack(">LL", shape[1], bottom - top + 1)
        channels = _channels(
            _decoded_whole(_png(size + data[24:28] + b"\0", rows), samples), samples
        )
        last = np.stack([channel[-1] for channel in channels], axis=-1)
        before = b"\0" + last.astype(">u2").tobytes()
        yield top, [channel[1:] for channel in channels]


class _Inflated:
    """The pixels of a file: the joined contents of its IDAT chunks, inflated as they are taken."""

    def __init__(self, data: bytes) -> None:
        self._pieces = _inflated_pieces(data)
        self._left = b""

    def take(self, size: int) -> bytes:
        """Give the next bytes.

        Raises:
            TruncatedFilm: There are fewer.
        """
        taken, held = [self._left], len(self._left)
        while held < size:
            piece = next(self._pieces, None)
            if piece is None:
                raise TruncatedFilm("The file ends before its pixels do.")
            taken.append(piece)
            held += len(piece)
        whole = b"".join(taken)
        self._left = whole[size:]
        return whole[:size]


def _inflated_pieces(data: bytes) -> Iterator[bytes]:
    inflater = zlib.decompressobj()
    at = len(PNG_SIGNATURE)
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">L4s", data, at)
        end = min(at + 8 + int(length), len(data))
        for start in range(at + 8, end if name == b"IDAT" else 0, _PIECE):
            packed = data[start : min(start + _PIECE, end)]
            while packed and not inflater.eof:
                yield inflater.decompress(packed, 4 * _PIECE)
                packed = inflater.unconsumed_tail
        at = end + 4


def _png(header: bytes, rows: bytes) -> bytes:
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 0)), (b"IEND", b""))
    return PNG_SIGNATURE + b"".join(_chunk(name, body) for name, body in chunks)


def _chunk(name: bytes, body: bytes) -> bytes:
    crc = zlib.crc32(body, zlib.crc32(name))
    return struct.pack(">L4s", len(body), name) + body + struct.pack(">L", crc)


def _decoded_whole(data: bytes, samples: int) -> list[Image.Image]:
    """Decode a whole file: one image with grey and alpha in its bytes, or one for each byte."""
    if samples == _GREY_ALPHA:
        body = data[16:24] + _RGBA_OF_EIGHT_BITS + data[26:29]
        named = data[:8] + _chunk(b"IHDR", body) + data[_IHDR_END:]
        with Image.open(io.BytesIO(named), formats=["PNG"]) as image:
            image.load()
            return [image]
    kind = "RGB" if samples == 3 else "RGBA"  # noqa: PLR2004 - red, green, blue
    return [_decoded(data, f"{kind};16B"), _decoded(data, f"{kind};16L")]


def _channels(parts: list[Image.Image], samples: int) -> list[NDArray[np.uint16]]:
    """Give each sample as uint16 [h, W]."""
    if samples == _GREY_ALPHA:
        pairs = np.asarray(parts[0], dtype=np.uint8).view(">u2")
        return [pairs[..., index].astype(np.uint16) for index in range(samples)]
    high, low = parts
    return [_channel(high, low, index) for index in range(samples)]


def _decoded(data: bytes, raw_mode: str) -> Image.Image:
    """Decode with a raw mode that picks the upper (16B) or the lower byte (16L) of samples."""
    image = Image.open(io.BytesIO(data), formats=["PNG"])
    image.tile = [image.tile[0]._replace(args=raw_mode)]
    image.load()
    return image


def _channel(high: Image.Image, low: Image.Image, index: int) -> NDArray[np.uint16]:
    samples = np.asarray(high.getchannel(index)).astype(np.uint16)
    samples <<= 8
    samples |= np.asarray(low.getchannel(index))
    return samples
