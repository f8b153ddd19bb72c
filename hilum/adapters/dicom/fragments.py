"""The items of encapsulated pixel data (PS3.5 section A.4).

An image here has one frame. So all fragments belong to it, and neither offset table is needed.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from hilum.domain.errors import TooManySegments
from hilum.imaging.budget import BUDGET

ITEM: Final = b"\xfe\xff\x00\xe0"
_ITEM_TAG: Final = (0xFFFE, 0xE000)
_DELIMITER_TAG: Final = (0xFFFE, 0xE0DD)
_UNDEFINED: Final = 0xFFFFFFFF
_RLE_HEADER: Final = 64
_MOST_SEGMENTS: Final = 15
_CODESTREAM_STARTS: Final = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP")


@dataclass(frozen=True, slots=True)
class Span:
    """Where the items of a value of undefined length lie.

    Attributes:
        end: Offset behind the last item, or behind its part that is there.
        resume: Offset of the next element, or None where no delimiter ends the items.
    """

    end: int
    resume: int | None


def span_of_items(data: bytes | memoryview, start: int, *, little: bool = True) -> Span:
    """Find the end of a value of undefined length.

    Args:
        data: The data set.
        start: Offset of the value.
        little: Byte order of tags and lengths.

    Returns:
        The span. Items that the data cut off are part of it.

    Raises:
        TooManySegments: There are more items than the budget allows.
    """
    order = "<" if little else ">"
    at = start
    count = 0
    while at + 8 <= len(data):
        group, number, length = struct.unpack_from(f"{order}HHL", data, at)
        if (group, number) == _DELIMITER_TAG:
            return Span(at, at + 8)
        if (group, number) != _ITEM_TAG:
            break
        if length == _UNDEFINED:
            # A fragment has to have a length. The codestream tells where it ends.
            return Span(len(data), None)
        at += 8 + int(length)
        count += 1
        _refuse_many(count)
    return Span(min(at, len(data)) if at > start else len(data), None)


@dataclass(frozen=True, slots=True)
class Frame:
    """The one frame.

    Attributes:
        data: Its fragments, joined.
        plain: It came as one fragment behind an offset table that is empty or right.
    """

    data: bytes
    plain: bool


def join_fragments(value: bytes, *, little: bool = True) -> Frame:
    """Join the fragments of the one frame.

    Args:
        value: Value of Pixel Data, with or without its delimiter.
        little: Byte order of tags and lengths.

    Returns:
        The frame. A value that does not begin with an item is a frame as it is.

    Raises:
        TooManySegments: There are more fragments than the budget allows.
    """
    order = "<" if little else ">"
    items: list[tuple[int, int]] = []
    at = 0
    while at + 8 <= len(value):
        group, number, length = struct.unpack_from(f"{order}HHL", value, at)
        if (group, number) != _ITEM_TAG:
            break
        items.append((at + 8, min(at + 8 + int(length), len(value))))
        _refuse_many(len(items))
        at += 8 + int(length)
    if not items:
        return Frame(value, plain=False)
    table = value[slice(*items[0])]
    if len(items) == 1 or table.startswith(_CODESTREAM_STARTS) or _begins_rle(table):
        return Frame(b"".join(value[slice(*item)] for item in items), plain=False)
    if len(items) == 2:  # noqa: PLR2004 - the table and one fragment
        return Frame(value[slice(*items[1])], plain=table in {b"", bytes(4)} and little)
    return Frame(b"".join(value[slice(*item)] for item in items[1:]), plain=False)


def _begins_rle(item: bytes) -> bool:
    """Whether an item holds an RLE header (PS3.5 G.5). An offset table begins with 0."""
    if len(item) < _RLE_HEADER:
        return False
    count, first = struct.unpack_from("<2L", item)
    return bool(1 <= count <= _MOST_SEGMENTS and first == _RLE_HEADER)


def _refuse_many(count: int) -> None:
    if count > BUDGET.fragments:
        raise TooManySegments(f"The pixel data has more than {BUDGET.fragments} fragments.")
