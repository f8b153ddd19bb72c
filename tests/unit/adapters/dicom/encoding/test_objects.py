"""Every object of every kind of image, checked by programs that others wrote."""

from __future__ import annotations

import io
import logging
import subprocess
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from pydicom import dcmread

from hilum.adapters.dicom.encoding.result_encoder import HighdicomEncoder
from hilum.adapters.dicom.network.stow_sender import file_of
from hilum.application.ports.result_encoder import DicomObject
from hilum.domain.destination import EncodingOptions, ObjectKind
from hilum.domain.errors import ResultNotEncodable
from hilum_stack.errors import ServerMissing
from hilum_stack.server import find_program
from tests.servers import server_missing
from tests.unit.adapters.dicom.encoding import results

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom.dataset import Dataset

    from hilum.application.ports.result_encoder import ResultToSend

PICTURES = (ObjectKind.SR, ObjectKind.SC, ObjectKind.GSPS, ObjectKind.SEG)
OPTIONS = {
    "default": EncodingOptions(),
    "other": EncodingOptions(comprehensive_sr=True, jpeg_2000_seg=True, series_number=77),
    "apart": EncodingOptions(regions_apart=True),
}


def program(package: str, name: str) -> str:
    """Return the path of a program; the test ends here where it is missing."""
    try:
        return str(find_program(package, name))
    except ServerMissing as missing:
        server_missing(missing)


def encoded(
    result: ResultToSend, *kinds: ObjectKind, options: EncodingOptions | None = None
) -> dict[ObjectKind, DicomObject]:
    made = HighdicomEncoder().encode(result, kinds, options or EncodingOptions())
    assert all(isinstance(one, DicomObject) for one in made.values()), made
    return made


def data_set(one: DicomObject) -> Dataset:
    return dcmread(io.BytesIO(file_of(one)))


def errors_of(one: DicomObject, folder: Path) -> list[str]:
    """Return what dicom3tools has against an object."""
    path = folder / "object.dcm"
    path.write_bytes(file_of(one))
    done = subprocess.run(
        [program("dicom3tools", "dciodvfy"), "-new", str(path)],
        capture_output=True,
        text=True,
        check=False,
        errors="replace",
    )
    told = (done.stdout + done.stderr).splitlines()
    assert any(line.startswith(("Warning", "Error")) or line for line in told)
    return [line for line in told if line.startswith("Error")]


@pytest.mark.parametrize("name", results.HEADERS)
def test_objects_of_every_image_are_valid(name, tmp_path):
    """``dciodvfy`` finds no error, whatever the image's header is like."""
    content = results.image(**results.HEADERS[name])
    made = encoded(results.result(content), *PICTURES)
    made |= encoded(results.without_result(content), ObjectKind.NO_RESULT)
    assert set(made) == set(ObjectKind)
    found = {kind: told for kind, one in made.items() if (told := errors_of(one, tmp_path))}
    # The image's own accession number is longer than its VR allows, and is copied whole.
    if name == "long accession number":
        found = {k: [e for e in told if "AccessionNumber" not in e] for k, told in found.items()}
        found = {k: told for k, told in found.items() if told}
    assert found == {}


@pytest.mark.parametrize("chosen", OPTIONS)
def test_options_give_valid_objects_too(chosen, tmp_path):
    """Comprehensive SR, a segmentation in JPEG 2000, another series number."""
    options = OPTIONS[chosen]
    made = encoded(results.result(), *PICTURES, options=options)
    assert [errors_of(one, tmp_path) for one in made.values()] == [[]] * 4
    numbers = [int(data_set(made[kind]).SeriesNumber) for kind in PICTURES]
    assert numbers == [options.series_number + n for n in range(4)]
    assert data_set(made[ObjectKind.SR]).SOPClassUID.name.startswith(
        "Comprehensive SR" if options.comprehensive_sr else "Comprehensive 3D SR"
    )


@pytest.mark.parametrize("name", results.HEADERS)
def test_patient_and_study_are_those_of_the_image(name):
    """Byte for byte where they are valid; names and numbers in any case."""
    content = results.image(**results.HEADERS[name])
    for one in encoded(results.result(content), *PICTURES).values():
        source, made = dcmread(io.BytesIO(content)), data_set(one)
        for keyword in ("PatientName", "PatientID", "AccessionNumber", "StudyInstanceUID"):
            assert made.get_item(keyword).value == source.get_item(keyword).value, keyword
        assert made.get("SpecificCharacterSet") == source.get("SpecificCharacterSet")
        assert str(made.PatientName) == str(source.PatientName)
        assert made.SeriesInstanceUID != source.SeriesInstanceUID
        assert "research use only" in made.SeriesDescription
        assert made.Manufacturer == "Hilum"
        models = {item.ManufacturerModelName for item in made.ContributingEquipmentSequence}
        assert models == {"chest", "lungs"}


