"""What objects need of an image's header, copied from files of every encoding."""

from __future__ import annotations

import io

import pytest
from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from hilum.adapters.dicom.delivery_context import LARGEST_BYTES, context_of, read_context
from tests.unit.adapters.dicom.encoding.results import HEADERS, image

SYNTAXES = (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
)


def recoded(content: bytes, syntax) -> bytes:
    """Return the same data set in another transfer syntax."""
    dataset = dcmread(io.BytesIO(content))
    for _ in dataset.iterall():
        pass
    pixels = dataset.pixel_array
    dataset.file_meta.TransferSyntaxUID = syntax
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    dataset.PixelData = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
    written = io.BytesIO()
    dcmwrite(written, dataset, enforce_file_format=True)
    return written.getvalue()


@pytest.mark.parametrize("name", HEADERS)
def test_every_encoding_of_a_data_set_gives_the_same_context(name):
    """Explicit and implicit, of both byte orders, and deflated."""
    content = image(**HEADERS[name])
    contexts = {context_of(recoded(content, syntax)) for syntax in SYNTAXES}
    assert len(contexts) == 1
    assert None not in contexts


@pytest.mark.parametrize("name", ["UTF-8", "Japanese", "Cyrillic"])
def test_names_stay_as_they_are_encoded(name):
    """Byte for byte, in any character set."""
    content = image(**HEADERS[name])
    context = context_of(content)
    raw = dcmread(io.BytesIO(content)).get_item("PatientName").value
    assert raw in context
    assert str(read_context(context).PatientName) == HEADERS[name]["PatientName"]


def test_private_elements_pixels_and_comments_stay_out():
    """What no object needs is not kept."""
    dataset = dcmread(io.BytesIO(image(PatientComments="secret")))
    dataset.add_new(0x00110010, "LO", "HILUM TEST")
    dataset.add_new(0x00111001, "LO", "private")
    written = io.BytesIO()
    dataset.save_as(written)
    context = context_of(written.getvalue())
    assert b"private" not in context
    assert b"secret" not in context
    assert "PixelData" not in read_context(context)
    assert len(context) < 4096


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x89PNG\r\n\x1a\n" + bytes(64),
        bytes(200),
        image()[:140],
        image(StudyInstanceUID=None),
        image(SOPInstanceUID=""),
    ],
    ids=["empty", "PNG", "zeros", "cut", "no study", "no instance"],
)
def test_an_image_without_identity_has_no_context(content):
    """Nothing is raised: nothing of it can be sent."""
    assert context_of(content) is None


def test_look_up_tables_go_before_the_context_grows_without_bound():
    """The identity stays."""
    dataset = dcmread(io.BytesIO(image()))
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [65535, 0, 16])
    item.add_new("LUTData", "OW", bytes(2 * LARGEST_BYTES))
    dataset.VOILUTSequence = [item]
    written = io.BytesIO()
    dataset.save_as(written)
    kept = read_context(context_of(written.getvalue()))
    assert "VOILUTSequence" not in kept
    assert kept.StudyInstanceUID == dataset.StudyInstanceUID
