"""Results of a model set with gate and lungs, over the API and on the pages."""

from __future__ import annotations

import io
import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from tests.fakes.film_reader import graymap
from tests.fakes.model_catalogue import whole_set
from tests.unit.gateway.api import FILM_SIZE, Api, FakeGateway, film_bytes, problem
from tests.unit.gateway.pages.results import within_lungs

SVG = "{http://www.w3.org/2000/svg}"
WHITE = graymap(np.full((72, 96), 250, np.uint8))
"""A film that the fake's gate takes for no chest."""


@pytest.fixture
def gateway() -> FakeGateway:
    return FakeGateway(models=whole_set())


@pytest.fixture
def rejected(api: Api) -> str:
    """Id of a job whose film the gate stopped."""
    (job,) = api.submit(("cat.pgm", WHITE)).json()["jobs"]
    api.gateway.work()
    return str(job["job_id"])


def test_a_completed_job_shows_gate_panels_and_structures(api: Api):
    """Every panel with its kind and caution; the gate beside the result."""
    document = api.get(f"/v1/jobs/{api.completed()}").json()
    gate, result = document["gate"], document["result"]
    assert gate["passed"] is True
    assert (gate["model"], gate["version"]) == ("gate", "1.0.0")
    assert gate["scores"][0] == {
        "label": "frontal",
        "display": "frontal",
        "probability": 0.92,
        "operating_point": 0.5,
    }
    kinds = {panel["panel"]: panel["kind"] for panel in result["panels"]}
    assert kinds == {"pneumonia": "single_label", "pathology": "multi_label"}
    assert [bool(panel["caution"]) for panel in result["panels"]] == [False, True]
    (lungs,) = result["structures"]
    assert (lungs["panel"], lungs["model"]) == ("lungs", "lungs")
    assert {structure["label"] for structure in lungs["structures"]} == {
        "right_lung",
        "left_lung",
        "lungs_with_heart",
        "heart",
    }
    assert 0.3 < lungs["cardiothoracic_ratio"]["value"] < 0.5
    assert lungs["cardiothoracic_ratio"]["method"]


def test_boxes_lie_on_the_film(api: Api):
    """Of every positive abnormal finding, in film pixels."""
    (job,) = api.submit(("lungs.pgm", within_lungs())).json()["jobs"]
    api.gateway.work()
    result = api.get(f"/v1/jobs/{job['job_id']}").json()["result"]
    boxes = [
        box for panel in result["panels"] for item in panel["findings"] for box in item["boxes"]
    ]
    assert boxes
    for box in boxes:
        assert 0 <= box["x"] < box["x"] + box["width"] <= FILM_SIZE[0]
        assert 0 <= box["y"] < box["y"] + box["height"] <= FILM_SIZE[1]


def test_a_film_that_the_gate_stopped_shows_its_scores(api: Api, rejected: str):
    """Rejected, with code, words and every score; without a result."""
    document = api.get(f"/v1/jobs/{rejected}").json()
    assert (document["state"], document["result"]) == ("rejected", None)
    assert document["reason"]["code"] == "not_a_frontal_chest_xray"
    assert "not chest (0.92)" in document["reason"]["detail"]
    assert document["gate"]["passed"] is False
    scores = {score["label"]: score["probability"] for score in document["gate"]["scores"]}
    assert (scores["not_chest"], scores["frontal"]) == (0.92, 0.02)


def test_the_outlines_are_a_picture_as_large_as_the_film(api: Api):
    """SVG whose coordinates are film pixels: a named path a structure, and the ratio's widths."""
    job = api.get(f"/v1/jobs/{api.completed()}").json()
    (lungs,) = job["result"]["structures"]
    answer = api.get(lungs["picture"])
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
    root = ET.fromstring(answer.content)  # noqa: S314 - made by the server under test
    assert root.get("viewBox") == f"0 0 {FILM_SIZE[0]} {FILM_SIZE[1]}"
    paths = {path.get("id"): str(path.get("d")) for path in root.iter(f"{SVG}path")}
    assert set(paths) == {structure["label"] for structure in lungs["structures"]}
    drawn = [(float(x), float(y)) for x, y in re.findall(r"([\d.]+),([\d.]+)", paths["right_lung"])]
    (structure,) = [item for item in lungs["structures"] if item["label"] == "right_lung"]
    assert drawn == [tuple(corner) for outline in structure["outlines"] for corner in outline]
    widths = {
        str(line.get("class")): (float(line.get("x1", 0)), float(line.get("x2", 0)))
        for line in root.iter(f"{SVG}line")
    }
    ratio = lungs["cardiothoracic_ratio"]
    assert widths == {"heart-width": (*ratio["heart"],), "thorax-width": (*ratio["thorax"],)}
    names = [text.text for text in root.iter(f"{SVG}text")]
    assert names == [structure["display"] for structure in lungs["structures"]]
    again = api.get(lungs["picture"], headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_rejected_film_has_a_preview_and_nothing_else(api: Api, rejected: str):
    """What the gate stopped can be looked at, as it came; nothing was read of it."""
    preview = api.get(f"/v1/jobs/{rejected}/preview.png")
    assert (preview.status_code, preview.headers["content-type"]) == (200, "image/png")
    assert np.asarray(Image.open(io.BytesIO(preview.content))).mean() == pytest.approx(250, abs=2)
    problem(api.get(f"/v1/jobs/{rejected}/outlines/lungs.svg"), 404, "not_found")
    problem(api.get(f"/v1/jobs/{rejected}/heatmaps/pneumonia/covid19.png"), 404, "not_found")


def test_the_page_of_a_film_shows_every_panel_and_its_caution(gateway: FakeGateway, api: Api):
    """And offers heatmaps of what has one."""
    job_id = api.completed()
    page = gateway.person().get(f"/films/{job_id}").text
    assert 'id="panel-pneumonia"' in page
    assert 'id="panel-pathology"' in page
    assert "Trained on labels that were mined from reports." in page
    assert f"/films/{job_id}/heatmaps/pneumonia/covid19.png" in page
    assert f"/films/{job_id}/heatmaps/pneumonia/normal.png" not in page


def test_the_page_has_the_outlines_to_lay_over_the_film(gateway: FakeGateway, api: Api):
    """For who is signed in, and nothing stays in the browser."""
    address = f"/films/{api.completed()}/outlines/lungs.svg"
    answer = gateway.person().get(address)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
    assert answer.headers["cache-control"] == "no-store"
    assert gateway.visitor().get(address, headers={"Accept": "image/*"}).status_code == 401


def test_the_page_of_a_rejected_film_says_what_it_looks_like(gateway: FakeGateway, rejected: str):
    """In words, with the code and with advice."""
    page = gateway.person().get(f"/films/{rejected}").text
    assert "This image was rejected" in page
    assert "not chest (0.92)" in page
    assert "not_a_frontal_chest_xray" in page
    assert "Only frontal chest radiographs" in page


def test_the_same_film_again_is_told_why_at_once(api: Api, rejected: str):
    """As of every rejected film."""
    (again,) = api.submit(("cat.pgm", WHITE)).json()["jobs"]
    assert again["job_id"] == rejected
    assert again["reason"]["code"] == "not_a_frontal_chest_xray"


def test_another_film_beside_a_rejected_one_is_read(api: Api, rejected: str):
    """A rejection is of one film."""
    assert api.get(f"/v1/jobs/{api.completed(7)}").json()["state"] == "completed"
    assert film_bytes(7) != WHITE
    assert rejected
