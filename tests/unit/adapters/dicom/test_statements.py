"""Headers that change the meaning of the pixels: what is taken from them, and what is noted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from hilum.domain.errors import ForProcessing
from hilum.domain.image_note import ImageNote
from tests.unit.adapters.dicom import films

if TYPE_CHECKING:
    from hilum.adapters.dicom.film_reader import DicomFilmReader
    from hilum.imaging.film import FilmHeader

SCENE = films.scene(bits=12)
DX_RAW = "1.2.840.10008.5.1.4.1.1.1.1.1"


def header(reader: DicomFilmReader, **attributes: Any) -> FilmHeader:
    return reader.read(films.film(SCENE, bits=12, **attributes)).header


@pytest.mark.parametrize(
    ("stated", "mirrored", "flipped", "notes"),
    [
        (["L", "F"], False, False, set()),
        (["R", "F"], True, False, {ImageNote.IMAGE_MIRRORED}),
        (["r ", "f"], True, False, {ImageNote.IMAGE_MIRRORED}),
        (["R", "F", ""], True, False, {ImageNote.IMAGE_MIRRORED}),
        (["R\0", "F\0"], True, False, {ImageNote.IMAGE_MIRRORED}),
        (["L", "H"], False, True, {ImageNote.IMAGE_FLIPPED}),
        (["R", "H"], True, True, {ImageNote.IMAGE_MIRRORED, ImageNote.IMAGE_FLIPPED}),
        ("", False, False, set()),
        (["", ""], False, False, set()),
        (["LA", "FP"], False, False, set()),
        (["RA", "F"], False, False, {ImageNote.ORIENTATION_IGNORED}),
        (["F", "L"], False, False, {ImageNote.ORIENTATION_SIDEWAYS}),
        (["H", "R"], False, False, {ImageNote.ORIENTATION_SIDEWAYS}),
        ("R", False, False, {ImageNote.ORIENTATION_IGNORED}),
        (["R", "L"], False, False, {ImageNote.ORIENTATION_IGNORED}),
        (["R", "F", "A"], False, False, {ImageNote.ORIENTATION_IGNORED}),
        (["RECHTS", "F"], False, False, {ImageNote.ORIENTATION_IGNORED}),
        (["A", "F"], False, False, set()),
        ("r / f", True, False, {ImageNote.IMAGE_MIRRORED}),
        ("R,F", True, False, {ImageNote.IMAGE_MIRRORED}),
        ("L F", False, False, set()),
        ([" l", "f "], False, False, set()),
        (["Left", "Foot"], False, False, set()),
        (["RIGHT", "FEET"], True, False, {ImageNote.IMAGE_MIRRORED}),
        ("RF", False, False, {ImageNote.ORIENTATION_IGNORED}),
        ("LF", False, False, {ImageNote.ORIENTATION_IGNORED}),
        (["L", "", "F"], False, False, {ImageNote.ORIENTATION_IGNORED}),
    ],
)
def test_only_whole_flips_are_taken_from_the_orientation(reader, stated, mirrored, flipped, notes):
    """Absent, oblique and malformed values change nothing. What contradicts is noted."""
    found = header(reader, PatientOrientation=stated)
    assert (found.mirrored, found.flipped, found.notes) == (mirrored, flipped, notes)
    assert found.frontal is (False if stated == ["A", "F"] else None)


def test_pixels_stay_as_they_are_stored(reader):
    """A reader turns nothing: rows and columns are those of the file."""
    plain = reader.read(films.film(SCENE, bits=12))
    mirrored = reader.read(films.film(SCENE, bits=12, PatientOrientation=["R", "F"]))
    assert np.array_equal(plain.pixels, mirrored.pixels)
    assert plain.header.notes == plain.notes == frozenset()


CORRECTED, IGNORED = {ImageNote.ASPECT_CORRECTED}, {ImageNote.ASPECT_IGNORED}


@pytest.mark.parametrize(
    ("attributes", "aspect", "notes"),
    [
        ({"PixelAspectRatio": [1, 2]}, 0.5, CORRECTED),
        ({"PixelAspectRatio": [4, 3]}, 4 / 3, CORRECTED),
        ({"PixelAspectRatio": [1, 1]}, 1.0, set()),
        ({"PixelSpacing": [0.2, 0.4]}, 0.5, CORRECTED),
        ({"ImagerPixelSpacing": [0.3, 0.2]}, 1.5, CORRECTED),
        ({"NominalScannedPixelSpacing": [0.3, 0.2]}, 1.5, CORRECTED),
        ({"ImagerPixelSpacing": [0.143, 0.1431]}, 1.0, set()),
        ({"PixelSpacing": [0.1, 0.2], "ImagerPixelSpacing": [0.2, 0.4]}, 0.5, CORRECTED),
        ({"PixelSpacing": [0.2, 0.2], "PixelAspectRatio": [1, 2]}, 1.0, IGNORED),
        ({"PixelSpacing": [0, 0.2], "PixelAspectRatio": [1, 2]}, 0.5, CORRECTED | IGNORED),
        ({"PixelAspectRatio": [0, 1]}, 1.0, IGNORED),
        ({"PixelAspectRatio": [-1, 2]}, 1.0, IGNORED),
        ({"PixelAspectRatio": [1, 1000]}, 1.0, IGNORED),
        ({"PixelAspectRatio": [1]}, 1.0, IGNORED),
        ({"PixelAspectRatio": [1, 2, 3]}, 1.0, IGNORED),
        ({"PixelSpacing": None, "PixelAspectRatio": None}, 1.0, set()),
    ],
)
def test_proportions_of_a_pixel(reader, attributes, aspect, notes):
    """Spacings and the ratio agree, or nothing is corrected. What is implausible is noted."""
    ds = films.dataset(SCENE, bits=12)
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)
    found = reader.read(films.file_of(ds)).header
    assert found.pixel_aspect == pytest.approx(aspect)
    assert found.notes == notes


def test_a_spacing_of_letters_is_noted(reader):
    """What is no number at all is a statement that cannot be used, and a comma is a point."""
    data = films.film(SCENE, bits=12, PixelSpacing=[0.25, 0.50])
    found = reader.read(data.replace(b"0.25\\0.5", b"fine\\0.5")).header
    assert (found.pixel_aspect, found.notes) == (1.0, IGNORED)
    found = reader.read(data.replace(b"0.25\\0.5", b"0,25\\0,5")).header
    assert (found.pixel_aspect, found.notes) == (0.5, CORRECTED)


@pytest.mark.parametrize(
    ("attributes", "raw"),
    [
        ({"PresentationIntentType": "FOR PROCESSING"}, True),
        ({"PresentationIntentType": ["FOR PROCESSING", "X"]}, True),
        ({"SOPClassUID": DX_RAW}, True),
        ({"SOPClassUID": DX_RAW, "PresentationIntentType": "FOR PRESENTATION"}, True),
        ({"PresentationIntentType": "FOR PRESENTATION"}, False),
        ({"PresentationIntentType": ""}, False),
    ],
)
def test_raw_detector_values_are_refused_unless_they_are_to_be_accepted(reader, attributes, raw):
    """By the intent or by the SOP Class. An accepted image says that it is one."""
    data = films.film(SCENE, bits=12, **attributes)
    assert reader.inspect(data, len(data)).for_processing is raw
    if raw:
        with pytest.raises(ForProcessing):
            reader.read(data)
    accepted = reader.read(data, for_processing=True)
    assert (ImageNote.FOR_PROCESSING_ACCEPTED in accepted.notes) is raw


@pytest.mark.parametrize("stated", [False, True])
def test_the_meta_group_tells_the_class_of_a_data_set_without_one(reader, stated):
    """Media Storage SOP Class counts where SOP Class is absent, and only there."""
    ds = films.dataset(SCENE, bits=12, SOPClassUID=DX_RAW)
    if stated:
        meta, raw, rest = films.file_of(ds).rpartition(DX_RAW.encode())
        data = meta + films.CR_IMAGE_STORAGE.encode().ljust(len(raw), b"\0") + rest
    else:
        ds.file_meta.MediaStorageSOPClassUID = DX_RAW
        del ds.SOPClassUID
        data = films.file_of(ds)
    assert data.count(DX_RAW.encode()) == 1
    assert reader.inspect(data, len(data)).for_processing is not stated
    accepted = reader.read(data, for_processing=True)
    assert (ImageNote.FOR_PROCESSING_ACCEPTED in accepted.notes) is not stated
    if not stated:
        with pytest.raises(ForProcessing):
            reader.read(data)


@pytest.mark.parametrize(
    ("attributes", "notes"),
    [
        ({"BurnedInAnnotation": "YES"}, {ImageNote.BURNED_IN_ANNOTATION}),
        ({"BurnedInAnnotation": "NO"}, set()),
        ({"PatientAge": "adult"}, {ImageNote.PATIENT_AGE_IGNORED}),
        ({"PatientAge": "999Y"}, {ImageNote.PATIENT_AGE_IGNORED}),
        ({"PatientAge": ["010Y", "011Y"]}, {ImageNote.PATIENT_AGE_IGNORED}),
        ({"PatientAge": " "}, set()),
        ({"PatientAge": "012W"}, set()),
    ],
)
def test_text_in_the_pixels_and_ages_that_cannot_be_read_are_noted(reader, attributes, notes):
    """As codes, which contain nothing of the patient."""
    assert header(reader, **attributes).notes == notes


STATED = (
    "PresentationIntentType",
    "PatientOrientation",
    "ViewPosition",
    "BodyPartExamined",
    "ImageLaterality",
    "ViewCodeSequence",
    "AnatomicRegionSequence",
    "BurnedInAnnotation",
    "PatientAge",
    "PixelSpacing",
    "ImagerPixelSpacing",
    "PixelAspectRatio",
)


@pytest.mark.parametrize("keyword", STATED)
@pytest.mark.parametrize(
    ("representation", "value"),
    [("US", 3), ("US", [1, 2]), ("SQ", [Dataset()]), ("OB", b"\xff\0"), ("FD", float("nan"))],
)
def test_a_statement_of_another_kind_of_value_refuses_no_image(
    reader, keyword, representation, value
):
    """The door and the decoder read the image. What was stated is not followed."""
    ds = films.dataset(SCENE, bits=12)
    tag = tag_for_keyword(keyword)
    ds.pop(tag, None)
    ds.add(DataElement(tag, representation, value))
    data = films.file_of(ds)
    for found in (reader.inspect(data, len(data)), reader.read(data).header):
        assert (found.mirrored, found.flipped, found.for_processing) == (False, False, False)
        assert (found.frontal, found.chest, found.one_side) == (None, None, False)
