"""Where the elements of a DICOM file begin and how they are encoded, by their bytes.

The transfer syntax says the same (PS3.5 section 7, PS3.10 section 7.1). Some files lack it, and in
some it is wrong.
"""

from __future__ import annotations

import struct
from typing import Final

from pydicom import uid
from pydicom.valuerep import VR

VALUE_REPRESENTATIONS: Final = frozenset(str(name).encode() for name in VR)

_PREAMBLE: Final = 128
_MAGIC: Final = b"DICM"
_USUAL_GROUPS: Final = frozenset({0x0002, 0x0008})
_FIRST_GROUPS: Final = frozenset({*_USUAL_GROUPS, 0x0010, 0x0018, 0x0020, 0x0028})
_COMMAND_LENGTH: Final = (0, 0)
_LAST_ELEMENT: Final = 0x00FF
_IMAGE_GROUP: Final = 0x0028
_SHORT: Final = 64
_LONG: Final = 1024


def start_of_elements(data: bytes) -> int | None:
    """Find the first element of a DICOM file.

    A file has a preamble of 128 bytes and the letters DICM (PS3.10 section 7.1). Some writers
    leave out the preamble, the letters, or both. A data set without the letters is recognised by
    its first element.

    Args:
        data: The file, or its first bytes.

    Returns:
        Offset of the first element, or None where the bytes are not DICOM.
    """
    if data[_PREAMBLE : _PREAMBLE + 4] == _MAGIC:
        return _PREAMBLE + 4
    if data.startswith(_MAGIC):
        return 4
    if _begins_data_set(data, 0):
        return 0
    if not any(data[:_PREAMBLE]) and _begins_data_set(data, _PREAMBLE):
        return _PREAMBLE
    return None


def _begins_data_set(data: bytes, at: int) -> bool:
    """Whether a first element begins here, in any of the three encodings.

    It is of group 0002 or 0008, of a later group in a data set that lost those, or of the command
    that a data set was sent with.
    """
    if len(data) < at + 8:
        return False
    explicit = data[at + 4 : at + 6] in VALUE_REPRESENTATIONS
    big = struct.unpack_from(">HH", data, at)
    if explicit and _is_first(*big):
        return True
    group, number, length = struct.unpack_from("<HHL", data, at)
    if _is_first(group, number):
        return explicit or _begins_implicit(data, at)
    return (group, number, length) == (*_COMMAND_LENGTH, 4) and _is_followed(data, at)


def _is_first(group: int, number: int) -> bool:
    return group in _FIRST_GROUPS and (number <= _LAST_ELEMENT or group not in _USUAL_GROUPS)


def _begins_implicit(data: bytes, at: int) -> bool:
    """Whether the length of a first element in implicit VR is plausible.

    A longer one (Image Type with many values) has to be followed by an element with a higher tag,
    and so has one of another group.
    """
    group, _, length = struct.unpack_from("<HHL", data, at)
    if length % 2 or length > _LONG:
        return False
    return (length <= _SHORT and group in _USUAL_GROUPS) or _is_followed(data, at)


def _is_followed(data: bytes, at: int) -> bool:
    """Whether an element with a higher tag follows one in implicit VR."""
    group, number, length = struct.unpack_from("<HHL", data, at)
    following = at + 8 + int(length)
    if len(data) < following + 4:
        return False
    next_group, next_number = struct.unpack_from("<HH", data, following)
    return (group, number) < (next_group, next_number) and next_group <= _IMAGE_GROUP


def element_encoding(start: bytes, syntax: str | None) -> tuple[bool, bool]:
    """Tell the encoding of a data set by its first element.

    Args:
        start: The first 6 bytes of the data set.
        syntax: Transfer Syntax UID, or None where the file has none. It decides what the bytes
            leave open.

    Returns:
        Whether the VR is implicit, and whether the byte order is little endian.
    """
    little = syntax != uid.ExplicitVRBigEndian
    if len(start) < 6:  # noqa: PLR2004 - tag (4) and VR (2)
        return syntax in {None, uid.ImplicitVRLittleEndian}, little
    # The first group is below 0100, so one of its two bytes is zero.
    if bool(start[0]) != bool(start[1]):
        little = bool(start[0])
    return start[4:6] not in VALUE_REPRESENTATIONS, little


def implied_syntax(*, implicit: bool, little: bool) -> str:
    """Name the uncompressed transfer syntax of an encoding."""
    if implicit:
        return uid.ImplicitVRLittleEndian
    return uid.ExplicitVRLittleEndian if little else uid.ExplicitVRBigEndian
