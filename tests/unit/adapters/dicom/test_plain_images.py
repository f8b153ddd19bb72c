"""Which images are read in the process itself, and what the costliest of them costs."""

from __future__ import annotations

import io
import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from hilum.adapters.dicom import reader_pool
from hilum.adapters.dicom.film_reader import DicomFilmReader
from hilum.adapters.dicom.guarded_reader import GuardedFilmReader
from hilum.domain.errors import DecoderCrashed
from hilum.imaging.budget import PLAIN_PIXELS
from hilum.imaging.film import FilmLimits
from tests.costs import cost_of_reading
from tests.unit.adapters.dicom import films
from tests.unit.imaging.test_raster_budget import chunk, entries

if TYPE_CHECKING:
    from collections.abc import Callable

SIDE = 512
MOST_CPU_S = 1.5  # 1 s, and the noise of a machine that is busy
MOST_MIB = 150
PAETH = b"\4"
ADAM7 = (
    (0, 0, 8, 8),
    (0, 4, 8, 8),
    (4, 0, 8, 4),
    (0, 2, 4, 4),
    (2, 0, 4, 2),
    (0, 1, 2, 2),
    (1, 0, 2, 1),
)


def png(side: int, colour_type: int, samples: int, bits: int, *, interlaced: bool = False) -> bytes:
    """A tinted image with a little transparency, each row filtered by Paeth's rule."""
    packer, rows = zlib.compressobj(1), []
    grey = np.add.outer(np.arange(side), np.arange(side)) % 200 + 20
    shares = (1.0,) if samples < 3 else (1.0, 0.97, 0.94)
    scale = 257 if bits == 16 else 1
    planes = [grey * share * scale for share in shares]
    if samples in {2, 4}:
        planes.append(np.full((side, side), 230 * scale))
    image = np.stack(planes, axis=-1).astype(">u2" if bits == 16 else "u1")
    parts = [image[y::dy, x::dx] for y, x, dy, dx in ADAM7] if interlaced else [image]
    rows = [packer.compress(PAETH + row.tobytes()) for part in parts for row in part]
    header = struct.pack(">LLBBBBB", side, side, bits, colour_type, 0, 0, int(interlaced))
    pixels = chunk(b"IDAT", b"".join([*rows, packer.flush()]))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND")


def jpeg(side: int, mode: str = "L", scans: int = 0, **options: object) -> bytes:
    """Noise; further copies of the last scan."""
    buffer = io.BytesIO()
    grey = np.asarray(Image.effect_noise((side, side), 40))
    image = np.stack([grey, *(grey * share for share in (0.97, 0.94))], axis=-1).astype(np.uint8)
    Image.fromarray(grey if mode == "L" else image).save(buffer, "JPEG", **options)
    data = buffer.getvalue()
    scan = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + scan * scans + data[-2:]


