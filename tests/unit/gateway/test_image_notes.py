"""DICOM files whose headers change the meaning of their pixels, over the API and on the page."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from hilum.adapters.dicom.film_reader import DicomFilmReader
from hilum.application.models.site_rules import ManageSiteRules
from hilum.domain.principal import Role, local_command
from hilum.imaging.film import FilmLimits
from hilum.imaging.phantom import phantom_film
from tests.fakes.model_catalogue import whole_set
from tests.unit.adapters.dicom import films
from tests.unit.gateway.api import Api, FakeGateway

if TYPE_CHECKING:
    from collections.abc import Mapping

SIDE = 256
MIRRORED = {"PatientOrientation": ["R", "F"]}


@pytest.fixture
def gateway() -> FakeGateway:
    """A gateway that reads DICOM."""
    return FakeGateway(DicomFilmReader(FilmLimits()), models=whole_set())


def chest() -> np.ndarray:
    """A phantom with a bright place in one lung."""
    pixels = np.minimum(phantom_film(SIDE, SIDE, seed=1), 180)
    pixels[150:175, 45:80] = 255
    return pixels


def analysed(api: Api, pixels: np.ndarray, **attributes: Any) -> dict[str, Any]:
    """The job of a DICOM file, after a worker had it."""
    content = films.film(pixels, bits=8, **attributes)
    (sent,) = api.submit(("a.dcm", content)).json()["jobs"]
    api.gateway.work()
    found: dict[str, Any] = api.get(f"/v1/jobs/{sent['job_id']}").json()
    return found


def codes(job: Mapping[str, Any]) -> dict[str, str]:
    """The kind of each note of a job."""
    return {note["code"]: note["kind"] for note in job["notes"]}


def page_of(api: Api, job: Mapping[str, Any]) -> str:
    return api.gateway.person(Role.VIEWER).get(f"/films/{job['job_id']}").text


def mark_of(api: Api, job: Mapping[str, Any]) -> str | None:
    """The mark of the image's row in the worklist, as a screen reader says it."""
    page = api.gateway.person(Role.VIEWER).get("/").text
    row = page.partition(f'id="row-{job["job_id"]}"')[2].partition("</tr>")[0]
    mark = re.search(r'<span class="note-mark" title="[^"]*">(.*?</span>[^<]*)</span>', row)
    return re.sub("<[^>]*>", "", mark[1]) if mark else None


def findings(job: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [finding for panel in job["result"]["panels"] for finding in panel["findings"]]


def picture(api: Api, path: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(api.get(path).content)), dtype=int)


def test_a_plain_image_has_no_notes(api: Api):
    """Neither in the job nor in the list nor on the page, nor in the audit log."""
    job = analysed(api, chest(), PatientOrientation=["L", "F"], ViewPosition="PA", PatientSex="F")
    assert job["notes"] == []
    assert mark_of(api, job) is None
    assert job["result"]["pixel_aspect"] == 1.0
    page = page_of(api, job)
    assert "data-note" not in page
    assert 'class="light-box"' in page


def test_a_mirrored_image_has_the_answers_of_its_plain_twin_and_says_so(api: Api):
    """Boxes are in stored pixels, pictures show them there, and the page flips both together."""
    plain = analysed(api, chest())
    job = analysed(api, chest()[:, ::-1], **MIRRORED)
    assert codes(job) == {"image_mirrored": "corrected"}
    (listed,) = [one for one in api.get("/v1/jobs").json()["jobs"] if one["notes"]]
    assert (listed["job_id"], listed["notes"]) == (job["job_id"], job["notes"])
    boxes = 0
    for one, twin in zip(findings(job), findings(plain), strict=True):
        assert (one["label"], one["probability"]) == (twin["label"], twin["probability"])
        for box, other in zip(one["boxes"], twin["boxes"], strict=True):
            assert box["x"] == pytest.approx(SIDE - other["x"] - other["width"])
            assert {**box, "x": 0} == {**other, "x": 0}
            boxes += 1
        if one["heatmap"]:
            layer, of_twin = (picture(api, f"{each['heatmap']}?layer=true") for each in (one, twin))
            assert np.abs(layer[:, ::-1] - of_twin).max() <= 2
    assert boxes
    preview = picture(api, job["links"]["preview"])
    assert np.abs(preview - chest()[:, ::-1]).max() <= 60  # a JPEG on its way
    assert np.abs(preview - chest()[:, ::-1]).mean() < 3
    page = page_of(api, job)
    assert 'class="light-box mirrored"' in page
    note = re.search(r'role="note" data-note="image_mirrored">(.*?)</p>', page)[1]
    assert note.startswith("The image was mirrored before analysis")
    assert "inverted" not in note
    with api.gateway.unit_of_work.begin(write=False) as transaction:
        events = [record.event for record in transaction.audit.records()]
    completed = [event for event in events if event.action == "job.completed"]
    assert [event.details.get("notes") for event in completed] == [None, "image_mirrored"]


