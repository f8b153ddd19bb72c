"""Accepting films while store, database, broker or client go away."""

from __future__ import annotations

import pytest

from hilum.application.intake.submission import IncomingFile, SubmissionFields
from hilum.domain.errors import DatabaseUnavailable, ObjectStoreUnavailable
from hilum.domain.job import JobState, Priority
from tests.unit.application.stage import Stage, film, key


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_a_store_that_is_down_takes_nothing(stage):
    """503 to the client, no row."""
    stage.store.available = False
    with pytest.raises(ObjectStoreUnavailable):
        stage.send(film())
    assert (stage.events(), stage.queue.woken) == ([], [])


def test_a_store_that_goes_down_between_two_films_takes_neither(stage):
    """All or nothing; what lies in the store has no row and is an orphan."""

    def second():
        stage.store.available = False
        yield film(2)

    files = [IncomingFile("a", [film(1)]), IncomingFile("b", second())]
    with pytest.raises(ObjectStoreUnavailable):
        stage.submit(files, SubmissionFields, key(), "r")
    assert (stage.events(), stage.queue.woken) == ([], [])
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
        instance = transaction.submissions.instance(job.instance_id)
        assert sum(transaction.jobs.counts(None).values()) == 1
    assert stage.store.objects[instance.object_key] == film()
    assert stage.analyse(job.id).state is JobState.COMPLETED


def test_a_broker_that_is_down_costs_no_film(stage):
    """The reconciler publishes the wake-up."""
    stage.queue.available = False
    stage.send(film())
    stage.queue.available = True
    assert stage.reconcile().woken == 1
    assert stage.queue.hear() is Priority.ROUTINE