def native(side: int, kind: str) -> bytes:
    """Uncompressed DICOM."""
    deep = np.random.default_rng(1).integers(0, 65536, (side, side)).astype(np.uint16)
    shallow = deep.astype(np.uint8)
    if kind == "grey16":
        return films.film(deep, bits=16)
    if kind == "grey8":
        return films.film(shallow, bits=8)
    if kind == "rgb8":
        return films.film(np.stack([shallow, shallow // 2, shallow // 3], axis=-1), bits=8)
    if kind == "rgb16":
        return films.film(np.stack([deep // 2, deep // 3, deep // 4], axis=-1), bits=16)
    ds = films.dataset(shallow, bits=8, PhotometricInterpretation="PALETTE COLOR")
    for share, name in zip((1.0, 0.97, 0.94), ("Red", "Green", "Blue"), strict=True):
        setattr(ds, f"{name}PaletteColorLookupTableDescriptor", [256, 0, 16])
        table = (np.arange(256) * 257 * share).astype("<u2").tobytes()
        setattr(ds, f"{name}PaletteColorLookupTableData", table)
    return films.file_of(ds)


# By how much a pixel weighs: what PLAIN_PIXELS is divided by.
KINDS: dict[str, tuple[float, Callable[[int], bytes]]] = {
    "grey png": (1, lambda side: png(side, 0, 1, 8)),
    "grey 16-bit png": (1, lambda side: png(side, 0, 1, 16)),
    "interlaced 16-bit png": (2, lambda side: png(side, 0, 1, 16, interlaced=True)),
    "rgb png": (1.5, lambda side: png(side, 2, 3, 8)),
    "rgba png": (2, lambda side: png(side, 6, 4, 8)),
    "interlaced rgba png": (4, lambda side: png(side, 6, 4, 8, interlaced=True)),
    "16-bit rgb png": (6, lambda side: png(side, 2, 3, 16)),
    "16-bit rgba png": (8, lambda side: png(side, 6, 4, 16)),
    "interlaced 16-bit rgba png": (16, lambda side: png(side, 6, 4, 16, interlaced=True)),
    "jpeg": (1, lambda side: jpeg(side, quality=90)),
    "colour jpeg": (1, lambda side: jpeg(side, "RGB", quality=90, subsampling=0)),
    "progressive jpeg": (1, lambda side: jpeg(side, quality=90, progressive=True)),
    "jpeg of 250 scans": (31, lambda side: jpeg(side, scans=243, quality=50, progressive=True)),
    "native grey": (1, lambda side: native(side, "grey16")),
    "native 8-bit grey": (1, lambda side: native(side, "grey8")),
    "native rgb": (3, lambda side: native(side, "rgb8")),
    "native 16-bit rgb": (6, lambda side: native(side, "rgb16")),
    "native palette": (2, lambda side: native(side, "palette")),
}


@pytest.fixture
def no_pool(monkeypatch):
    """A pool that says that it was asked."""

    def ask(*_: object, **__: object) -> None:
        raise DecoderCrashed("asked a process")

    monkeypatch.setattr(reader_pool.ReaderPool, "_ask", ask)


@pytest.fixture
def alone(no_pool):
    return GuardedFilmReader(FilmLimits())


def answer(reader: GuardedFilmReader, data: bytes) -> str:
    return cost_of_reading(reader, data).answer


@pytest.mark.parametrize("name", KINDS)
def test_a_pixel_weighs_what_its_kind_costs(name, no_pool):
    """An image is read in the process itself up to its weight, and in the pool above it."""
    weight, make = KINDS[name]
    data = make(SIDE)
    weighed = int(SIDE * SIDE * weight)
    below, above = (
        GuardedFilmReader(FilmLimits(), plain_pixels=int(weighed * share)) for share in (0.97, 1.02)
    )
    assert answer(above, data) in {"accepted", "colour_film"}
    assert answer(below, data) == DecoderCrashed.code


COSTLIEST = (
    "interlaced 16-bit rgba png",
    "16-bit rgba png",
    "rgba png",
    "jpeg of 250 scans",
    "native palette",
    "native 16-bit rgb",
)


@pytest.mark.parametrize("name", COSTLIEST)
def test_the_costliest_plain_image_costs_a_second_and_150_mib(name, alone):
    """An image just under the limit is read in the process itself, at a bounded cost."""
    weight, make = KINDS[name]
    data = make(int((PLAIN_PIXELS / weight) ** 0.5) - 2)
    costs = [cost_of_reading(alone, data) for _ in range(2)]
    assert {cost.answer for cost in costs} <= {"accepted", "colour_film"}
    assert min(cost.cpu_s for cost in costs) < MOST_CPU_S, costs
    assert max(cost.peak_mib for cost in costs) < MOST_MIB, costs


def test_an_image_in_a_large_file_is_read_elsewhere(alone):
    """A file of more than 32 MB is not plain, whatever fills it."""
    data = native(64, "grey16")
    at = data.index(b"\xe0\x7f\x10\x00")
    element = b"\x29\0\x10\x10OB\0\0" + struct.pack("<L", 33_000_000) + bytes(33_000_000)
    assert answer(alone, data) == "accepted"
    assert answer(alone, data[:at] + element + data[at:]) == DecoderCrashed.code


def test_an_arithmetically_coded_jpeg_is_read_elsewhere(alone):
    """Of more than a megapixel: it takes several times as long."""
    data = jpeg(1024, quality=50)
    assert answer(alone, data.replace(b"\xff\xc0\0", b"\xff\xc9\0")) == DecoderCrashed.code
    assert answer(alone, data) == "accepted"


def test_damaged_metadata_are_not_written_to_the_log(recwarn):
    """Each of hundreds of entries would be a line, with what a sender wrote there."""
    exif = b"Exif\0\0" + entries(500, 60_000)
    data = jpeg(SIDE)
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    assert DicomFilmReader(FilmLimits()).read(data[:2] + segment + data[2:]).pixels.size
    assert not recwarn.list
