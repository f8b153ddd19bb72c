"""PNG and JPEG files that are small and cost much: refused early, or decoded in bands."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from hilum.domain.errors import TooManyScans, TooManySegments, WorkingMemoryExceeded
from hilum.imaging.film import FilmLimits
from hilum.imaging.raster import decode_raster
from tests.costs import cost_of_reading
from tests.unit.imaging.pictures import jpeg, png, waves

GREY = waves()
SIDE = 6000


class Raster:
    """Reads PNG and JPEG alone."""

    def read(self, data):
        return decode_raster(data, FilmLimits())


def chunk(name: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">L", len(body)) + name + body + struct.pack(">L", zlib.crc32(name + body))


def entries(count: int, length: int) -> bytes:
    """A TIFF block whose entries all point at the same bytes."""
    head = b"II*\0\x08\0\0\0" + struct.pack("<H", count)
    one = (struct.pack("<HHLL", tag, 1, length - 8, 8) for tag in range(1, count + 1))
    return (head + b"".join(one)).ljust(length, b"\0")


def large_png(colour_type: int, samples: int, bits: int) -> bytes:
    """36 megapixels of stripes with a small share of noise, without a copy in memory."""
    packer, pieces = zlib.compressobj(1), []
    rng = np.random.default_rng(3)
    dtype = np.dtype(">u2" if bits == 16 else "u1")
    for row in range(SIDE):
        grey = (np.arange(SIDE) + row) // 50 % 250 + 1
        grey[:20] += rng.integers(0, 5, 20)
        line = np.repeat(grey[:, np.newaxis], samples, axis=1)
        if samples in {2, 4}:
            line[:, -1] = 255
        pieces.append(
            packer.compress(b"\0" + (line * (257 if bits == 16 else 1)).astype(dtype).tobytes())
        )
    header = struct.pack(">LLBBBBB", SIDE, SIDE, bits, colour_type, 0, 0, 0)
    palette = chunk(b"PLTE", np.repeat(np.arange(256, dtype="u1"), 3).tobytes())
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + (palette if colour_type == 3 else b"")
        + chunk(b"IDAT", b"".join([*pieces, packer.flush()]))
        + chunk(b"IEND")
    )


@pytest.mark.parametrize(
    ("colour_type", "samples", "bits"),
    [(6, 4, 16), (6, 4, 8), (3, 1, 8)],
    ids=["rgba16", "rgba8", "palette"],
)
def test_36_megapixels_are_decoded_within_300_mib(colour_type, samples, bits):
    """The largest image that the limits allow is decoded in any layout, in bounded memory."""
    cost = cost_of_reading(Raster(), large_png(colour_type, samples, bits))
    cost.assert_bounded()
    assert cost.answer == "accepted"


JPEG = jpeg(GREY)
PNG = png(GREY)
PROGRESSIVE = jpeg(GREY, progressive=True)
EXIF = b"Exif\0\0" + entries(5000, 65_000)
COSTLY = {
    "a million segments": (JPEG[:2] + b"\xff\xe5\0\x02" * 1_000_000 + JPEG[2:], TooManySegments),
    "millions of fill bytes": (JPEG[:2] + b"\xff" * 8_000_000 + JPEG[2:], TooManySegments),
    "half a million chunks": (PNG[:33] + chunk(b"tIMe") * 500_000 + PNG[33:], TooManySegments),
    "half a million empty IDAT chunks": (
        PNG[:33] + chunk(b"IDAT") * 500_000 + PNG[33:],
        TooManySegments,
    ),
    "entries of EXIF that share their bytes": (
        JPEG[:2] + b"\xff\xe1" + struct.pack(">H", len(EXIF) + 2) + EXIF + JPEG[2:],
        WorkingMemoryExceeded,
    ),
    "an eXIf chunk of many entries that share their bytes": (
        PNG[:33] + chunk(b"eXIf", entries(60_000, 2_000_000)) + PNG[33:],
        WorkingMemoryExceeded,
    ),
    "colour profiles that inflate": (
        PNG[:33] + chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(1_000_000), 9)) * 2_000 + PNG[33:],
        TooManySegments,
    ),
    "EXIF blocks that are joined": (
        JPEG[:2] + (b"\xff\xe1\xff\xffExif\0\0" + b"II*\0" + b"\xff" * 65_523) * 500 + JPEG[2:],
        WorkingMemoryExceeded,
    ),
    "Photoshop blocks of empty entries": (
        JPEG[:2]
        + (b"\xff\xed\xff\xfePhotoshop 3.0\0" + b"8BIM\4\4\0\0\0\0\0\0" * 5459 + bytes(10)) * 500
        + JPEG[2:],
        WorkingMemoryExceeded,
    ),
    "chunks of text that inflate": (
        PNG[:33] + chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1_000_000), 9)) * 60 + PNG[33:],
        WorkingMemoryExceeded,
    ),
}


@pytest.mark.parametrize("name", COSTLY)
def test_a_small_file_that_costs_much_is_refused_with_its_cause(name):
    """A file over the budget is refused before it is decoded, with a code that names the cause."""
    data, kind = COSTLY[name]
    cost = cost_of_reading(Raster(), data)
    cost.assert_bounded()
    assert cost.answer == kind.code


def large_jpeg(mode: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image = Image.effect_noise((1200, 1200), 40).resize((SIDE, SIDE)).convert(mode)
    image.save(buffer, "JPEG", quality=60, **options)
    return buffer.getvalue()


def test_a_large_progressive_jpeg_of_many_scans_is_refused():
    """Scans x pixels are bounded: what a small image may have, a large one may not."""
    data = large_jpeg("L", progressive=True)
    scan = data[data.rindex(b"\xff\xda") : -2]
    cost = cost_of_reading(Raster(), data[:-2] + scan * 40 + data[-2:])
    cost.assert_bounded()
    assert cost.answer == TooManyScans.code
    small = PROGRESSIVE
    scan = small[small.rindex(b"\xff\xda") : -2]
    assert Raster().read(small[:-2] + scan * 40 + small[-2:]).pixels.shape == GREY.shape


def test_a_progressive_jpeg_that_needs_too_much_memory_is_refused():
    """Coefficients of three full components of 36 megapixels are more than one image may hold."""
    cost = cost_of_reading(Raster(), large_jpeg("RGB", progressive=True, subsampling=0))
    cost.assert_bounded()
    assert cost.answer == WorkingMemoryExceeded.code


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_large_jpeg_is_decoded(mode):
    """A plain JPEG of 36 megapixels is accepted, with a thumbnail or without."""
    cost = cost_of_reading(Raster(), large_jpeg(mode))
    cost.assert_bounded()
    assert cost.answer == "accepted"
