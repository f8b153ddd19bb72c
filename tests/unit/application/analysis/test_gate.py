"""The gate: what is no frontal chest film gets no reading, and its scores are kept."""

from __future__ import annotations

import numpy as np
import pytest

from hilum.domain.errors import InferenceUnavailable
from hilum.domain.job import JobState
from hilum.domain.model import PanelKind
from hilum.imaging.phantom import phantom_film
from tests.fakes.film_reader import graymap
from tests.fakes.model_catalogue import GATE_LABELS, model_of, small_chest, small_panel, whole_set
from tests.unit.application.stage import Stage, film, key

FRONTAL, PALE, WHITE = 60, 210, 250
"""Shades that the fake's gate takes for a frontal film, for a negative, and for no chest."""


@pytest.fixture
def stage() -> Stage:
    """A worker with gate, chest and lungs."""
    return Stage(models=whole_set())


def scores(stage, job):
    with stage.unit_of_work.begin(write=False) as transaction:
        gate = transaction.results.gate(job.id)
    return {finding.label: finding.probability for finding in gate.findings}


def test_a_frontal_film_is_read_by_every_model_of_the_set(stage):
    """The gate's scores stand beside the panels, not among them; structures are outlined."""
    job = stage.analyse(stage.queued(film(FRONTAL)).id)
    assert job.state is JobState.COMPLETED
    analysis = stage.result(job.id)
    assert stage.engine.asked == ["gate", "lungs", "chest"]
    assert [panel.panel for panel in analysis.panels] == ["pneumonia", "pathology"]
    assert analysis.gate.panel == "gate"
    assert analysis.gate.finding("frontal").positive
    assert scores(stage, job) == {
        finding.label: finding.probability for finding in analysis.gate.findings
    }
    (lungs,) = analysis.structures
    assert [structure.label for structure in lungs.structures][:2] == ["right_lung", "left_lung"]


def test_panels_say_how_they_are_read_and_what_to_beware_of(stage):
    """From the manifest into the result."""
    panels = stage.result(stage.analyse(stage.queued(film(FRONTAL)).id).id).panels
    assert [panel.kind for panel in panels] == [PanelKind.SINGLE_LABEL, PanelKind.MULTI_LABEL]
    assert [panel.display for panel in panels] == ["Pneumonia", "Pathology"]
    assert [bool(panel.caution) for panel in panels] == [False, True]


def test_a_film_that_is_stopped_is_rejected_with_the_gate_s_scores(stage):
    """Nothing behind the gate is computed for it, and there is no result."""
    job = stage.analyse(stage.queued(film(WHITE)).id)
    assert (job.state, job.reason.code) == (JobState.REJECTED, "not_a_frontal_chest_xray")
    assert job.reason.detail == "looks like: not chest (0.92), frontal 0.02"
    assert stage.engine.asked == ["gate"]
    assert stage.result(job.id) is None
    assert scores(stage, job) == pytest.approx(
        dict.fromkeys(GATE_LABELS, 0.02) | {"not_chest": 0.92}
    )
    assert stage.read.job(job.id, key()).gate.model == "gate"
    assert stage.events()[-1].details["reason"] == "not_a_frontal_chest_xray"


def test_a_film_that_is_frontal_but_not_surely_is_told_so():
    """Its best label is `frontal`, below the operating point."""
    gate = model_of("gate", small_panel("gate", GATE_LABELS, kind=PanelKind.GATE, threshold=0.95))
    stage = Stage(models=[gate, small_chest()])
    job = stage.analyse(stage.queued(film(FRONTAL)).id)
    assert job.reason.detail == (
        "not surely a frontal chest film (frontal 0.92, at least 0.95 is asked for)"
    )


def test_a_negative_that_only_the_gate_notices_is_turned_and_asked_once_more(stage):
    """It is read as it is then, and the result says that it was turned."""
    job = stage.analyse(stage.queued(film(PALE)).id)
    assert job.state is JobState.COMPLETED
    assert stage.engine.asked == ["gate", "gate", "lungs", "chest"]
    assert stage.result(job.id).inverted
    seen = [int(films.mean()) for films in stage.engine.calls]
    assert seen == [PALE, 255 - PALE, 255 - PALE, 255 - PALE]


def test_a_film_that_was_turned_for_its_looks_may_be_turned_back(stage):
    """By the gate: turned twice is not turned."""
    upright = phantom_film(320, 256, seed=1)[::4, ::4].astype(int)
    dark = (upright * (255 - PALE) / upright.max()).astype(np.uint8)  # its negative is pale
    job = stage.analyse(stage.queued(graymap(255 - dark)).id)
    assert stage.engine.asked[:1] == ["gate"]
    assert job.state is JobState.COMPLETED
    means = [films.mean() for films in stage.engine.calls]
    assert stage.result(job.id).inverted == (means[-1] < 128)


