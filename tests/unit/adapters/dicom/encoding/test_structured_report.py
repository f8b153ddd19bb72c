"""What readers of structured reports find in ours."""

from __future__ import annotations

import io
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from highdicom.sr import srread
from pydicom import dcmread

from hilum.adapters.dicom.encoding.codes import SCHEME, concept_of
from hilum.domain.destination import EncodingOptions, ObjectKind
from hilum.domain.model import CodedConcept
from tests.unit.adapters.dicom.encoding import results
from tests.unit.adapters.dicom.encoding.test_objects import (
    data_set,
    encoded,
    file_of,
    program,
)


def report(**changes: object):
    return encoded(results.result(**changes), ObjectKind.SR)[ObjectKind.SR]


def groups(one) -> dict[str, dict[str, object]]:
    """Return what each measurement group of a report says, by its tracking identifier."""
    content = srread(io.BytesIO(file_of(one))).content
    found = [
        *content.get_image_measurement_groups(),
        *content.get_planar_roi_measurement_groups(),
    ]
    return {group.tracking_identifier: told(group) for group in found}


def told(group) -> dict[str, object]:
    said: dict[str, object] = {
        item.name.meaning: float(item.value) for item in group.get_measurements()
    }
    said |= {item.name.meaning: item.value.meaning for item in group.get_qualitative_evaluations()}
    texts = [item.TextValue for item in group[0].ContentSequence if item.ValueType == "TEXT"]
    region = getattr(group, "roi", None)
    return said | {
        "finding": group.finding_type.meaning,
        "texts": " ".join(texts),
        "region": None if region is None else region.value,
    }


def test_every_finding_that_was_asked_is_reported_as_it_is_in_the_result():
    """Present, absent and not assessed, with probability and operating point."""
    said = groups(report())
    present = said["tuberculosis.tuberculosis"]
    assert present["finding"] == "Tuberculosis"
    assert present["Probability"] == 0.91
    assert present["Probability from which it is positive"] == 0.6
    assert present["Presence of property"] == "Yes"
    assert "Not for screening." in present["texts"]
    absent = said["tuberculosis.other_abnormal"]
    assert (absent["Presence of property"], absent["Probability"]) == ("No", 0.05)
    assert absent["region"] is None
    unknown = said["tuberculosis.covid19"]
    assert unknown["Presence of property"] == "Undetermined"
    assert "Not assessed: " in unknown["texts"]
    assert "Experimental" in unknown["texts"]
    assert "Probability from which it is positive" not in unknown


def test_the_regions_of_a_positive_finding_are_closed_rectangles_of_stored_pixels():
    """Five points, as viewers want them."""
    said = groups(report())
    left, top = results.BOX.x, results.BOX.y
    right, bottom = left + results.BOX.width, top + results.BOX.height
    corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    assert np.allclose(said["tuberculosis.tuberculosis"]["region"], corners)
    assert len(said["tuberculosis.tuberculosis.2"]["region"]) == 5
    assert len(said) == 4


@pytest.mark.parametrize("with_region", [True, False])
def test_a_viewer_may_get_groups_with_regions_alone_in_the_usual_container(with_region):
    """What has no region, and every number, stands in a container of ours."""
    (panel,) = results.analysis().panels
    findings = panel.findings if with_region else panel.findings[1:]
    analysis = results.analysis(panels=(replace(panel, findings=findings),))
    options = EncodingOptions(regions_apart=True)
    made = encoded(results.result(analysis=analysis), ObjectKind.SR, options=options)
    containers = {
        item.ConceptNameCodeSequence[0].CodeValue: item.ContentSequence
        for item in data_set(made[ObjectKind.SR]).ContentSequence
        if item.ValueType == "CONTAINER"
    }
    types = {
        name: [{child.ValueType for child in group.ContentSequence} for group in groups]
        for name, groups in containers.items()
    }
    assert len(types["WITHOUT_REGION"]) == len(findings)
    assert all("NUM" in kinds and "SCOORD" not in kinds for kinds in types["WITHOUT_REGION"])
    regions = types.get("126010", [])
    assert len(regions) == (2 if with_region else 0)
    assert all("SCOORD" in kinds and "NUM" not in kinds for kinds in regions)


def test_a_destination_may_do_without_weak_labels():
    """They are not looked for then, as far as the report says."""
    said = groups(report(weak_labels=False))
    assert set(said) == {
        *("tuberculosis.tuberculosis", "tuberculosis.tuberculosis.2"),
        "tuberculosis.other_abnormal",
    }


def test_a_report_says_what_it_is_worth():
    """Complete, preliminary, unverified, by a device, for research only."""
    made = data_set(report())
    flags = (made.CompletionFlag, made.VerificationFlag, made.PreliminaryFlag)
    assert flags == ("COMPLETE", "UNVERIFIED", "PRELIMINARY")
    texts = [item.TextValue for item in made.ContentSequence if item.ValueType == "TEXT"]
    assert any("research use only, not for diagnosis" in text for text in texts)
    assert "Finding: tuberculosis." in texts
    (evidence,) = made.CurrentRequestedProcedureEvidenceSequence
    image = evidence.ReferencedSeriesSequence[0].ReferencedSOPSequence[0]
    source = dcmread(io.BytesIO(results.image()))
    assert image.ReferencedSOPInstanceUID == source.SOPInstanceUID


@pytest.mark.parametrize("comprehensive", [True, False])
@pytest.mark.parametrize("name", ["Japanese", "Cyrillic", "UTF-8"])
def test_dcmtk_renders_reports_with_any_name(name, comprehensive, tmp_path):
    """And shows the patient's name as it was."""
    content = results.image(**results.HEADERS[name])
    options = EncodingOptions(comprehensive_sr=comprehensive)
    one = encoded(results.result(content), ObjectKind.SR, options=options)[ObjectKind.SR]
    path = tmp_path / "report.dcm"
    path.write_bytes(file_of(one))
    # This build of DCMTK cannot convert ISO 2022, and shows it as it is.
    convert = () if name == "Japanese" else ("--convert-to-utf8",)
    done = subprocess.run(
        [program("DCMTK", "dsrdump"), *convert, str(path)], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    raw = dcmread(io.BytesIO(content)).get_item("PatientName").value
    family = str(results.HEADERS[name]["PatientName"]).split("^")[0]
    assert (family.encode() if convert else raw.split(b"^")[0]) in done.stdout
    assert b"Tuberculosis" in done.stdout


def test_a_job_without_a_result_says_why_and_has_no_finding():
    """Its reason's code, never a group."""
    made = encoded(results.without_result(), ObjectKind.NO_RESULT)[ObjectKind.NO_RESULT]
    document = data_set(made)
    texts = [item.TextValue for item in document.ContentSequence if item.ValueType == "TEXT"]
    assert any("not_a_frontal_chest_xray" in text for text in texts)
    assert any("research use only" in text for text in texts)
    assert not [item for item in document.ContentSequence if item.ValueType == "CONTAINER"]


def test_labels_without_a_standard_code_have_one_of_ours():
    """Two labels never share one, and a standard code is kept."""
    labels = ["pleural_thickening", "a_label_of_somebody_else_1", "a_label_of_somebody_else_2"]
    own = [concept_of(label, label, None) for label in labels]
    assert {one.scheme_designator for one in own} == {SCHEME}
    assert len({one.value for one in own}) == 3
    assert all(len(one.value) <= 16 for one in own)
    known = concept_of("mass", "Mass", CodedConcept("SCT", "309529002", "Lung mass"))
    assert (known.scheme_designator, known.value) == ("SCT", "309529002")
