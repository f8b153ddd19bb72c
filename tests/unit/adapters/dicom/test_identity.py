"""Which study, series and object a file says that it is."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

import pytest
from pydicom import uid

from hilum.imaging.film import DicomIdentity
from tests.unit.adapters.dicom import films

SCENE = films.scene(bits=12)


def identity(reader, **attributes: object) -> DicomIdentity:
    content = films.film(SCENE, bits=12, **attributes)
    found: DicomIdentity = reader.inspect(content, len(content)).identity
    return found


def test_what_a_file_says_is_read(reader):
    """Every attribute. Names of people are none of them."""
    found = identity(
        reader,
        StudyInstanceUID="1.2.3",
        SeriesInstanceUID="1.2.3.4",
        SOPClassUID=uid.DigitalXRayImageStorageForPresentation,
        AccessionNumber=" A-77 ",
        Modality="DX",
        BodyPartExamined="CHEST",
        PresentationIntentType="FOR PRESENTATION",
        PatientOrientation=["L", "F"],
        AcquisitionDateTime="20261130120000.5+0100",
        PatientName="Known^Person",
        PatientID="4711",
    )
    assert found == DicomIdentity(
        study_instance_uid="1.2.3",
        series_instance_uid="1.2.3.4",
        sop_class_uid=uid.DigitalXRayImageStorageForPresentation,
        accession_number="A-77",
        modality="DX",
        body_part="CHEST",
        presentation_intent="FOR PRESENTATION",
        patient_orientation="L\\F",
        acquired_at=datetime(2026, 11, 30, 11, 0, 0, 500000, tzinfo=UTC),
    )
    assert not {"Known", "4711"} & set("".join(map(str, asdict(found).values())).split("^"))


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ({"AcquisitionDateTime": "20261130120000"}, None),
        ({"AcquisitionDate": "20261130", "AcquisitionTime": "120000"}, None),
        (
            {
                "AcquisitionDate": "20261130",
                "AcquisitionTime": "120000",
                "TimezoneOffsetFromUTC": "-0500",
            },
            datetime(2026, 11, 30, 17, tzinfo=UTC),
        ),
        (
            {"AcquisitionDateTime": "20261130120000", "TimezoneOffsetFromUTC": "+0530"},
            datetime(2026, 11, 30, 6, 30, tzinfo=UTC),
        ),
        ({"AcquisitionDateTime": "00000000000000+0000"}, None),
        ({"AcquisitionTime": "120000", "TimezoneOffsetFromUTC": "-0500"}, None),
    ],
)
def test_a_time_counts_where_its_offset_is_stated(reader, stated, expected):
    """A local time of an unknown place is no time."""
    assert identity(reader, **stated).acquired_at == expected


@pytest.mark.parametrize("stated", ["1.2.x", "1..2", "1." * 40 + "1", "unknown", " "])
def test_a_malformed_uid_is_none(reader, stated):
    """The image is accepted, and belongs to no study."""
    found = identity(reader, StudyInstanceUID=stated, SeriesInstanceUID="1.2")
    assert (found.study_instance_uid, found.series_instance_uid) == (None, "1.2")


@pytest.mark.parametrize("stated", ["A" * 65, "A\x07B"])
def test_a_text_that_is_too_long_or_not_printable_is_none(reader, stated):
    """Neither a database nor a page has to cope with it."""
    assert identity(reader, AccessionNumber=stated).accession_number is None
