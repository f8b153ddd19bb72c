"""What an encapsulated codestream says of itself, compared with what the dataset says.

A decoder allocates what its codestream claims, whatever Rows and Columns say. So the claim is read
here first, and a film whose two claims differ is refused.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hilum.adapters.dicom.transfer_syntax import Encoding
from hilum.domain.errors import TruncatedFilm, UnreadableFilm
from hilum.imaging.jpeg_header import jpeg_frame
from hilum.imaging.raster import LARGEST_SCAN_COUNT

if TYPE_CHECKING:
    from hilum.adapters.dicom.image_pixel import ImagePixel

# SOC followed by SIZ (ISO/IEC 15444-1 A.4.1, A.5.1); and the JP2 signature box that some wrongly
# encapsulate around it.
_J2K_START: Final = b"\xff\x4f\xff\x51"
_JP2_START: Final = b"\x00\x00\x00\x0cjP  "
_END: Final = b"\xff\xd9"
_SIGNED: Final = 0x80
_LARGEST_TILE_COUNT: Final = 65_535


@dataclass(frozen=True, slots=True)
class Codestream:
    """The claim of a codestream.

    Attributes:
        rows: Lines.
        columns: Samples per line.
        components: Image components.
        precision: Bits per sample of the first component.
    """

    rows: int
    columns: int
    components: int
    precision: int


def check_codestream(frame: bytes, encoding: Encoding, pixel: ImagePixel) -> Codestream:
    """Read a codestream's claim and hold it against the dataset.

    Args:
        frame: The frame's fragments, joined.
        encoding: JPEG, JPEG_LS or JPEG_2000.
        pixel: Description of the picture by the dataset.

    Returns:
        The claim.

    Raises:
        TruncatedFilm: The codestream has no end marker (EOI or EOC).
        UnreadableFilm: It claims another picture than the dataset, or is no codestream.
    """
    if encoding is Encoding.JPEG_2000:
        claim = _jpeg_2000(frame)
    else:
        claim = _jpeg(frame)
        if frame.count(b"\xff\xda") > LARGEST_SCAN_COUNT:
            raise UnreadableFilm(f"The JPEG has more than {LARGEST_SCAN_COUNT} scans.")
    if (claim.rows, claim.columns) != (pixel.rows, pixel.columns):
        raise UnreadableFilm(
            f"The dataset has {pixel.rows} x {pixel.columns} pixels, its codestream "
            f"{claim.rows} x {claim.columns}."
        )
    if claim.components != pixel.samples or not 1 <= claim.precision <= pixel.allocated:
        raise UnreadableFilm("The codestream has other samples than the dataset says.")
    if not frame.rstrip(b"\x00\xff").endswith(_END):
        raise TruncatedFilm("The codestream ends before its end marker.")
    return claim


def _jpeg(frame: bytes) -> Codestream:
    found = jpeg_frame(frame, complete=True)
    if found is None:  # pragma: no cover - complete data either has a frame header or raises
        raise TruncatedFilm("The codestream ends before its frame header.")
    return Codestream(found.rows, found.columns, found.components, found.precision)


def _jpeg_2000(frame: bytes) -> Codestream:
    start = frame.find(_J2K_START, 0, 4096) if frame.startswith(_JP2_START) else 0
    if start < 0 or not frame.startswith(_J2K_START, start):
        raise UnreadableFilm("The JPEG 2000 codestream does not begin with SOC and SIZ.")
    if len(frame) < start + 45:
        raise TruncatedFilm("The JPEG 2000 codestream ends inside its header.")
    # Lsiz, Rsiz, then Xsiz .. YTOsiz, Csiz and the first component's Ssiz, XRsiz, YRsiz.
    (
        right,
        bottom,
        left,
        top,
        tile_x,
        tile_y,
        tile_left,
        tile_top,
        components,
        size,
        sub_x,
        sub_y,
    ) = struct.unpack_from(">8LHBBB", frame, start + 8)
    columns, rows = right - left, bottom - top
    if min(columns, rows, tile_x, tile_y, components) <= 0 or (sub_x, sub_y) != (1, 1):
        raise UnreadableFilm("The JPEG 2000 header (SIZ) holds values that cannot be.")
    tiles = -(-(right - tile_left) // tile_x) * -(-(bottom - tile_top) // tile_y)
    if tiles > _LARGEST_TILE_COUNT:
        raise UnreadableFilm(f"The JPEG 2000 codestream has {tiles} tiles.")
    return Codestream(rows, columns, components, (size & ~_SIGNED) + 1)
