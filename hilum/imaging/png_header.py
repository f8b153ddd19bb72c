"""The first chunks of a PNG file (W3C PNG, third edition, sections 5 and 11)."""

from __future__ import annotations

import struct
import zlib
from typing import Final

from hilum.domain.errors import MultiFrameFilm, TruncatedFilm, UnreadableFilm
from hilum.imaging.film import FilmHeader

PNG_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"

# Colour type -> (samples per pixel, bit depths that the standard allows), table 12 of the standard.
_COLOUR_TYPES: Final[dict[int, tuple[int, frozenset[int]]]] = {
    0: (1, frozenset({1, 2, 4, 8, 16})),
    2: (3, frozenset({8, 16})),
    3: (1, frozenset({1, 2, 4, 8})),
    4: (2, frozenset({8, 16})),
    6: (4, frozenset({8, 16})),
}
_IHDR_END: Final = 33
_IHDR_LENGTH: Final = 13


def png_header(prefix: bytes) -> FilmHeader:
    """Read IHDR, and refuse an animation as far as the prefix shows one.

    Args:
        prefix: The first bytes of a file that starts with the PNG signature.

    Returns:
        The header: ``bits`` is the bit depth, ``samples`` counts alpha and counts a palette
        index as one.

    Raises:
        TruncatedFilm: The file ends inside IHDR.
        UnreadableFilm: IHDR is damaged or claims something that PNG does not have.
        MultiFrameFilm: An ``acTL`` chunk announces more than one frame.
    """
    if len(prefix) < _IHDR_END:
        raise TruncatedFilm("The PNG file ends inside its header.")
    length, name = struct.unpack(">I4s", prefix[8:16])
    body = prefix[16:29]
    (crc,) = struct.unpack(">I", prefix[29:33])
    if name != b"IHDR" or length != _IHDR_LENGTH or zlib.crc32(name + body) != crc:
        raise UnreadableFilm("The PNG header (IHDR) is damaged.")
    columns, rows, depth, colour_type = struct.unpack(">IIBB", body[:10])
    samples, depths = _COLOUR_TYPES.get(colour_type, (0, frozenset[int]()))
    if depth not in depths or not 0 < rows < 2**31 or not 0 < columns < 2**31:
        raise UnreadableFilm("The PNG header (IHDR) holds values that the standard does not allow.")
    _refuse_animation(prefix)
    return FilmHeader("image/png", rows=rows, columns=columns, bits=depth, samples=samples)


def _refuse_animation(prefix: bytes) -> None:
    """Walk the chunks before the first IDAT: ``acTL`` has to stand there."""
    position = _IHDR_END
    while position + 12 <= len(prefix):
        length, name = struct.unpack_from(">I4s", prefix, position)
        if name == b"IDAT":
            return
        if name == b"acTL":
            (frames,) = struct.unpack_from(">I", prefix, position + 8)
            if frames > 1:
                raise MultiFrameFilm(f"An animated PNG with {frames} frames; a film has one.")
        position += 12 + int(length)
