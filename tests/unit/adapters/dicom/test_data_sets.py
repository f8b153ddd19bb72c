"""Data sets without a preamble or meta group, and in another encoding than theirs."""

from __future__ import annotations

import gzip
import struct
import zlib

import numpy as np
import pytest
from pydicom import uid
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from hilum.domain.image_note import ImageNote
from tests.unit.adapters.dicom import films
from tests.unit.adapters.dicom.recast import WINDOW, in_window, with_value

PIXELS = films.scene(bits=12)
SHOWN = in_window(PIXELS)


def film():
    """The scene, 12 bits behind a window."""
    return films.dataset(PIXELS, bits=12, **WINDOW)


def bare(*, implicit, little=True):
    """The data set alone, in one of three encodings, for a film with a long Image Type."""
    ds = film()
    ds.ImageType = ["DERIVED", "PRIMARY", *(f"VENDOR VALUE {index}" for index in range(20))]
    if not little:
        ds.PixelData = PIXELS.astype(">u2").tobytes()
    body = DicomBytesIO()
    body.is_little_endian, body.is_implicit_VR = little, implicit
    write_dataset(body, ds)
    return body.getvalue()


BARE = {
    "implicit": bare(implicit=True),
    "explicit": bare(implicit=False),
    "big endian": bare(implicit=False, little=False),
}


@pytest.mark.parametrize("front", [b"", b"\0" * 128, b"DICM", b"\0" * 128 + b"DICM"])
@pytest.mark.parametrize("name", BARE)
def test_a_data_set_without_preamble_or_meta_group(name, front, reader):
    """A data set is read by its own bytes, with a preamble, the letters DICM, both or neither."""
    data = front + BARE[name]
    assert reader.inspect(data, len(data)).rows == PIXELS.shape[0]
    assert np.array_equal(reader.read(data).pixels, SHOWN)


@pytest.mark.parametrize("name", BARE)
@pytest.mark.parametrize("first", [0x0010, 0x0018, 0x0028])
def test_a_bare_data_set_that_lost_its_first_groups(first, name, reader):
    """A data set is recognised by any group up to that of the image."""
    ds = film()
    ds.BodyPartExamined = "CHEST"
    ds.PixelData = PIXELS.astype(">u2" if name == "big endian" else "<u2").tobytes()
    for tag in [element.tag for element in ds if element.tag.group < first]:
        del ds[tag]
    body = DicomBytesIO()
    body.is_little_endian, body.is_implicit_VR = name != "big endian", name == "implicit"
    write_dataset(body, ds)
    data = body.getvalue()
    assert reader.inspect(data, len(data)).rows == PIXELS.shape[0]
    assert np.array_equal(reader.read(data).pixels, SHOWN)


def test_a_data_set_behind_the_command_that_it_was_sent_with(reader):
    """A stored C-STORE request is read like its data set."""
    command = b"".join(
        struct.pack("<HHL", 0, number, len(value)) + value
        for number, value in ((0, struct.pack("<L", 20)), (0x100, b"\1\0"), (0x800, b"\0\0"))
    )
    assert np.array_equal(reader.read(command + BARE["implicit"]).pixels, SHOWN)


def meta(syntax):
    """The meta group of a transfer syntax, with its preamble."""
    data = with_value(film(), syntax, b"", undefined=False)
    length = int.from_bytes(data[140:144], "little")
    return data[: 144 + length]


PLAIN = [uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian]


@pytest.mark.parametrize(
    ("said", "name"),
    [
        *((said, name) for said in PLAIN for name in BARE),
        (uid.DeflatedExplicitVRLittleEndian, "explicit"),
    ],
)
def test_the_bytes_of_a_data_set_decide_over_its_transfer_syntax(said, name, reader):
    """VR, byte order and deflation are those of the data set."""
    shown = reader.read(meta(said) + BARE[name])
    assert np.array_equal(shown.pixels, SHOWN)
    wrong_order = (said == uid.ExplicitVRBigEndian) is not (name == "big endian")
    assert (ImageNote.TRANSFER_SYNTAX_CORRECTED in shown.notes) is wrong_order


@pytest.mark.parametrize(
    "said",
    [
        "1.2.3.4.5.6.7.8.9",
        "1.2.840.10008.1.2.1.",
        "1.2.840.10008.1.2.1\\1.2.840.10008.1.2",
        "1.2.840.113619.5.2",
    ],
)
@pytest.mark.parametrize("name", BARE)
def test_an_unknown_transfer_syntax_over_uncompressed_pixels(name, said, reader):
    """The bytes tell the encoding of a data set whose pixels are not encapsulated."""
    data = meta(said) + BARE[name]
    assert reader.inspect(data, len(data)).rows == PIXELS.shape[0]
    assert np.array_equal(reader.read(data).pixels, SHOWN)


@pytest.mark.parametrize("compress", [zlib.compress, gzip.compress])
def test_a_deflated_data_set_with_a_header_of_its_own(compress, reader):
    """A deflated stream is read with and without the header of zlib or gzip."""
    data = meta(uid.DeflatedExplicitVRLittleEndian) + compress(BARE["explicit"])
    assert np.array_equal(reader.read(data).pixels, SHOWN)
