"""Running a job: whatever happens to the film is written to the job."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import numpy as np
import pytest

from hilum.application.intake.submission import SubmissionFields
from hilum.domain import errors
from hilum.domain.job import JobState
from hilum.domain.model import ModelSet, OperatingPoint
from hilum.domain.principal import worker
from hilum.domain.retry_policy import RetryPolicy
from tests.fakes.film_reader import graymap
from tests.fakes.model_catalogue import LABELS, model_of, small_model, small_panel
from tests.unit.application.stage import Stage, film


@pytest.fixture
def stage() -> Stage:
    return Stage()


def leaves(root):
    children = root.__subclasses__()
    return [leaf for child in children for leaf in leaves(child)] if children else [root]


def bright_below():
    """A film whose lowest quarter is brightest, uint8 [64, 64]."""
    ramp = np.linspace(0, 180, 64).astype(np.uint8)
    return np.repeat(ramp[:, np.newaxis], 64, axis=1)


def test_a_film_is_read_and_its_result_written_once(stage):
    """Completed, with findings of every label, heatmaps, a preview and one audit event."""
    job = stage.analyse(stage.queued().id)
    assert job == stage.job(job.id)
    assert (job.state, job.attempts, job.reason) == (JobState.COMPLETED, 1, None)
    assert (job.lease_owner, job.lease_expires_at) == (None, None)
    assert job.finished_at == stage.clock.now()
    analysis = stage.result(job.id)
    assert analysis.model_set == job.model_set
    assert (analysis.rows, analysis.columns) == (64, 64)
    (panel,) = analysis.panels
    assert (panel.panel, panel.model, panel.version) == ("pneumonia", "pneumonia", "1.0.0")
    assert [finding.label for finding in panel.findings] == list(LABELS)
    assert sum(finding.probability for finding in panel.findings) == pytest.approx(1, abs=1e-5)
    assert stage.actions() == ["job.accepted", "job.completed"]
    assert stage.events()[-1].actor == worker("w1")


def test_what_is_positive_and_abnormal_has_a_heatmap_and_boxes(stage):
    """Of the model's grid, one byte a cell; nothing is kept of what is normal or negative."""
    job = stage.analyse(stage.queued(graymap(bright_below())).id)
    findings = stage.result(job.id).panels[0].findings
    wanted = [finding.label for finding in findings if finding.positive and finding.abnormal]
    assert wanted
    assert wanted != [finding.label for finding in findings if finding.abnormal]
    with stage.unit_of_work.begin(write=False) as transaction:
        for finding in findings:
            heatmap = transaction.results.heatmap(job.id, "pneumonia", finding.label)
            assert finding.heatmap == (finding.label in wanted) == (heatmap is not None)
            assert bool(finding.boxes) == finding.heatmap
            if heatmap is not None:
                assert (heatmap.rows, heatmap.columns, len(heatmap.values)) == (4, 4, 16)


def test_a_box_lies_where_the_evidence_is(stage):
    """In film pixels, within the film: the film is bright below."""
    job = stage.analyse(stage.queued(graymap(bright_below())).id)
    (finding,) = [f for f in stage.result(job.id).panels[0].findings if f.label == "covid19"]
    box = finding.boxes[0]
    assert box.y + box.height == 64
    assert box.y > 16
    assert (box.x, box.width) == (0, 64)
    assert box.score > 0


def test_a_label_is_positive_at_its_operating_point(stage):
    """At the threshold counts as above it, on the probability as it is stored.

    The panel names one label: the abnormal one that is furthest above its operating point.
    """
    thresholds = (0.25, 0.250001, 0.25, 1.0)
    points = tuple(
        OperatingPoint(label, threshold)
        for label, threshold in zip(LABELS, thresholds, strict=True)
    )
    panel = replace(small_panel(), operating_points=points)
    stage.catalogue.models = (model_of("pneumonia", panel),)
    job = stage.analyse(stage.queued().id)  # one shade: every label has a probability of 1/4
    findings = stage.result(job.id).panels[0].findings
    assert [finding.probability for finding in findings] == [0.25] * 4
    assert [finding.positive for finding in findings] == [False, False, True, False]
    assert [finding.operating_point for finding in findings] == list(thresholds)
    assert [finding.abnormal for finding in findings] == [False, True, True, True]
    impression = stage.result(job.id).impression
    assert impression.text == "Finding: pneumonia viral (probability 0.25)."