def test_what_stays_a_stranger_after_turning_is_rejected_with_the_second_scores(monkeypatch):
    """An inverted film that is lateral once it is turned, say."""
    stage = Stage(models=whole_set())
    infer = stage.engine.infer

    def lateral_inside(model, films):
        outputs = dict(infer(model, films))
        if model.name == "gate" and films.mean() < 128:
            outputs["gate_probabilities"] = np.array([[0.01, 0.96, 0.01, 0.01, 0.01]], np.float32)
        return outputs

    monkeypatch.setattr(stage.engine, "infer", lateral_inside)
    job = stage.analyse(stage.queued(film(PALE)).id)
    assert job.reason.detail == "looks like: lateral (0.96), frontal 0.01"
    assert scores(stage, job)["lateral"] == pytest.approx(0.96)
    assert stage.engine.asked == ["gate", "gate"]


def test_not_chest_is_the_reason_although_rotated_leads(stage, monkeypatch):
    """A lateral skull resembles a rotated chest most. The detail says that it is no chest."""
    infer = stage.engine.infer

    def skull(model, films):
        outputs = dict(infer(model, films))
        if model.name == "gate":
            outputs["gate_probabilities"] = np.array([[0.02, 0.1, 0.3, 0, 0.58]], np.float32)
        return outputs

    monkeypatch.setattr(stage.engine, "infer", skull)
    job = stage.analyse(stage.queued(film(FRONTAL)).id)
    assert (job.state, job.reason.code) == (JobState.REJECTED, "not_a_frontal_chest_xray")
    assert job.reason.detail == "looks like: not chest (0.30), frontal 0.02"


def test_a_film_that_passes_as_it_is_is_not_lost_by_turning_it(monkeypatch):
    """Where the operating point is low, `inverted` may lead and `frontal` be positive still."""
    gate = model_of("gate", small_panel("gate", GATE_LABELS, kind=PanelKind.GATE, threshold=0.3))
    stage = Stage(models=[gate, small_chest()])
    infer = stage.engine.infer

    def torn(model, films):
        outputs = dict(infer(model, films))
        if model.name == "gate":
            first = [0.4, 0, 0, 0.6, 0] if films.mean() > 128 else [0.1, 0, 0.9, 0, 0]
            outputs["gate_probabilities"] = np.array([first], np.float32)
        return outputs

    monkeypatch.setattr(stage.engine, "infer", torn)
    job = stage.analyse(stage.queued(film(PALE)).id)
    assert job.state is JobState.COMPLETED
    assert not stage.result(job.id).inverted
    assert stage.result(job.id).gate.finding("frontal").probability == pytest.approx(0.4)


def test_a_gate_that_does_not_answer_rejects_nobody(stage, monkeypatch):
    """The film waits for it."""

    def down(model, films):
        raise InferenceUnavailable("down")

    monkeypatch.setattr(stage.engine, "infer", down)
    job = stage.analyse(stage.queued(film(WHITE)).id)
    assert (job.state, job.reason.code) == (JobState.QUEUED, "inference_unavailable")


def test_a_lease_that_was_lost_keeps_no_scores(stage, monkeypatch):
    """Scores are written with the rejection, or not at all."""
    job = stage.queued(film(WHITE))
    infer = stage.engine.infer

    def slow(model, films):
        stage.advance(600)
        stage.reconcile()
        return infer(model, films)

    monkeypatch.setattr(stage.engine, "infer", slow)
    assert stage.analyse(job.id) is None
    with stage.unit_of_work.begin(write=False) as transaction:
        assert transaction.results.gate(job.id) is None


def test_without_a_gate_every_film_is_read():
    """A repository of an earlier release has none."""
    stage = Stage(models=[small_chest()])
    job = stage.analyse(stage.queued(film(WHITE)).id)
    assert job.state is JobState.COMPLETED
    assert stage.result(job.id).gate is None
    assert stage.result(job.id).structures == ()
    assert stage.read.job(job.id, key()).gate is None


def test_boxes_stay_within_the_lungs(stage):
    """Evidence beside the lungs gives no box there; without lungs the whole film counts."""
    bright = film(FRONTAL)
    within = stage.result(stage.analyse(stage.queued(bright).id).id)
    without = Stage(models=[small_chest()])
    anywhere = without.result(without.analyse(without.queued(bright).id).id)

    def boxes(analysis):
        return [box for panel in analysis.panels for f in panel.findings for box in f.boxes]

    assert boxes(within)
    assert all(box.x > 0 and box.x + box.width < 64 for box in boxes(within))
    assert any(box.width == 64 for box in boxes(anywhere))


def test_outlines_are_in_film_pixels_on_the_patient_s_sides(stage):
    """The patient's right lung is on the left of the picture; the heart gives the ratio."""
    job = stage.analyse(stage.queued(graymap(np.full((64, 112), FRONTAL, np.uint8))).id)
    (lungs,) = stage.result(job.id).structures
    right, left, _, heart = lungs.structures
    for structure, (low, high) in ((right, (0.15, 0.40)), (left, (0.65, 0.85))):
        (outline,) = structure.outlines
        assert min(x for x, _ in outline) == pytest.approx(low * 112, abs=4)
        assert max(x for x, _ in outline) == pytest.approx(high * 112, abs=4)
        assert max(y for _, y in outline) <= 64
        assert structure.area_share == pytest.approx((high - low) * 0.65, abs=0.03)
    assert heart.outlines
    assert lungs.cardiothoracic.value == pytest.approx(0.25 / 0.7, abs=0.05)
    assert lungs.cardiothoracic.reason == ""
