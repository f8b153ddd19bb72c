"""Accepting films: bytes, then rows, then the ring; what is refused leaves nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hilum.application.intake.submission import (
    IncomingFile,
    RefusedFile,
    SubmissionFields,
    SubmissionLimits,
)
from hilum.application.intake.submit_images import SubmitImages
from hilum.application.ports.film_reader import INSPECTED_BYTES
from hilum.domain.errors import InvalidManifest, InvalidRequest, NotPermitted, TooManyFiles
from hilum.domain.job import JobState, Priority
from hilum.domain.principal import DEFAULT_SITE, Role
from tests.fakes.clock import SettableClock
from tests.fakes.unit_of_work import InMemoryUnitOfWork
from tests.unit.application.stage import MAX_FILE_BYTES, MAX_FILES, Stage, film, key


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_an_image_is_stored_and_recorded_and_a_slot_woken(stage):
    """All three, and the job says what was sent."""
    fields = SubmissionFields(Priority.STAT, "north", "P-1")
    submitted = stage.send(film(), by=key(Role.SUBMITTER), fields=fields)
    (accepted,) = submitted.files
    job = stage.job(accepted.job.id)
    assert (job.state, job.priority, job.site) == (JobState.QUEUED, Priority.STAT, "north")
    assert (job.filename, job.attempts, job.reason) == ("0.pgm", 0, None)
    assert job.model_set == stage.catalogue.current().version
    assert submitted.study_id == job.study_id
    assert stage.queue.woken == [Priority.STAT]
    assert job.fair_tag > 0
    assert list(stage.store.objects.values()) == [film()]
    with stage.unit_of_work.begin(write=False) as transaction:
        instance = transaction.submissions.instance(job.instance_id)
    assert stage.store.objects[instance.object_key] == film()
    assert stage.store.media_types[instance.object_key] == instance.media_type
    assert (instance.size_bytes, len(instance.sha256)) == (len(film()), 64)


def test_a_gateway_whose_clock_is_wrong_accepts_at_the_time_of_the_database():
    """Rows, audit log and answers have one time, also of an image that is sent again."""
    database_clock = SettableClock()
    stage = Stage(unit_of_work=InMemoryUnitOfWork(database_clock))
    accepted_at = database_clock.now()
    stage.advance(300)
    first = stage.queued()
    database_clock.advance(timedelta(seconds=1))
    again = stage.queued()
    assert first == again == stage.job(first.id)
    (parent,) = stage.unit_of_work.rows.parents.values()
    sent = [record.submission for record in stage.unit_of_work.rows.submissions.values()]
    assert {first.created_at, first.updated_at, parent.received_at} == {accepted_at}
    assert [one.received_at for one in sent] == [accepted_at, database_clock.now()]
    assert [event.at for event in stage.events()] == [accepted_at, database_clock.now()]


def test_bytes_come_before_rows_and_rows_before_the_wake_up(stage):
    """No row ever names bytes that are not there; no slot is woken for a job that is not there."""
    seen = []
    wake, add = stage.queue.wake, stage.store.put

    def put(key, chunks, media_type):
        seen.append(("put", len(stage.events())))
        return add(key, chunks, media_type=media_type)

    def tell(priorities):
        seen.append(("wake", [job.state for job in stage.unit_of_work.rows.jobs.values()]))
        wake(priorities)

    stage.store.put, stage.queue.wake = put, tell
    stage.send(film())
    assert seen == [("put", 0), ("wake", [JobState.QUEUED])]


def test_acceptance_stands_in_the_audit_log(stage):
    """Who sent what, when, by which request."""
    job = stage.send(film(), by=key(name="me")).accepted[0].job
    (event,) = stage.events()
    assert (event.actor, event.action, event.object_id) == (
        key(name="me"),
        "job.accepted",
        str(job.id),
    )
    assert (event.request_id, event.at) == ("request", stage.clock.now())
    assert event.details["site"] == DEFAULT_SITE


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
    assert (stage.store.objects, stage.events(), stage.queue.woken) == ({}, [], [])


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


def test_without_a_model_nothing_is_taken(stage):
    """A gateway with a broken model repository says so before it stores a byte."""
    stage.catalogue.models = ()
    with pytest.raises(InvalidManifest):
        stage.send(film())
    assert stage.store.objects == {}


def test_limits_are_the_use_cases_own(stage):
    """A film of exactly the limit is taken, one byte more is not."""
    content = film()
    exact = SubmitImages(
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
