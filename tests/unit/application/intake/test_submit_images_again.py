"""A film that was sent before answers with the job that it has."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

from hilum.application.intake.submission import IncomingFile, SubmissionFields
from hilum.domain.errors import ObjectStoreUnavailable
from hilum.domain.job import JobState
from hilum.domain.sent_again import Outcome
from tests.fakes.film_reader import graymap
from tests.fakes.model_catalogue import whole_set
from tests.unit.application.stage import Stage, film, key


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_the_same_film_again_answers_with_the_job_that_exists(stage):
    """It is not stored twice, not queued twice, and the log says that it was sent again."""
    first = stage.send(film())
    again = stage.send(film())
    assert again.files[0].duplicate
    assert not first.files[0].duplicate
    assert again.files[0].job.id == first.files[0].job.id
    assert again.study_id == first.study_id
    assert len(stage.store.objects) == 1
    assert len(stage.queue.woken) == 1
    assert stage.actions() == ["job.accepted", "job.submitted_again"]


def test_the_same_film_twice_in_one_request_is_one_job(stage):
    """The first is accepted, the second is its duplicate."""
    submitted = stage.send(film(1), film(1), film(2))
    assert [file.duplicate for file in submitted.files] == [False, True, False]
    assert submitted.files[0].job.id == submitted.files[1].job.id
    assert len(stage.store.objects) == 2
    assert len(stage.queue.woken) == 2


def test_a_mixed_batch_of_known_and_new_belongs_to_the_new_study(stage):
    """The study in the answer is the one that was made."""
    old = stage.send(film(1))
    mixed = stage.send(film(1), film(2))
    assert mixed.study_id == mixed.files[1].job.study_id != old.study_id
    assert len(stage.store.objects) == 2


def test_sites_do_not_share_jobs(stage):
    """A site never learns that another one holds the same film."""
    north = stage.send(film(), by=key(site="north")).files[0]
    south = stage.send(film(), by=key(site="south")).files[0]
    assert not south.duplicate
    assert north.job.id != south.job.id


def test_a_new_model_set_reads_a_known_film_anew(stage):
    """Results are keyed by the model set."""
    first = stage.send(film()).files[0]
    stage.catalogue.models = (replace(stage.catalogue.models[0], version="2.0.0"),)
    second = stage.send(film()).files[0]
    assert not second.duplicate
    assert first.job.id != second.job.id


def test_a_duplicate_rings_nothing_even_with_the_broker_down(stage):
    """There is nothing to ring for, and nothing to mark."""
    stage.send(film())
    stage.queue.available = False
    assert stage.send(film()).files[0].duplicate
    assert len(stage.queue.woken) == 1


def test_an_orphan_that_cannot_be_deleted_is_no_error(stage):
    """The answer does not depend on it."""
    stage.send(film())
    delete = stage.store.delete

    def down(object_key):
        raise ObjectStoreUnavailable("down")

    stage.store.delete = down
    assert stage.send(film()).files[0].duplicate
    stage.store.delete = delete


def test_the_same_film_sent_by_many_at_once_is_one_job(stage):
    """Exactly one of them made it; all answer with it, and one object is left."""
    answers = []

    def send():
        answers.append(stage.send(film()).files[0])

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({answer.job.id for answer in answers}) == 1
    assert sum(not answer.duplicate for answer in answers) == 1
    assert len(stage.store.objects) == 1
    assert len(stage.queue.woken) == 1


@pytest.mark.parametrize("cut", [1, 7, 100, 5000])
def test_however_the_bytes_are_cut_the_film_is_the_same(stage, cut):
    """Chunk borders mean nothing: neither to the digest nor to the object."""
    content = film(3, size=70)
    pieces = [content[at : at + cut] for at in range(0, len(content), cut)]
    stage.submit([IncomingFile("a", pieces)], SubmissionFields, key(), "r")
    assert list(stage.store.objects.values()) == [content]
    assert stage.send(content).files[0].duplicate


def queued(stage):
    return stage.queued().id


def running(stage):
    job_id = queued(stage)
    stage.claim(job_id, "w1")
    return job_id


def completed(stage):
    job_id = queued(stage)
    stage.analyse(job_id)
    return job_id


def rejected(stage):
    job_id = stage.queued(WHITE).id
    stage.analyse(job_id)
    return job_id


def failed(stage):
    return stage.parked().id


def failed_without_file(stage):
    job_id = queued(stage)
    stage.store.objects.clear()
    stage.analyse(job_id)
    return job_id


def discarded(stage):
    job_id = failed(stage)
    stage.operate.discard(job_id, key(), "r")
    return job_id


WHITE = graymap(np.full((64, 64), 250, np.uint8))
WALK = {
    queued: (JobState.QUEUED, Outcome.KNOWN, JobState.QUEUED),
    running: (JobState.RUNNING, Outcome.KNOWN, JobState.RUNNING),
    completed: (JobState.COMPLETED, Outcome.KNOWN, JobState.COMPLETED),
    rejected: (JobState.REJECTED, Outcome.KNOWN, JobState.REJECTED),
    failed: (JobState.FAILED, Outcome.KNOWN, JobState.FAILED),
    failed_without_file: (JobState.FAILED, Outcome.REQUEUED, JobState.QUEUED),
    discarded: (JobState.DISCARDED, Outcome.NEW, JobState.QUEUED),
}


def test_the_walk_visits_every_state():
    """But the one that is only seen inside the accepting transaction."""
    assert {state for state, _, _ in WALK.values()} == set(JobState) - {JobState.RECEIVED}


@pytest.mark.parametrize("reach", list(WALK), ids=lambda reach: reach.__name__)
def test_what_happens_to_an_image_that_is_sent_again(reach):
    """By where its job stands. One object is left, and what is queued is read."""
    stage = Stage(models=whole_set())
    job_id = reach(stage)
    state, outcome, then = WALK[reach]
    assert stage.job(job_id).state is state
    rung = len(stage.queue.woken)
    (file,) = stage.send(WHITE if reach is rejected else film()).files
    assert (file.outcome, file.job.state) == (outcome, then)
    assert (file.job.id == job_id) == (outcome is not Outcome.NEW)
    assert len(stage.queue.woken) == rung + file.queued
    films = [name for name in stage.store.objects if name.startswith("films/")]
    assert len(films) == 1 + (outcome is Outcome.NEW)
    if file.queued:
        stage.analyse(file.job.id)
        assert stage.job(file.job.id).state is JobState.COMPLETED


@pytest.mark.parametrize(
    "reach", [queued, completed, rejected, failed], ids=lambda reach: reach.__name__
)
def test_bytes_are_kept_where_the_earlier_ones_are_gone(reach):
    """The job stays as it is, and its image can be shown and analysed again."""
    stage = Stage(models=whole_set())
    job = stage.job(reach(stage))
    content = WHITE if reach is rejected else film()
    stage.store.objects.clear()
    (file,) = stage.send(content).files
    assert (file.outcome, file.job.id, file.job.state) == (Outcome.RESTORED, job.id, job.state)
    assert list(stage.store.objects.values()) == [content]
    assert stage.read.original(job.id, key())
    assert stage.actions()[-1] == "job.film_restored"
    assert stage.send(content).files[0].outcome is Outcome.KNOWN
    assert len(stage.store.objects) == 1


def test_bytes_stay_while_nobody_knows_whether_the_earlier_ones_are_there(stage, monkeypatch):
    """The sweep of orphans removes them later; a store that is down must not cost an image."""
    stage.send(film())

    def down(_prefix=""):
        raise ObjectStoreUnavailable("down")

    monkeypatch.setattr(stage.store, "list", down)
    assert stage.send(film()).files[0].outcome is Outcome.KNOWN
    assert len(stage.store.objects) == 2


def test_the_same_image_under_another_pseudonym_is_another_job(stage):
    """It may be another patient's. Without a pseudonym nothing is known of the patient."""
    jobs = [
        stage.send(film(), fields=SubmissionFields(patient_ref=ref)).files[0].job.id
        for ref in ("P1", "P2", None, "P1")
    ]
    assert len(set(jobs)) == 3
    assert jobs[0] == jobs[3]


def test_an_image_that_failed_for_another_reason_waits_for_a_person(stage):
    """Sending it again cannot mend what is wrong with the installation."""
    job = stage.parked()
    (file,) = stage.send(film()).files
    assert (file.outcome, file.job) == (Outcome.KNOWN, job)
    assert file.job.reason is not None


def test_a_discarded_image_that_is_sent_twice_has_one_new_job(stage):
    """The discarded one gave up its key; the next takes it."""
    former = discarded(stage)
    jobs = {stage.send(film()).files[0].job.id for _ in range(3)}
    assert len(jobs) == 1
    assert former not in jobs
    assert stage.job(former).state is JobState.DISCARDED
