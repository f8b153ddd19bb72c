"""What an operator does with a parked job."""

from __future__ import annotations

from contextlib import contextmanager
from uuid import uuid4

import pytest

from hilum.domain.errors import DatabaseUnavailable, NotFound, NotPermitted, TransitionNotAllowed
from hilum.domain.job import JobState
from hilum.domain.principal import Grant, Principal, PrincipalKind, Role
from tests.unit.application.stage import Stage, key


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_retry_queues_a_failed_job_and_wakes_a_slot(stage):
    """With attempts, losses and reason forgotten, and the operator in the log."""
    parked = stage.parked()
    stage.queue.flush()
    job = stage.operate.retry(parked.id, key(Role.OPERATOR, name="op"), "r9")
    assert (job.state, job.attempts, job.losses, job.reason) == (JobState.QUEUED, 0, 0, None)
    assert stage.queue.hear() is job.priority
    event = stage.events()[-1]
    assert (event.actor, event.action, event.request_id) == (key(name="op"), "job.retry", "r9")


def test_discard_ends_a_parked_job_for_good(stage):
    """It cannot be retried after that."""
    parked = stage.parked()
    assert stage.operate.discard(parked.id, key(), "r").state is JobState.DISCARDED
    assert stage.actions()[-1] == "job.discard"
    with pytest.raises(TransitionNotAllowed, match="discarded"):
        stage.operate.retry(parked.id, key(), "r")


@pytest.mark.parametrize("action", ["retry", "discard"])
def test_only_a_parked_job_can_be_operated_on(stage, action):
    """Queued and completed jobs are left as they are, and the log says nothing."""
    for job in (stage.queued(), stage.analyse(stage.queued().id)):
        before = (stage.job(job.id), stage.events())
        with pytest.raises(TransitionNotAllowed, match=action):
            getattr(stage.operate, action)(job.id, key(), "r")
        assert (stage.job(job.id), stage.events()) == before


@pytest.mark.parametrize("action", ["retry", "discard"])
@pytest.mark.parametrize("role", [Role.VIEWER, Role.SUBMITTER])
def test_a_role_below_operator_may_not(stage, action, role):
    """Also where the job could be operated on."""
    parked = stage.parked()
    with pytest.raises(NotPermitted):
        getattr(stage.operate, action)(parked.id, key(role), "r")
    assert stage.job(parked.id).state is JobState.FAILED


@pytest.mark.parametrize("action", ["retry", "discard"])
def test_who_operates_another_site_may_not_where_they_only_look(stage, action):
    """The job is known to them, so the answer says what is missing."""
    parked = stage.parked()
    grants = (Grant(Role.OPERATOR, "elsewhere"), Grant(Role.VIEWER, parked.site))
    with pytest.raises(NotPermitted, match="elsewhere"):
        getattr(stage.operate, action)(
            parked.id, Principal(PrincipalKind.USER, "u", grants=grants), "r"
        )
    assert stage.job(parked.id).state is JobState.FAILED


@pytest.mark.parametrize("action", ["retry", "discard"])
def test_a_job_of_another_site_does_not_exist(stage, action):
    """The answer is the same as for a job that there is not."""
    parked = stage.parked()
    told = []
    for job_id in (parked.id, uuid4()):
        with pytest.raises(NotFound) as refusal:
            getattr(stage.operate, action)(job_id, key(site="elsewhere"), "r")
        told.append(refusal.value.detail.replace(str(job_id), "ID"))
    assert told[0] == told[1]


def test_a_broker_that_is_down_does_not_undo_a_retry(stage):
    """The reconciler publishes the wake-up."""
    parked = stage.parked()
    stage.queue.flush()
    stage.queue.available = False
    stage.operate.retry(parked.id, key(), "r")
    stage.queue.available = True
    assert stage.reconcile().woken == 1


def test_two_operators_at_once_do_it_once(stage):
    """The second is told that somebody was faster."""
    parked = stage.parked()
    begin = stage.unit_of_work.begin

    @contextmanager
    def meanwhile(*, write=True):
        with begin(write=write) as transaction:
            # The database's answer where the condition of the update does not hold any more.
            transaction.jobs.change = lambda *_: None
            yield transaction

    stage.unit_of_work.begin = meanwhile
    with pytest.raises(TransitionNotAllowed, match="somebody else"):
        stage.operate.retry(parked.id, key(), "r")
    stage.unit_of_work.begin = begin
    assert stage.actions()[-1] == "job.failed"


def test_a_database_that_is_down_changes_nothing(stage):
    """And wakes nobody."""
    parked = stage.parked()
    stage.queue.flush()
    stage.unit_of_work.fail_before = 1
    with pytest.raises(DatabaseUnavailable):
        stage.operate.retry(parked.id, key(), "r")
    assert stage.queue.hear() is None
