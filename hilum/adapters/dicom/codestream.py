"""What an encapsulated codestream says of itself, compared with what the dataset says.

A decoder allocates what its codestream claims, whatever Rows and Columns say. So the claim is read
here first, and a film whose two claims differ is refused.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pydicom import uid

from hilum.adapters.dicom.transfer_syntax import Encoding
from hilum.domain.errors import TruncatedFilm, UnreadableFilm
from hilum.imaging.jpeg_cost import check_scans
from hilum.imaging.jpeg_header import FRAME_MARKERS, header_segments, jpeg_frame, scans_at

if TYPE_CHECKING:
    from hilum.adapters.dicom.image_pixel import ImagePixel

# SOC followed by SIZ (ISO/IEC 15444-1 A.4.1, A.5.1); and the JP2 signature box that some wrongly
# encapsulate around it.
_J2K_START: Final = b"\xff\x4f\xff\x51"
_JP2_START: Final = b"\x00\x00\x00\x0cjP  "
_END: Final = b"\xff\xd9"
_JPEG_START: Final = b"\xff\xd8"
_START_OF_TILE: Final = b"\xff\x90"
_CODING_STYLE: Final = b"\xff\x52\x00"
_TRANSFORM: Final = b"\1"
_IRREVERSIBLE: Final = b"\0"
_ADOBE: Final = b"\xff\xee\x00\x0eAdobe"
_ADOBE_RGB: Final = _ADOBE + b"\x00\x64" + bytes(5)
_COLOURS: Final = 3
_COMPONENTS: Final = frozenset({1, _COLOURS})
_MOST_BITS: Final = 16
_LOSSLESS_FRAME: Final = 0xC3
_JPEG_LS_FRAME: Final = 0xF7
_BASELINE_BITS: Final = 8
_SIGNED: Final = 0x80
_LARGEST_TILE_COUNT: Final = 65_535

# The first of each is assumed where the file says something else.
_LOSSY_FAMILY: Final[tuple[str, ...]] = (uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit)
_DEEP_FAMILY: Final[tuple[str, ...]] = (uid.JPEGExtended12Bit,)
_LOSSLESS_FAMILY: Final[tuple[str, ...]] = (uid.JPEGLossless, uid.JPEGLosslessSV1)
_JPEG_LS_FAMILY: Final[tuple[str, ...]] = (uid.JPEGLSLossless, uid.JPEGLSNearLossless)
_JPEG_2000_FAMILY: Final[tuple[str, ...]] = (
    uid.JPEG2000,
    uid.JPEG2000Lossless,
    uid.HTJ2KLossless,
    uid.HTJ2KLosslessRPCL,
    uid.HTJ2K,
)


@dataclass(frozen=True, slots=True)
class Codestream:
    """The claim of a codestream.

    Attributes:
        rows: Lines.
        columns: Samples per line.
        components: Image components.
        precision: Bits per sample of the first component.
        lossy: Whether it is encoded with a loss.
        tiles: Parts of a JPEG 2000 image that are decoded one by one.
        transformed: Whether a JPEG 2000 decoder makes red, green and blue of the components.
    """

    rows: int
    columns: int
    components: int
    precision: int
    lossy: bool = False
    tiles: int = 1
    transformed: bool = False


def check_codestream(frame: bytes, encoding: Encoding, pixel: ImagePixel) -> Codestream:
    """Read a codestream's claim and hold it against the dataset.

    Args:
        frame: The frame's fragments, joined.
        encoding: JPEG, JPEG_LS or JPEG_2000.
        pixel: Description of the picture by the dataset.

    Returns:
        The claim.

    Raises:
        TruncatedFilm: The codestream ends inside its header.
        UnreadableFilm: It claims another picture than the dataset, or is no codestream.
        TooManySegments: It has more segments than the budget allows.
        TooManyScans: It has more scans than the budget allows.
    """
    if encoding is Encoding.JPEG_2000:
        claim = _jpeg_2000(frame)
    else:
        claim = _jpeg(frame)
        check_scans(frame, claim.rows * claim.columns)
    if (claim.rows, claim.columns) != (pixel.rows, pixel.columns):
        raise UnreadableFilm(
            f"The dataset has {pixel.rows} x {pixel.columns} pixels, its codestream "
            f"{claim.rows} x {claim.columns}."
        )
    if claim.components not in _COMPONENTS or not 1 <= claim.precision <= _MOST_BITS:
        raise UnreadableFilm(
            f"The codestream has {claim.components} components of {claim.precision} bits; 1 and 3 "
            f"of up to {_MOST_BITS} are read."
        )
    return claim


def whole_codestream(frame: bytes) -> bytes:
    """Cut off what follows the end marker: padding, or another image.

    Args:
        frame: A JPEG, JPEG-LS or JPEG 2000 codestream and what stands behind it.

    Returns:
        The codestream up to its end marker and at most one byte of padding.

    Raises:
        TruncatedFilm: The codestream has no end marker (EOI or EOC).
    """
    if frame.endswith(_END) or frame[:-1].endswith(_END):
        return frame
    if frame.startswith(_JPEG_START):
        end = frame.find(_END, scans_at(frame))
    else:
        # Headers of tile-parts may hold the bytes of the marker.
        end = frame.rfind(_END, max(frame.find(_START_OF_TILE), 0))
    if end < 0:
        raise TruncatedFilm("The codestream ends before its end marker.")
    return frame[: end + 2]


def has_adobe_marker(frame: bytes) -> bool:
    """Whether a JPEG codestream has Adobe's APP14, which names the colours of its samples."""
    return _ADOBE in frame[: scans_at(frame)]