def test_pixels_that_are_not_square_change_the_picture_and_no_answer(api: Api):
    """Probabilities are equal, boxes are in stored columns, and all pictures have one size."""
    plain = analysed(api, chest())
    job = analysed(api, chest()[:, ::2], PixelAspectRatio=[1, 2])
    assert codes(job) == {"aspect_corrected": "corrected"}
    result = job["result"]
    assert (result["rows"], result["columns"], result["pixel_aspect"]) == (SIDE, SIDE // 2, 0.5)
    assert picture(api, job["links"]["preview"]).shape == (SIDE, SIDE)
    for one, twin in zip(findings(job), findings(plain), strict=True):
        assert one["probability"] == pytest.approx(twin["probability"], abs=0.01)
        for box, other in zip(one["boxes"], twin["boxes"], strict=False):
            assert 2 * box["x"] == pytest.approx(other["x"], abs=8)
        if one["heatmap"]:
            assert picture(api, one["heatmap"]).shape == (SIDE, SIDE, 3)
    (lungs,) = result["structures"]
    svg = api.get(lungs["picture"]).text
    assert f'viewBox="0 0 {SIDE // 2} {SIDE}" width="{SIDE}" height="{SIDE}"' in svg
    page = page_of(api, job)
    assert f'viewBox="0 0 {SIDE} {SIDE}"' in page
    assert 'transform="scale(2.0 1.0)"' in page


@pytest.mark.parametrize(
    ("attributes", "noted"),
    [
        ({"PatientOrientation": ["L", "H"]}, "image_flipped"),
        ({"PatientOrientation": ["F", "L"]}, "orientation_sideways"),
        ({"PatientOrientation": ["Q", "F"]}, "orientation_ignored"),
        ({"PatientOrientation": ["P", "F"]}, "header_view_not_frontal"),
        ({"ViewPosition": "LL"}, "header_view_not_frontal"),
        ({"BodyPartExamined": "HAND"}, "header_body_part_other"),
        ({"ImageLaterality": "L"}, "header_one_side"),
        ({"PixelAspectRatio": [1, 1000]}, "aspect_ignored"),
        ({"PatientAge": "old"}, "patient_age_ignored"),
        ({"BurnedInAnnotation": "YES"}, "burned_in_annotation"),
    ],
)
def test_each_note_is_in_the_job_and_on_the_page(api: Api, attributes, noted):
    """The image is analysed all the same."""
    job = analysed(api, chest(), **attributes)
    assert job["state"] == "completed"
    assert list(codes(job)) == [noted]
    assert f'data-note="{noted}"' in page_of(api, job)


@pytest.mark.parametrize(
    ("attributes", "mark"),
    [
        ({"PatientOrientation": ["R", "F"]}, "Note: mirrored"),
        ({"PatientOrientation": ["L", "H"], "ViewPosition": "LL"}, "Note: flipped, header differs"),
        ({"ViewPosition": "LL", "BodyPartExamined": "HAND"}, "Note: header differs"),
        ({"BurnedInAnnotation": "YES", "PatientAge": "adult"}, "Note: see its page"),
    ],
)
def test_the_row_of_an_image_with_notes_has_a_mark(api: Api, attributes, mark):
    """In the worklist, in words that a screen reader says. The full text is its title."""
    job = analysed(api, chest(), **attributes)
    assert mark_of(api, job) == mark
    page = api.gateway.person(Role.VIEWER).get("/").text
    for note in job["notes"]:
        assert note["text"].replace("'", "&#39;") in page


def test_a_rejected_image_says_what_its_header_claims(api: Api):
    """The header states a chest, the gate sees none, and the page has both."""
    white = np.full((SIDE, SIDE), 250, np.uint8)
    white[:40, :40] = 240
    job = analysed(api, white, BodyPartExamined="CHEST", **MIRRORED)
    assert (job["state"], job["reason"]["code"]) == ("rejected", "not_a_frontal_chest_xray")
    assert codes(job) == {"header_body_part_chest": "flagged"}
    assert 'data-note="header_body_part_chest"' in page_of(api, job)


def test_an_inverted_image_is_called_inverted_and_nothing_else(api: Api):
    """One word for the grey scale, another one for sides."""
    job = analysed(api, 255 - chest())
    assert codes(job) == {"grey_scale_inverted": "corrected"}
    assert job["result"]["inverted"]
    assert "neither rotates nor mirrors" in job["notes"][0]["text"]


def test_raw_detector_values_are_refused_until_the_site_accepts_them(api: Api):
    """Without a job at first, and with a note and a picture later."""
    raw = films.film(chest(), bits=8, PresentationIntentType="FOR PROCESSING")
    (refused,) = api.submit(("raw.dcm", raw)).json()["jobs"]
    assert (refused["job_id"], refused["state"]) == (None, "refused")
    assert refused["reason"]["code"] == "for_processing"
    answer = api.gateway.person(Role.SUBMITTER, "default").post(
        "/films", files=[("files", ("raw.dcm", raw))]
    )
    assert "raw detector values" in answer.text
    assert "FOR PRESENTATION" in answer.text
    rules = ManageSiteRules(unit_of_work=api.gateway.unit_of_work, clock=api.gateway.clock)
    rules.decide("default", "for_processing", "accept", local_command("anna"))
    job = analysed(api, chest(), PresentationIntentType="FOR PROCESSING")
    assert codes(job) == {"for_processing_accepted": "flagged"}
    assert picture(api, job["links"]["preview"]).shape == (SIDE, SIDE)