def test_the_model_sees_the_film_as_its_manifest_asks(stage):
    """Resampled to the input's size, one film, uint8."""
    ramp = np.linspace(0, 255, 64 * 64).astype(np.uint8).reshape(64, 64)
    stage.analyse(stage.queued(graymap(ramp)).id)
    (films,) = stage.engine.calls
    assert (films.shape, films.dtype) == ((1, 32, 32, 1), np.uint8)
    assert np.abs(films[0, :, :, 0].astype(int) - ramp[::2, ::2]).max() <= 4


def test_every_panel_of_the_set_is_read_in_its_order(stage):
    """Two models give two panels."""
    models = [small_model(), small_model("tb", panel="tuberculosis")]
    stage.catalogue.models = tuple(models)
    stage.engine._served = {(model.name, model.serving_version) for model in models}  # noqa: SLF001
    job = stage.analyse(stage.queued().id)
    assert [p.panel for p in stage.result(job.id).panels] == ["pneumonia", "tuberculosis"]


def test_the_milliseconds_of_every_stage_are_kept(stage):
    """Wait from acceptance to claim by the clock; the parts are no longer than the whole."""
    job = stage.queued()
    stage.advance(3)
    timings = dict(stage.analyse(job.id).timings_ms)
    assert set(timings) == {"wait", "fetch", "decode", "infer", "total"}
    assert timings.pop("wait") == 3000
    total = timings.pop("total")
    assert 0 < sum(timings.values()) <= total


def test_a_site_s_films_are_read_at_its_operating_points(stage):
    """The set of the job's site reads it, and the result names that set."""
    strict = replace(
        small_panel(), operating_points=tuple(OperatingPoint(label, 0.9) for label in LABELS)
    )
    of_north = ModelSet((model_of("pneumonia", strict),))
    shipped = stage.catalogue.current()
    stage.catalogue.of_site = lambda site: of_north if site == "north" else shipped
    fields = SubmissionFields(site="north")
    north, south = (
        stage.send(film(shade), fields=given).accepted[0].job
        for shade, given in ((1, fields), (2, SubmissionFields(site="south")))
    )
    assert (north.model_set, south.model_set) == (of_north.version, shipped.version)
    results = [stage.result(stage.analyse(job.id).id) for job in (north, south)]
    assert [result.model_set for result in results] == [of_north.version, shipped.version]
    points = [{f.operating_point for f in result.panels[0].findings} for result in results]
    assert points == [{0.9}, {0.25}]


def test_a_job_that_is_not_there_to_be_claimed_is_left_alone(stage):
    """Unknown, running elsewhere, done: a second wake-up changes nothing."""
    assert stage.analyse(uuid4()) is None
    job = stage.queued()
    stage.claim(job.id, "other")
    assert stage.analyse(job.id) is None
    assert stage.job(job.id).lease_owner == "other"


def test_waking_twice_analyses_once(stage):
    """The result is the first one's."""
    job = stage.analyse(stage.queued().id)
    assert stage.analyse(job.id) is None
    assert len(stage.engine.calls) == 1
    assert stage.job(job.id) == job


@pytest.mark.parametrize("kind", leaves(errors.Rejected), ids=lambda kind: kind.code)
def test_bad_input_ends_at_once_with_its_reason(stage, kind):
    """Rejected, never retried, no result; the timings tell how far it came."""

    def refuse(data):
        raise kind("because")

    stage.reader.read = refuse
    job = stage.analyse(stage.queued().id)
    assert job.state is JobState.REJECTED
    assert (job.reason.code, job.reason.detail) == (kind.code, "because")
    assert set(job.timings_ms) == {"wait", "fetch", "decode", "total"}
    assert stage.result(job.id) is None
    assert stage.actions()[-1] == "job.rejected"
    assert stage.events()[-1].details["reason"] == kind.code


OF_ANALYSES = [
    kind for kind in leaves(errors.Transient) if kind is not errors.DestinationUnavailable
]