def test_an_invalid_age_is_emptied_and_a_zero_spacing_dropped():
    """An identity never is."""
    aged = results.image(**results.HEADERS["age without a unit"])
    for one in encoded(results.result(aged), *PICTURES).values():
        assert not data_set(one).get("PatientAge")
    flat = results.image(**results.HEADERS["zero spacing"])
    for one in encoded(results.result(flat), *PICTURES).values():
        assert "PixelSpacing" not in data_set(one)


def test_the_same_result_is_the_same_object_for_ever():
    """Byte for byte. Another job of the same content has the same UIDs."""
    first = encoded(results.result(), *PICTURES)
    assert encoded(results.result(), *PICTURES) == first
    later = results.result(analysis=replace(results.analysis(), created_at=results.NOW.min))
    later = replace(
        later, analysis=replace(results.analysis(), created_at=results.NOW.replace(year=2027))
    )
    again = encoded(later, *PICTURES)
    assert [one.sop_instance_uid for one in again.values()] == [
        one.sop_instance_uid for one in first.values()
    ]


@pytest.mark.parametrize("kind", PICTURES)
def test_another_content_has_another_uid(kind):
    """One digit of a probability, or of an outline, is enough."""
    usual = results.analysis()
    (panel,) = usual.panels
    surer = replace(results.TUBERCULOSIS, probability=0.92, boxes=(results.Box(9, 9, 9, 9, 1),))
    (lungs,) = usual.structures
    fewer = replace(lungs, structures=lungs.structures[:1])
    other = replace(
        usual,
        panels=(replace(panel, findings=(surer, *panel.findings[1:])),),
        structures=(fewer,),
    )
    before = encoded(results.result(), kind)[kind]
    after = encoded(results.result(analysis=other), kind)[kind]
    assert before.sop_instance_uid != after.sop_instance_uid
    # Both are in the one series of the study.
    assert data_set(before).SeriesInstanceUID == data_set(after).SeriesInstanceUID


def test_no_series_is_of_two_studies_or_of_two_kinds():
    """Viewers answer 404 for a series that is in two studies."""
    other = results.image(StudyInstanceUID="1.2.3.4")
    made = [
        *encoded(results.result(), *PICTURES).values(),
        *encoded(results.result(other), *PICTURES).values(),
        *encoded(results.result(site="south"), *PICTURES).values(),
    ]
    assert len({data_set(one).SeriesInstanceUID for one in made}) == len(made)
    assert len({one.sop_instance_uid for one in made}) == len(made)


def test_a_result_that_replaces_another_names_it():
    """As its predecessor, with the UID under which that was sent."""
    before = encoded(results.result(), ObjectKind.SR)[ObjectKind.SR]
    known = {ObjectKind.SR: (before.sop_class_uid, before.sop_instance_uid)}
    after = data_set(encoded(results.result(predecessors=known), ObjectKind.SR)[ObjectKind.SR])
    (study,) = after.PredecessorDocumentsSequence
    assert study.StudyInstanceUID == after.StudyInstanceUID
    (series,) = study.ReferencedSeriesSequence
    assert series.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == before.sop_instance_uid
    assert after.SOPInstanceUID != before.sop_instance_uid


def test_an_image_that_is_gone_cannot_be_drawn_and_the_rest_is_made():
    """The text says so."""
    gone = replace(results.result(), film=None)
    made = HighdicomEncoder().encode(gone, PICTURES, EncodingOptions())
    assert made[ObjectKind.SC] == "the image is gone, so that it cannot be drawn"
    assert isinstance(made[ObjectKind.SR], DicomObject)
    no_lungs = results.result(analysis=results.analysis(structures=()))
    told = HighdicomEncoder().encode(no_lungs, [ObjectKind.SEG], EncodingOptions())
    assert told == {ObjectKind.SEG: "no lung was outlined"}


def test_a_job_without_a_result_has_no_other_object():
    """And a completed one no report that says why there is none."""
    every = tuple(ObjectKind)
    assert set(encoded(results.without_result(), *every)) == {ObjectKind.NO_RESULT}
    assert set(encoded(results.result(), *every)) == set(PICTURES)


@pytest.mark.parametrize(
    "content",
    [
        results.image(StudyInstanceUID="1.2.x"),
        results.image(SOPInstanceUID="1." + "2" * 70),
        results.image(Rows=255),
    ],
    ids=["letters", "too long", "other rows"],
)
def test_a_header_that_contradicts_itself_is_not_encoded(content):
    """No valid object can refer to such an image."""
    usual = results.result()
    context = results.context_of(content)
    with pytest.raises(ResultNotEncodable):
        HighdicomEncoder().encode(
            replace(usual, context=context), [ObjectKind.SR], EncodingOptions()
        )


def test_no_name_is_in_a_warning_or_a_log(caplog):
    """Libraries put values into their texts."""
    content = results.image(PatientName="SECRETNAME" * 9, PatientID="SECRET-ID" * 12)
    caplog.set_level(logging.DEBUG)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = replace(results.result(), context=results.context_of(content))
        encoded(result, *PICTURES)
    assert "SECRET" not in "".join(str(one.message) for one in caught)
    assert "SECRET" not in caplog.text
    assert "SECRET" not in repr(result)
