"""Films whose header and bytes disagree, made for tests."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom import dcmread, uid
from pydicom.encaps import get_frame

from tests.unit.adapters.dicom import films

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

WINDOW = {"WindowCenter": 2047.5, "WindowWidth": 4095, "VOILUTFunction": "LINEAR_EXACT"}


def in_window(values: Any) -> Any:
    """Values through ``WINDOW``, as presentation values."""
    return np.floor(np.clip(values / 4095.0, 0, 1) * 255 + 0.5).astype(np.uint8)


def recast(data: bytes, **attributes: Any) -> bytes:
    """The file with other attributes around the same bytes of pixels; None removes one."""
    ds = dcmread(io.BytesIO(data))
    for keyword, value in attributes.items():
        if value is None:
            delattr(ds, keyword)
        else:
            setattr(ds, keyword, value)
    return films.file_of(ds)


def codestream_of(data: bytes) -> bytes:
    """The one codestream of an encapsulated film."""
    return get_frame(dcmread(io.BytesIO(data)).PixelData, 0, number_of_frames=1)


def with_value(ds: Dataset, syntax: str, value: bytes, *, undefined: bool = True) -> bytes:
    """The film with any bytes as its pixel data, under any transfer syntax."""
    ds.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    ds.PixelData = b""
    head = films.file_of(ds)
    # pydicom refuses to write most of these, so the last element is written here.
    head = head[: head.rindex(b"\xe0\x7f\x10\x00")]
    length = b"\xff\xff\xff\xff" if undefined else len(value).to_bytes(4, "little")
    named = _renamed(head, str(syntax))
    return named + b"\xe0\x7f\x10\x00OB\0\0" + length + value


def _renamed(head: bytes, syntax: str) -> bytes:
    """The meta group's transfer syntax written over, and the group's length corrected."""
    padded = syntax.encode() + b"\0" * (len(syntax) % 2)
    at = head.index(b"\x02\x00\x10\x00UI")
    old = int.from_bytes(head[at + 6 : at + 8], "little")
    changed = head[: at + 6] + len(padded).to_bytes(2, "little") + padded + head[at + 8 + old :]
    group = int.from_bytes(changed[140:144], "little") + len(padded) - old
    return changed[:140] + group.to_bytes(4, "little") + changed[144:]


def item(body: bytes) -> bytes:
    """One item of encapsulated pixel data."""
    return b"\xfe\xff\x00\xe0" + len(body).to_bytes(4, "little") + body


DELIMITER = b"\xfe\xff\xdd\xe0\0\0\0\0"