@pytest.mark.parametrize("kind", OF_ANALYSES, ids=lambda kind: kind.code)
def test_a_failed_attempt_puts_the_job_back_with_a_backoff(stage, kind):
    """Queued again, and not to be claimed before its time. What it blames works."""
    failures = [kind("down")]

    def fail():
        if failures:
            raise failures.pop()

    stage.fail_on_images(fail)
    job = stage.analyse(stage.queued().id)
    assert (job.state, job.attempts, job.losses) == (JobState.QUEUED, 1, 0)
    assert (job.reason.code, job.rung_at, job.lease_owner) == (kind.code, None, None)
    waits = job.not_before - stage.clock.now()
    assert timedelta(seconds=0.5) <= waits <= timedelta(seconds=1)
    assert stage.analyse(job.id) is None
    stage.advance(1)
    assert stage.analyse(job.id).state is JobState.COMPLETED
    assert stage.job(job.id).reason is None


@pytest.mark.parametrize("kind", leaves(errors.Permanent), ids=lambda kind: kind.code)
def test_a_defect_parks_the_job_for_an_operator(stage, kind):
    """Failed, with the reason; attempts are not used up on it."""
    stage.engine.failure = kind("broken")
    job = stage.analyse(stage.queued().id)
    assert (job.state, job.attempts) == (JobState.FAILED, 1)
    assert job.reason.code == kind.code
    assert stage.actions()[-1] == "job.failed"


@pytest.mark.parametrize(
    "error", [RuntimeError("secret of a patient"), RecursionError(), KeyError("k")]
)
def test_an_unforeseen_error_parks_the_film_and_tells_no_secret(stage, error, caplog):
    """The reason names the class; the trace is in the log under the job's id."""

    def fail(data):
        raise error

    stage.reader.read = fail
    job = stage.analyse(stage.queued().id)
    assert (job.state, job.reason.code) == (JobState.FAILED, "internal_error")
    assert type(error).__name__ in job.reason.detail
    assert "secret" not in job.reason.detail
    (record,) = [one for one in caplog.records if one.message == "attempt.crashed"]
    assert record.work_id == str(job.id)
    assert "Traceback" in caplog.text


def test_attempts_that_are_used_up_park_the_job():
    """With the reason of the last one."""
    stage = Stage(policy=RetryPolicy(max_attempts=3))

    def fail():
        raise errors.InferenceUnavailable("busy")

    stage.fail_on_images(fail)
    job = stage.queued()
    states = []
    for _ in range(3):
        states.append(stage.analyse(job.id).state)
        stage.advance(600)
    assert states == [JobState.QUEUED, JobState.QUEUED, JobState.FAILED]
    parked = stage.job(job.id)
    assert (parked.reason.code, parked.attempts) == ("inference_unavailable", 3)
    assert stage.analyse(job.id) is None


def test_a_film_that_vanished_from_the_store_parks_the_job(stage):
    """A row that names missing bytes is a defect."""
    job = stage.queued()
    stage.store.objects.clear()
    assert stage.analyse(job.id).reason.code == "object_missing"


def test_a_film_that_shrank_in_the_store_parks_the_job(stage):
    """What is read must be what was accepted."""
    job = stage.queued()
    (name,) = stage.store.objects
    stage.store.objects[name] = film()[:-1]
    assert stage.analyse(job.id).reason.code == "object_missing"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_probability_that_is_no_number_parks_the_job(stage, value):
    """It is not shown to anybody."""
    infer = stage.engine.infer

    def broken(model, films):
        outputs = infer(model, films)
        outputs["pneumonia_probabilities"][0, 1] = value
        return outputs

    stage.engine.infer = broken
    job = stage.analyse(stage.queued().id)
    assert (job.state, job.reason.code) == (JobState.FAILED, "inference_failed")
    assert stage.result(job.id) is None


def test_a_manifest_with_a_preprocessing_of_another_release_parks_the_job(stage):
    """Rather than reading the film in a way that the model was not trained for."""
    stage.catalogue.models = (replace(stage.catalogue.models[0], preprocessing="round-v9"),)
    job = stage.analyse(stage.queued().id)
    assert job.reason.code == "invalid_manifest"
    assert "round-v9" in job.reason.detail


@pytest.mark.parametrize("where", ["decoding", "reading"])
def test_a_worker_without_memory_puts_the_film_back(stage, where):
    """It is not the film's fault, and with fewer films in flight it may be read."""

    def exhausted(*_: object):
        raise MemoryError

    if where == "decoding":
        stage.reader.read = exhausted
    else:
        stage.engine.infer = exhausted
    job = stage.analyse(stage.queued().id)
    assert (job.state, job.reason.code) == (JobState.QUEUED, "out_of_memory")
