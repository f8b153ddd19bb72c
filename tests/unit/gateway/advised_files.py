"""Files that are refused, and what the advice then asks for."""

from __future__ import annotations

import io
import struct
import zlib
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image
from pydicom import Dataset, Sequence, dcmread, uid
from pydicom.encaps import encapsulate

from hilum.adapters.dicom.phantom_dicom import phantom_dicom
from hilum.imaging.budget import BUDGET
from hilum.imaging.phantom import phantom_film
from tests.unit.adapters.dicom import films

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SIDE: Final = 300
GREY: Final = phantom_film(SIDE, SIDE, 1)
PIXELS: Final = films.scene(bits=12)
EMPTY_ITEM: Final = b"\xfe\xff\x00\xe0" + bytes(4)


def raster(pixels: np.ndarray, kind: str = "png", **options: int | bool) -> bytes:
    """A PNG or JPEG file."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def saved(dataset: Dataset) -> bytes:
    """A DICOM file."""
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


PNG: Final = raster(GREY)
JPEG: Final = raster(GREY, "jpeg")
DICOM: Final = phantom_dicom(SIDE, SIDE)
UNCOMPRESSED: Final = films.film(PIXELS, bits=12)


def changed(change: Callable[[Dataset], object]) -> bytes:
    """The phantom as a DICOM file with other attributes."""
    dataset = dcmread(io.BytesIO(DICOM))
    change(dataset)
    return saved(dataset)


def as_video(dataset: Dataset) -> None:
    dataset.file_meta.TransferSyntaxUID = uid.MPEG2MPML
    dataset.PixelData = encapsulate([b"\0\0\1\xb3" * 8])


def with_private(dataset: Dataset, items: Sequence) -> None:
    dataset.private_block(0x0011, "A CONVERTER", create=True).add_new(1, "SQ", items)


def many_elements(dataset: Dataset) -> None:
    """Private attributes without end."""
    with_private(dataset, Sequence([Dataset() for _ in range(BUDGET.elements + 1)]))


def nested(dataset: Dataset) -> None:
    """Private sequences in one another."""
    inner = Dataset()
    for _ in range(BUDGET.depth + 1):
        outer = Dataset()
        with_private(outer, Sequence([inner]))
        inner = outer
    with_private(dataset, Sequence([inner]))


def without_private(content: bytes) -> bytes:
    """What an export without private attributes writes."""
    dataset = dcmread(io.BytesIO(content))
    dataset.remove_private_tags()
    return saved(dataset)


def many_scans() -> bytes:
    """A progressive JPEG whose last scan is repeated."""
    whole = raster(phantom_film(256, 256, 1), "jpeg", progressive=True, quality=5)
    last, end = whole.rindex(b"\xff\xda"), whole.rindex(b"\xff\xd9")
    return whole[:end] + whole[last:end] * BUDGET.scans + whole[end:]


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG file."""
    return struct.pack(">L", len(body)) + kind + body + struct.pack(">L", zlib.crc32(kind + body))


def much_memory() -> bytes:
    """A PNG file whose EXIF entries all point at the same 300 KB."""
    count, length = 1200, 300_000
    entries = (struct.pack("<HHLL", tag, 1, length - 8, 8) for tag in range(1, count + 1))
    head = b"II*\0\x08\0\0\0" + struct.pack("<H", count) + b"".join(entries)
    return PNG[:33] + chunk(b"eXIf", head.ljust(length, b"\0")) + PNG[33:]


def many_fragments() -> bytes:
    """A JPEG in DICOM in more fragments than any writer makes."""
    data = films.jpeg_baseline(films.scene(bits=8))
    at = data.index(b"\xe0\x7f\x10\x00") + 12
    return data[:at] + EMPTY_ITEM * (BUDGET.fragments + 1) + data[at:]


MANY_ELEMENTS, NESTED = changed(many_elements), changed(nested)
RAW: Final = changed(lambda d: setattr(d, "PresentationIntentType", "FOR PROCESSING"))

REFUSED: Final[Mapping[str, tuple[tuple[bytes, ...], tuple[bytes, ...]]]] = {
    "unsupported_format": ((b"a letter",), (DICOM, PNG, JPEG)),
    "unsupported_transfer_syntax": (
        (changed(as_video),),
        (
            UNCOMPRESSED,
            films.jpeg_baseline(films.scene(bits=8)),
            films.compressed(uid.JPEGLSLossless, PIXELS, bits=12),
            films.jpeg_2000(uid.JPEG2000Lossless, PIXELS, bits=12),
            films.compressed(uid.RLELossless, PIXELS, bits=12),
        ),
    ),
    "unreadable_film": ((PNG[:60] + b"\0" * 900 + PNG[960:],), (PNG,)),
    "truncated_film": ((DICOM[: len(DICOM) // 2],), (DICOM,)),
    "not_an_image": ((changed(lambda d: d.__delitem__("PixelData")),), (DICOM,)),
    "multi_frame": ((changed(lambda d: setattr(d, "NumberOfFrames", 2)),), (DICOM,)),
    "colour_film": ((raster(np.stack([GREY, 255 - GREY, GREY // 2], axis=-1)),), (PNG,)),
    "blank_rendering": ((changed(lambda d: setattr(d, "WindowCenter", 60000)),), (DICOM,)),
    "for_processing": ((RAW,), (DICOM,)),
    "not_a_frontal_chest_xray": ((raster(np.full((SIDE, SIDE), 250, np.uint8)),), (PNG,)),
    "film_too_small": ((raster(phantom_film(256, 256, 1)[:40, :40]),), (PNG,)),
    "too_many_elements": ((MANY_ELEMENTS,), (without_private(MANY_ELEMENTS),)),
    "nested_too_deep": ((NESTED,), (without_private(NESTED),)),
    "too_many_segments": (
        (many_fragments(), PNG[:33] + chunk(b"tEXt", b"k\0") * (BUDGET.chunks + 1) + PNG[33:]),
        (UNCOMPRESSED, PNG),
    ),
    "too_many_scans": ((many_scans(),), (JPEG, DICOM)),
    "working_memory": ((much_memory(),), (DICOM, PNG)),
    "file_too_large": ((UNCOMPRESSED,), (films.compressed(uid.JPEGLSLossless, PIXELS, bits=12),)),
    "too_many_pixels": ((PNG,), (raster(phantom_film(260, 260, 1)),)),
    "compression_ratio_too_high": ((raster(GREY, "jpeg", quality=5),), (DICOM,)),
}
"""By code: files that are refused with it, and files as its advice asks for them."""