def named_colours(frame: bytes, photometric: str) -> tuple[bytes, str]:
    """Tell the colours of three samples where no marker names them.

    Components that are called R, G and B are that. Chrominances alone have fewer samples than
    luminance.

    Args:
        frame: A JPEG codestream.
        photometric: Photometric Interpretation by the data set.

    Returns:
        The codestream, with a marker if its components say RGB, and the interpretation.
    """
    for marker, at in header_segments(frame):
        if marker in FRAME_MARKERS:
            names, factors = frame[at + 10 : at + 19 : 3], frame[at + 11 : at + 19 : 3]
            if names == b"RGB" and not has_adobe_marker(frame):
                return _JPEG_START + _ADOBE_RGB + frame[2:], "RGB"
            if len(set(factors)) > 1:
                return frame, "YBR_FULL_422"
    return frame, photometric


def codestream_syntax(frame: bytes, syntax: str) -> str | None:
    """Name the transfer syntax that a codestream is of.

    Args:
        frame: The frame's fragments, joined.
        syntax: What the file says. It is kept where the codestream is of its family.

    Returns:
        A Transfer Syntax UID, or None where the bytes are no codestream.

    Raises:
        TruncatedFilm: A JPEG codestream ends before its frame header.
        UnreadableFilm: A JPEG codestream is damaged before its frame header.
    """
    if frame.startswith((_J2K_START, _JP2_START)):
        family = _JPEG_2000_FAMILY
    elif frame.startswith(_JPEG_START):
        found = jpeg_frame(frame, complete=True)
        if found is None:  # pragma: no cover - complete data has a frame header or raises
            return None
        families = {_JPEG_LS_FRAME: _JPEG_LS_FAMILY, _LOSSLESS_FRAME: _LOSSLESS_FAMILY}
        deep = found.precision > _BASELINE_BITS
        family = families.get(found.marker, _DEEP_FAMILY if deep else _LOSSY_FAMILY)
    else:
        return None
    return syntax if syntax in family else family[0]


def _jpeg(frame: bytes) -> Codestream:
    found = jpeg_frame(frame, complete=True)
    if found is None:  # pragma: no cover - complete data either has a frame header or raises
        raise TruncatedFilm("The codestream ends before its frame header.")
    lossy = found.marker not in {_LOSSLESS_FRAME, _JPEG_LS_FRAME}
    if found.marker == _JPEG_LS_FRAME:
        # Ns, a name and a table for each component, then NEAR (T.87 C.2.3).
        scan = scans_at(frame)
        lossy = frame[scan + 5 + 2 * found.components : scan + 6 + 2 * found.components] > b"\0"
    return Codestream(found.rows, found.columns, found.components, found.precision, lossy)


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
    coding = frame.find(_CODING_STYLE, start)
    lossy = frame[coding + 13 : coding + 14] == _IRREVERSIBLE
    transformed = components == _COLOURS and frame[coding + 8 : coding + 9] == _TRANSFORM
    return Codestream(rows, columns, components, (size & ~_SIGNED) + 1, lossy, tiles, transformed)
