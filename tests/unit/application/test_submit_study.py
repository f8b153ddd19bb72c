"""Accepting films: bytes, then rows, then the ring."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from hilum.application.ports.film_reader import INSPECTED_BYTES
from hilum.application.submission import (
    IncomingFile,
    RefusedFile,
    SubmissionFields,
    SubmissionLimits,
)
from hilum.application.use_cases.submit_study import SubmitStudy
from hilum.domain.access import DEFAULT_SITE, Role
from hilum.domain.errors import (
    BrokerUnavailable,
    DatabaseUnavailable,
    InvalidManifest,
    InvalidRequest,
    NotPermitted,
    ObjectStoreUnavailable,
    TooManyFiles,
)
from hilum.domain.job import JobState, Priority
from tests.unit.application.stage import MAX_FILE_BYTES, MAX_FILES, Stage, film, key


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_a_film_is_stored_recorded_and_rung_for(stage):
    """All three, and the job says what was sent."""
    fields = SubmissionFields(Priority.STAT, "north", "P-1")
    submitted = stage.send(film(), by=key(Role.SUBMITTER), fields=fields)
    (accepted,) = submitted.files
    job = stage.job(accepted.job.id)
    assert (job.state, job.priority, job.site) == (JobState.QUEUED, Priority.STAT, "north")
    assert (job.filename, job.attempts, job.reason) == ("0.pgm", 0, None)
    assert job.model_set == stage.catalogue.current().version
    assert submitted.study_id == job.study_id
    assert [message.job_id for message in stage.queue.rung] == [job.id]
    assert list(stage.store.objects.values()) == [film()]
    with stage.unit_of_work.begin(write=False) as transaction:
        instance = transaction.studies.instance(job.instance_id)
    assert stage.store.objects[instance.object_key] == film()
    assert stage.store.media_types[instance.object_key] == instance.media_type
    assert (instance.size_bytes, len(instance.sha256)) == (len(film()), 64)


def test_bytes_come_before_rows_and_rows_before_the_ring(stage):
    """No row ever names bytes that are not there; no ring names a job that is not there."""
    seen = []
    ring, add = stage.queue.ring, stage.store.put

    def put(key, chunks, media_type):
        seen.append(("put", len(stage.events())))
        return add(key, chunks, media_type=media_type)

    def tell(messages):
        seen.append(("ring", [stage.job(m.job_id).state for m in messages]))
        ring(messages)

    stage.store.put, stage.queue.ring = put, tell
    stage.send(film())
    assert seen == [("put", 0), ("ring", [JobState.QUEUED])]


def test_acceptance_stands_in_the_audit_log(stage):
    """Who sent what, when, by which request."""
    job = stage.send(film(), by=key(name="me")).accepted[0].job
    (event,) = stage.events()
    assert (event.actor, event.action, event.object_id) == ("me", "job.accepted", str(job.id))
    assert (event.request_id, event.at) == ("request", stage.clock.now())
    assert event.details["site"] == DEFAULT_SITE


def test_the_same_film_again_answers_with_the_job_that_exists(stage):
    """It is not stored twice, not queued twice, and the log says that it was sent again."""
    first = stage.send(film())
    again = stage.send(film())
    assert again.files[0].duplicate
    assert not first.files[0].duplicate
    assert again.files[0].job.id == first.files[0].job.id
    assert again.study_id == first.study_id
    assert len(stage.store.objects) == 1
    assert len(stage.queue.rung) == 1
    assert stage.actions() == ["job.accepted", "job.submitted_again"]


def test_the_same_film_twice_in_one_request_is_one_job(stage):
    """The first is accepted, the second is its duplicate."""
    submitted = stage.send(film(1), film(1), film(2))
    assert [file.duplicate for file in submitted.files] == [False, True, False]
    assert submitted.files[0].job.id == submitted.files[1].job.id
    assert len(stage.store.objects) == 2
    assert len(stage.queue.rung) == 2


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


def test_a_refused_file_does_not_harm_the_others(stage):
    """Each file has its own answer, in the order in which they were sent."""
    submitted = stage.send(film(1), b"not a film", film(2))
    refused = submitted.files[1]
    assert isinstance(refused, RefusedFile)
    assert (refused.filename, refused.error.code) == ("1.pgm", "unsupported_format")
    assert [file.job.filename for file in submitted.accepted] == ["0.pgm", "2.pgm"]
    assert len(stage.store.objects) == 2


def test_where_every_file_is_refused_nothing_is_recorded(stage):
    """No study without a film."""
    submitted = stage.send(b"x", b"")
    assert [file.error.code for file in submitted.files] == ["unsupported_format"] * 2
    assert submitted.study_id is None
    assert submitted.accepted == ()
    assert (stage.store.objects, stage.events(), stage.queue.rung) == ({}, [], [])


def test_a_file_beyond_the_limit_is_refused_as_soon_as_it_is_over_it(stage):
    """The rest of it is not read."""
    read = []

    def chunks():
        yield film()
        for number in range(100):
            read.append(number)
            yield b"\0" * MAX_FILE_BYTES

    submitted = stage.submit([IncomingFile("a", chunks())], SubmissionFields, key(), "r")
    (refused,) = submitted.files
    assert refused.error.code == "file_too_large"
    assert str(MAX_FILE_BYTES) in refused.error.detail
    assert len(read) <= INSPECTED_BYTES // MAX_FILE_BYTES + 2
    assert stage.store.objects == {}


def test_more_files_than_allowed_are_refused_together(stage):
    """And nothing of them stays."""
    with pytest.raises(TooManyFiles, match=str(MAX_FILES)):
        stage.send(*(film(n) for n in range(MAX_FILES + 1)))
    assert (stage.store.objects, stage.events()) == ({}, [])


def test_a_request_without_a_file_is_invalid(stage):
    """The text says how files are sent."""
    with pytest.raises(InvalidRequest, match="files"):
        stage.send()


@pytest.mark.parametrize(
    ("by", "site"), [(key(Role.VIEWER), None), (key(site="north"), "south")], ids=["role", "site"]
)
def test_a_key_that_may_not_submit_leaves_nothing(stage, by, site):
    """Neither bytes nor rows."""
    with pytest.raises(NotPermitted):
        stage.send(film(), by=by, fields=SubmissionFields(site=site))
    assert (stage.store.objects, stage.events()) == ({}, [])


def test_a_malformed_field_that_comes_after_the_films_leaves_nothing(stage):
    """A form may send its fields last, when the bytes are stored already."""

    def fields():
        assert len(stage.store.objects) == 1
        raise InvalidRequest("priority: urgent is none")

    with pytest.raises(InvalidRequest, match="urgent"):
        stage.submit([IncomingFile("a", [film()])], fields, key(), "r")
    assert stage.store.objects == {}


def test_a_store_that_is_down_takes_nothing(stage):
    """503 to the client, no row."""
    stage.store.available = False
    with pytest.raises(ObjectStoreUnavailable):
        stage.send(film())
    assert (stage.events(), stage.queue.rung) == ([], [])


def test_a_store_that_goes_down_between_two_films_takes_neither(stage):
    """All or nothing; what lies in the store has no row and is an orphan."""

    def second():
        stage.store.available = False
        yield film(2)

    files = [IncomingFile("a", [film(1)]), IncomingFile("b", second())]
    with pytest.raises(ObjectStoreUnavailable):
        stage.submit(files, SubmissionFields, key(), "r")
    assert (stage.events(), stage.queue.rung) == ([], [])
    stage.store.available = True
    assert stage.send(film(1)).accepted[0].duplicate is False


def test_a_client_that_goes_away_leaves_nothing(stage):
    """Whatever its connection raises is passed on, and the films before it are forgotten."""

    class Gone(BaseException):
        pass

    def second():
        yield film(2)[:10]
        raise Gone

    files = [IncomingFile("a", [film(1)]), IncomingFile("b", second())]
    with pytest.raises(Gone):
        stage.submit(files, SubmissionFields, key(), "r")
    assert (stage.store.objects, stage.events()) == ({}, [])


@pytest.mark.parametrize("failure", ["fail_before", "fail_after"])
def test_a_database_that_fails_keeps_the_bytes_and_sending_again_is_safe(stage, failure):
    """A commit whose answer was lost may have succeeded, so its objects stay."""
    setattr(stage.unit_of_work, failure, 1)
    with pytest.raises(DatabaseUnavailable):
        stage.send(film())
    assert len(stage.store.objects) == 1
    again = stage.send(film())
    job = stage.job(again.files[0].job.id)
    with stage.unit_of_work.begin(write=False) as transaction:
        instance = transaction.studies.instance(job.instance_id)
        assert sum(transaction.jobs.counts(None).values()) == 1
    assert stage.store.objects[instance.object_key] == film()
    assert stage.analyse(job.id).state is JobState.COMPLETED


def test_a_broker_that_is_down_costs_no_film(stage):
    """The job is marked as not rung for, so the reconciler rings at once."""
    stage.queue.available = False
    job = stage.send(film()).accepted[0].job
    assert stage.job(job.id).rung_at is None
    stage.queue.available = True
    assert stage.reconcile().rung == 1
    assert stage.queue.hear().job_id == job.id


def test_a_broker_and_a_database_that_are_both_down_cost_no_film(stage):
    """The ring is overdue after a while, and then the reconciler rings."""
    ring = stage.queue.ring

    def fail(messages):
        stage.unit_of_work.fail_before = 1
        raise BrokerUnavailable("down")

    stage.queue.ring = fail
    job = stage.send(film()).accepted[0].job
    stage.queue.ring = ring
    assert stage.reconcile().rung == 0
    stage.advance(16)
    assert stage.reconcile().rung == 1
    assert stage.queue.hear().job_id == job.id


def test_a_duplicate_rings_nothing_even_with_the_broker_down(stage):
    """There is nothing to ring for, and nothing to mark."""
    stage.send(film())
    stage.queue.available = False
    assert stage.send(film()).files[0].duplicate
    assert len(stage.queue.rung) == 1


def test_without_a_model_nothing_is_taken(stage):
    """A gateway with a broken model repository says so before it stores a byte."""
    stage.catalogue.models = ()
    with pytest.raises(InvalidManifest):
        stage.send(film())
    assert stage.store.objects == {}


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
    assert len(stage.queue.rung) == 1


@pytest.mark.parametrize("cut", [1, 7, 100, 5000])
def test_however_the_bytes_are_cut_the_film_is_the_same(stage, cut):
    """Chunk borders mean nothing: neither to the digest nor to the object."""
    content = film(3, size=70)
    pieces = [content[at : at + cut] for at in range(0, len(content), cut)]
    stage.submit([IncomingFile("a", pieces)], SubmissionFields, key(), "r")
    assert list(stage.store.objects.values()) == [content]
    assert stage.send(content).files[0].duplicate


def test_limits_are_the_use_cases_own(stage):
    """A film of exactly the limit is taken, one byte more is not."""
    content = film()
    exact = SubmitStudy(
        unit_of_work=stage.unit_of_work,
        store=stage.store,
        queue=stage.queue,
        reader=stage.reader,
        catalogue=stage.catalogue,
        clock=stage.clock,
        limits=SubmissionLimits(len(content), 2),
    )
    files = [IncomingFile("a", [content]), IncomingFile("b", [content + b"\0"])]
    accepted, refused = exact(files, SubmissionFields, key(), "r").files
    assert accepted.job.filename == "a"
    assert refused.error.code == "file_too_large"
