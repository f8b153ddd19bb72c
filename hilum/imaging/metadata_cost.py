"""What metadata of PNG and JPEG files would cost to read.

Pillow reads the EXIF block of a JPEG when it opens it, and copies the value of each entry. In a
hostile block thousands of entries point at the same bytes, and 64 KB become 350 MB.
"""

from __future__ import annotations

import struct
from typing import Final

from hilum.domain.errors import TooManySegments, WorkingMemoryExceeded
from hilum.imaging.budget import BUDGET
from hilum.imaging.jpeg_header import header_segments
from hilum.imaging.png_header import PNG_SIGNATURE

_APP1: Final = 0xE1
_APP2: Final = 0xE2
_TIFF_BLOCKS: Final = ((_APP1, b"Exif\0\0"), (_APP2, b"MPF\0"))
_APP13: Final = 0xED
_JOINED: Final = frozenset({_APP1, _APP13})
"""Pillow joins these, or walks through them entry by entry."""
_MOST_METADATA: Final = 4 * 1024 * 1024
_LARGEST_COPY: Final = 32 * 1024 * 1024


def check_jpeg_metadata(data: bytes) -> None:
    """Refuse a JPEG whose metadata cost more than an image may.

    Args:
        data: The file.

    Raises:
        TooManySegments: More segments than the budget allows.
        WorkingMemoryExceeded: An EXIF or multi-picture block that copies itself many times.
        UnreadableFilm: There is no marker where one has to stand.
    """
    blocks: dict[int, bytearray] = {}
    total = 0
    for marker, at in header_segments(data):
        if marker in _JOINED:
            total += int.from_bytes(data[at + 2 : at + 4])
            if total > _MOST_METADATA:
                raise WorkingMemoryExceeded(
                    f"The file has more than {_MOST_METADATA // 2**20} MiB of EXIF, multi-picture "
                    "or Photoshop blocks."
                )
        for kind, start in _TIFF_BLOCKS:
            if marker == kind and data.startswith(start, at + 4):
                end = at + 2 + int.from_bytes(data[at + 2 : at + 4])
                blocks.setdefault(kind, bytearray()).extend(data[at + 4 + len(start) : end])
    for block in blocks.values():
        _check_tiff(bytes(block))


def check_png_chunks(data: bytes) -> None:
    """Refuse a PNG whose chunks cost more than an image may.

    Args:
        data: The file, from its signature on.

    Raises:
        TooManySegments: More chunks than the budget allows.
        WorkingMemoryExceeded: An EXIF block that copies itself many times.
    """
    _check_tiff(png_exif(data))


def png_exif(data: bytes) -> bytes:
    """Find the EXIF block of a PNG, without decoding its pixels.

    Args:
        data: The file, from its signature on.

    Returns:
        The last block, from its byte order on; empty where there is none.

    Raises:
        TooManySegments: More chunks than the budget allows, or more than one colour profile, which
            each decoder would inflate.
    """
    block, profiled = b"", False
    at, count = len(PNG_SIGNATURE), 0
    while at + 8 <= len(data):
        count += 1
        if count > BUDGET.chunks:
            raise TooManySegments(f"The PNG file has more than {BUDGET.chunks} chunks.")
        length, name = struct.unpack_from(">L4s", data, at)
        if name == b"IEND":
            break
        if name == b"iCCP":
            if profiled:
                raise TooManySegments("The PNG file has more than one colour profile.")
            profiled = True
        if name == b"eXIf":
            block = data[at + 8 : at + 8 + length].removeprefix(b"Exif\0\0")
        at += 12 + int(length)
    return block


def _check_tiff(block: bytes) -> None:
    """Bound entries x bytes of the first directory (TIFF 6.0 section 2)."""
    order = ">" if block.startswith(b"MM") else "<"
    if len(block) < 8:  # noqa: PLR2004 - byte order, 42 and the first directory's offset
        return
    (offset,) = struct.unpack_from(f"{order}L", block, 4)
    if offset + 2 > len(block):
        return
    (entries,) = struct.unpack_from(f"{order}H", block, offset)
    present = min(int(entries), (len(block) - int(offset)) // 12)
    if present * len(block) > _LARGEST_COPY:
        raise WorkingMemoryExceeded(
            f"The metadata of the file has {present} entries in {len(block)} bytes, more than can "
            "be read."
        )
