"""The whole table of what happens to an image that is sent again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hilum.application.intake.submission import SubmissionFields
from hilum.domain.errors import HilumError, NotPermitted, Permanent, Rejected
from hilum.domain.job import JobState, Priority, Reason
from hilum.domain.principal import Role
from hilum.domain.sent_again import GIVES_UP_KEY, Outcome
from hilum.domain.study import FIRST_READER
from hilum.imaging.film import READER_VERSION
from tests.unit.application.stage import Stage, film, key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hilum.domain.job import Job


@pytest.fixture
def stage() -> Stage:
    return Stage()


def codes(kind: type[HilumError]) -> Iterator[str]:
    """The codes of an error and of those below it."""
    for one in kind.__subclasses__():
        yield from codes(one)
    if "code" in vars(kind):
        yield kind.code


FAILED = sorted({*codes(Permanent), "worker_lost", "retries_exhausted"})
REJECTED = sorted({*codes(Rejected)} - GIVES_UP_KEY)
PLACES = [(JobState.QUEUED, ""), (JobState.RUNNING, ""), (JobState.COMPLETED, "")]
PLACES += [(JobState.REJECTED, code) for code in REJECTED]
PLACES += [(JobState.FAILED, code) for code in FAILED if code != "object_missing"]


def became(stage: Stage, state: JobState, code: str = "") -> Job:
    """An image was sent, and its job has come to a state for a reason."""
    job = stage.send(film()).accepted[0].job
    reason = Reason(code, "as told") if code else None
    stage.unit_of_work.rows.jobs[job.id] = moved = replace(job, state=state, reason=reason)
    return moved


@pytest.mark.parametrize(("state", "code"), PLACES)
@pytest.mark.parametrize("kept", [True, False], ids=["kept", "gone"])
def test_a_known_image_answers_with_its_job(stage, state, code, kept):
    """Whatever became of it. An object that is gone is kept again under the new bytes."""
    job = became(stage, state, code)
    before = dict(stage.store.objects)
    if not kept:
        stage.store.objects.clear()
    (file,) = stage.send(film()).accepted
    assert (file.job.id, file.job.state) == (job.id, state)
    assert file.outcome is (Outcome.KNOWN if kept else Outcome.RESTORED)
    assert len(stage.store.objects) == 1
    assert (stage.store.objects.keys() == before.keys()) is kept
    with stage.unit_of_work.begin(write=False) as transaction:
        instance = transaction.submissions.instance(stage.job(job.id).instance_id)
    assert set(stage.store.objects) == {instance.object_key}


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "gone"])
def test_a_job_that_failed_without_its_object_is_queued(stage, kept):
    """The object may have come back meanwhile: it is analysed in either case."""
    job = became(stage, JobState.FAILED, "object_missing")
    if not kept:
        stage.store.objects.clear()
    (file,) = stage.send(film()).accepted
    assert (file.job.id, file.job.state, file.outcome) == (
        job.id,
        JobState.QUEUED,
        Outcome.REQUEUED,
    )


def test_a_discarded_image_is_new(stage):
    """The former job gave up its key, and stays as it is."""
    job = stage.parked()
    stage.operate.discard(job.id, key(), "r")
    (file,) = stage.send(film()).accepted
    assert file.outcome is Outcome.NEW
    assert file.job.id != job.id
    assert stage.job(job.id).state is JobState.DISCARDED


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.RUNNING])
def test_a_more_urgent_submission_raises_the_job(stage, state):
    """It has the higher of both priorities, a slot is woken for it, and no second job is made."""
    job = became(stage, state)
    stage.queue.woken.clear()
    (file,) = stage.send(film(), fields=SubmissionFields(Priority.STAT)).accepted
    raised = stage.job(job.id)
    assert (file.job.id, file.outcome, raised.state) == (job.id, Outcome.KNOWN, state)
    assert raised.priority is Priority.STAT
    assert stage.queue.woken == [Priority.STAT]
    assert (raised.fair_tag > 0) is (state is JobState.QUEUED)


@pytest.mark.parametrize(
    ("state", "priority"),
    [
        (JobState.QUEUED, Priority.BATCH),
        (JobState.QUEUED, Priority.ROUTINE),
        (JobState.COMPLETED, Priority.STAT),
        (JobState.FAILED, Priority.STAT),
    ],
)
def test_a_submission_lowers_no_priority_and_wakes_nobody_for_what_is_over(stage, state, priority):
    """The job keeps its priority."""
    job = became(stage, state, "retries_exhausted" if state is JobState.FAILED else "")
    stage.queue.woken.clear()
    stage.send(film(), fields=SubmissionFields(priority))
    assert stage.job(job.id).priority is Priority.ROUTINE
    assert stage.queue.woken == []


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.COMPLETED, JobState.FAILED])
def test_an_operator_can_force_a_new_job(stage, state):
    """It replaces the former one, which stays, and answers from now on."""
    job = became(stage, state, "retries_exhausted" if state is JobState.FAILED else "")
    forced = SubmissionFields(force=True)
    (file,) = stage.send(film(), by=key(Role.OPERATOR), fields=forced).accepted
    assert (file.outcome, file.job.replaces_job_id) == (Outcome.NEW, job.id)
    assert stage.job(job.id).state is state
    (again,) = stage.send(film()).accepted
    assert (again.job.id, again.outcome) == (file.job.id, Outcome.KNOWN)
    assert len(stage.store.objects) == 2


def test_a_new_image_can_be_forced(stage):
    """There is nothing to replace."""
    (file,) = stage.send(film(), fields=SubmissionFields(force=True)).accepted
    assert (file.outcome, file.job.replaces_job_id) == (Outcome.NEW, None)


def test_the_same_image_twice_in_a_forced_submission_has_one_new_job(stage):
    """It replaces the earlier one, and the second file is its duplicate."""
    earlier = became(stage, JobState.COMPLETED)
    one, two = stage.send(film(), film(), fields=SubmissionFields(force=True)).accepted
    assert one.job.id == two.job.id != earlier.id
    assert one.job.replaces_job_id == earlier.id
    assert [one.outcome, two.outcome] == [Outcome.NEW, Outcome.KNOWN]


def test_a_submitter_may_not_force(stage):
    """Nothing is left of the submission."""
    with pytest.raises(NotPermitted):
        stage.send(film(), by=key(Role.SUBMITTER), fields=SubmissionFields(force=True))
    assert (stage.store.objects, stage.unit_of_work.rows.submissions) == ({}, {})


def test_every_file_leaves_an_item(stage):
    """New, refused, known and restored, in the order of the files, also beside one another."""
    known, gone = stage.send(film(1), film(2)).accepted
    key_of = {
        job.id: stage.unit_of_work.rows.instances[job.instance_id].object_key
        for job in (known.job, gone.job)
    }
    del stage.store.objects[key_of[gone.job.id]]
    answer = stage.send(film(3), b"no image", film(1), film(2))
    submission, items = stage.unit_of_work.rows.submissions[answer.submission_id]
    assert submission.principal == key()
    assert [(item.position, item.filename) for item in items] == [(n, f"{n}.pgm") for n in range(4)]
    assert [item.outcome for item in items] == [
        Outcome.NEW,
        Outcome.REFUSED,
        Outcome.KNOWN,
        Outcome.RESTORED,
    ]
    assert [item.job_id for item in items[2:]] == [known.job.id, gone.job.id]
    assert items[1].reason is not None
    assert items[1].reason.code == "unsupported_format"


def test_a_submission_that_is_refused_as_a_whole_leaves_its_items(stage):
    """Who sent what, and why it was not taken."""
    answer = stage.send(b"x", b"y")
    (record,) = stage.unit_of_work.rows.submissions.values()
    assert record.submission.id == answer.submission_id
    assert [item.outcome for item in record.items] == [Outcome.REFUSED] * 2
    assert stage.unit_of_work.rows.parents == {}


def test_a_job_names_the_reader_of_its_submission(stage):
    """The version that is part of its key."""
    assert READER_VERSION >= FIRST_READER
    assert stage.send(film()).accepted[0].job.reader_version == READER_VERSION
