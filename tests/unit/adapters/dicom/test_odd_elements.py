"""Elements with a header that pydicom cannot read, in front of the pixels."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from pydicom import uid

from tests.unit.adapters.dicom import films
from tests.unit.adapters.dicom.recast import WINDOW, in_window

PIXELS = films.scene(bits=12)
FILM = films.film(PIXELS, bits=12, **WINDOW)
PRIVATE = b"\x09\x00\x01\x10"
ODD = {
    "UN with 2 bytes of length": PRIVATE + b"UN" + struct.pack("<H", 4) + b"abcd",
    "question marks": PRIVATE + b"??" + struct.pack("<H", 4) + b"abcd",
    "question marks, 4 bytes of length": PRIVATE + b"??\0\0" + struct.pack("<L", 4) + b"abcd",
    "blanks": PRIVATE + b"  " + struct.pack("<H", 4) + b"abcd",
    "NUL": PRIVATE + b"\0\0" + struct.pack("<H", 4) + b"abcd",
    "small letters": PRIVATE + b"lo" + struct.pack("<H", 4) + b"abcd",
    "an unknown VR, 4 bytes of length": PRIVATE + b"OX\0\0" + struct.pack("<L", 4) + b"abcd",
    "an unknown VR, 2 bytes of length": PRIVATE + b"NA" + struct.pack("<H", 4) + b"abcd",
    "no VR": PRIVATE + struct.pack("<L", 8) + b"abcd1234",
    "a proper UN": PRIVATE + b"UN\0\0" + struct.pack("<L", 4) + b"abcd",
}


def with_odd(data: bytes, odd: bytes) -> bytes:
    """A data set with an element in front of the patient's name."""
    at = data.index(b"\x10\x00\x10\x00PN")
    return data[:at] + odd + data[at:]


@pytest.mark.parametrize("name", ODD)
def test_an_element_with_an_odd_header_is_passed_over(name, reader):
    """What stands behind it is read, plain and deflated."""
    assert np.array_equal(reader.read(with_odd(FILM, ODD[name])).pixels, in_window(PIXELS))
    start = 144 + int.from_bytes(FILM[140:144], "little")
    said = films.native(uid.DeflatedExplicitVRLittleEndian, PIXELS, bits=12)
    head = said[: 144 + int.from_bytes(said[140:144], "little")]
    packed = zlib.compress(with_odd(FILM[start:], ODD[name]))
    assert np.array_equal(reader.read(head + packed).pixels, in_window(PIXELS))


@pytest.mark.parametrize("value", [b"\0\1\xff\xfe", b"ISO_IR 999", b"\\ISO 2022 IR 87\\" * 40, b""])
@pytest.mark.parametrize("implicit", [True, False])
def test_no_character_set_keeps_an_image_from_being_read(implicit, value, reader):
    """Specific Character Set may hold anything: no text is read."""
    padded = value + b" " * (len(value) % 2)
    length = struct.pack("<L" if implicit else "<H", len(padded))
    element = b"\x08\x00\x05\x00" + (b"" if implicit else b"CS") + length + padded
    syntax = uid.ImplicitVRLittleEndian if implicit else uid.ExplicitVRLittleEndian
    ds = films.dataset(PIXELS, bits=12, **WINDOW)
    ds.file_meta.TransferSyntaxUID = syntax
    data = films.file_of(ds)
    at = 144 + int.from_bytes(data[140:144], "little")
    assert np.array_equal(reader.read(data[:at] + element + data[at:]).pixels, in_window(PIXELS))
