"""The file meta group in front of a data set (PS3.10 section 7.1).

It follows from the identifiers and the transfer syntax alone, so that the same data set is the same
file whenever it comes. pydicom writes such a group too, in half a millisecond.
"""

from __future__ import annotations

import struct
from typing import Final

from hilum_listener.offered import IMPLEMENTATION_CLASS_UID

_PREAMBLE: Final = bytes(128) + b"DICM"
_VERSION: Final = struct.pack("<HH2sHL", 0x0002, 0x0001, b"OB", 0, 2) + b"\x00\x01"


def file_meta(sop_class_uid: str, sop_instance_uid: str, transfer_syntax_uid: str) -> bytes:
    """Return preamble, prefix and group 0002 in Explicit VR Little Endian."""
    group = _VERSION + b"".join(
        _uid(element, value)
        for element, value in (
            (0x0002, sop_class_uid),
            (0x0003, sop_instance_uid),
            (0x0010, transfer_syntax_uid),
            (0x0012, IMPLEMENTATION_CLASS_UID),
        )
    )
    length = struct.pack("<HH2sHL", 0x0002, 0x0000, b"UL", 4, len(group))
    return _PREAMBLE + length + group


def _uid(element: int, value: str) -> bytes:
    text = value.encode("ascii")
    text += b"\0" * (len(text) % 2)
    return struct.pack("<HH2sH", 0x0002, element, b"UI", len(text)) + text
