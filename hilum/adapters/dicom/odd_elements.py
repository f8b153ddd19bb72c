"""Elements of explicit VR whose header pydicom cannot read: old or unknown representations.

Writers before 1996 gave VR UN a length of 2 bytes. Others wrote ``??``, blanks or NUL where they
knew no VR, or a VR that was never defined.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

from hilum.adapters.dicom.data_start import VALUE_REPRESENTATIONS

if TYPE_CHECKING:
    from pydicom.tag import BaseTag

    from hilum.adapters.dicom.bounded_stream import BoundedStream

_CHARACTER_SET: Final = 0x00080005
_SHORT_HEADER, _LONG_HEADER = 8, 12
_UNDEFINED: Final = 0xFFFFFFFF
_NAMES: Final = frozenset(name.decode() for name in VALUE_REPRESENTATIONS)


def end_of_odd(
    stream: BoundedStream,
    tag: BaseTag,
    vr: str | None,
    length: int,
    *,
    implicit: bool,
    little: bool,
) -> int | None:
    """Find the end of an element that is to be passed over.

    Args:
        stream: The data set, read up to the value.
        tag: Of the element.
        vr: Its VR as pydicom reads it, None for an element that has none.
        length: Its length, likewise.
        implicit: Whether the data set has no VRs.
        little: Byte order of the data set.

    Returns:
        The offset of the next element, or None for an element that pydicom reads. Specific
        Character Set is passed over too: no text is read, and pydicom fails over some values.
    """
    value = stream.tell()
    if tag == _CHARACTER_SET and length != _UNDEFINED:
        return value + length
    if implicit or (vr in _NAMES and vr not in EXPLICIT_VR_LENGTH_32):
        return None
    start = value - (_LONG_HEADER if vr in EXPLICIT_VR_LENGTH_32 else _SHORT_HEADER)
    order = "<" if little else ">"
    stream.seek(start + 6)
    short, long = struct.unpack(f"{order}HL", stream.read(6).ljust(6, b"\0"))
    # pydicom has read the length of a VR that it knows from 4 bytes. It may be in 2.
    ends = [start + _SHORT_HEADER + short] if short or vr not in _NAMES else []
    if vr not in _NAMES and not short:
        ends.append(start + _LONG_HEADER + long)
    found = next((end for end in ends if _element_follows(stream, end, tag, order)), None)
    stream.seek(value)
    return found


def _element_follows(stream: BoundedStream, at: int, tag: BaseTag, order: str) -> bool:
    """Whether an element of explicit VR with a higher tag begins here."""
    stream.seek(at)
    group, number, vr = struct.unpack(f"{order}HH2s", stream.read(6).ljust(6, b"\0"))
    return (group << 16 | number) > tag and vr in VALUE_REPRESENTATIONS
