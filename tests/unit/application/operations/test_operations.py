"""Operations: chunks, cursors, stops, and the bulk retry of jobs."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta

import pytest

from hilum.application.operations.manage_operations import WantedOperation
from hilum.application.operations.run_operation import END, RunOperation
from hilum.application.queue.handler import Stopwatch
from hilum.domain.errors import (
    InvalidRequest,
    NotFound,
    NotPermitted,
    OutOfMemory,
    TransitionNotAllowed,
)
from hilum.domain.job import Priority
from hilum.domain.operation import OPERATION, OperationState
from hilum.domain.principal import Role
from tests.unit.application.operations.desk import Desk, Picky, run
from tests.unit.application.stage import LEASE, key


def test_an_operation_is_done_in_chunks_of_a_hundred():
    """Between them it is queued, without cost. Its progress is seen."""
    desk = Desk(items=250)
    operation = desk.start()
    assert (operation.total, operation.done, operation.state) == (250, 0, OperationState.QUEUED)
    assert desk.stage.queue.waiting(Priority.ROUTINE, OPERATION.kind) == 1
    worker, seen = desk.worker(), []
    while run(worker):
        now = desk.get(operation)
        seen.append((now.state.value, now.done, now.cursor, now.attempts))
    assert seen == [
        ("queued", 100, "100", 0),
        ("queued", 200, "200", 0),
        ("completed", 250, END, 1),
    ]


def test_an_attempt_that_failed_is_audited_as_one():
    """Queued is what a person did. An attempt that failed or was lost is told as such."""
    desk = Desk()
    operation = desk.start()
    desk.counting.chunk = out_of_memory
    assert run(desk.worker())
    assert desk.get(operation).state is OperationState.QUEUED
    desk.stage.advance(60)
    with desk.stage.unit_of_work.begin() as transaction:
        transaction.operations.claim(list(Priority), "lost", LEASE)
    desk.stage.advance(LEASE.total_seconds())
    assert desk.reconcile().released == 1
    for _ in range(5):
        desk.stage.advance(600)
        run(desk.worker())
    assert desk.stage.actions() == [
        "operation.queued",
        "operation.attempt_failed",
        "operation.attempt_lost",
        "operation.attempt_failed",
        "operation.attempt_failed",
        "operation.failed",
    ]


def test_the_trace_of_the_request_goes_with_an_operation():
    """Each chunk has it, and so has the record of the attempt."""
    desk = Desk(items=150)
    traceparent = f"00-{'a' * 32}-{'b' * 16}-01"
    wanted = WantedOperation("count", "a test")
    operation = desk.manage.start(wanted, key(Role.OPERATOR), "r", traceparent)
    seen = []
    worker = desk.worker(
        around=lambda item: nullcontext(seen.append((item.traceparent, item.request_id)))
    )
    while run(worker):
        pass
    assert seen == [(traceparent, "r")] * 2
    with desk.stage.unit_of_work.begin(write=False) as transaction:
        (attempt,) = transaction.attempts.of(OPERATION.kind, operation.id)
    assert attempt.trace_id == "a" * 32


def out_of_memory(_transaction, _operation, _most, _goes_on):
    raise OutOfMemory("told to fail")


def test_an_operation_whose_end_was_lost_does_nothing_again():
    """Its last chunk is stored, and its worker dies before the outcome is written."""
    desk = Desk(items=50)
    operation = desk.start()
    with desk.stage.unit_of_work.begin() as transaction:
        claimed = transaction.operations.claim(list(Priority), "w1", LEASE)
    handler = RunOperation(unit_of_work=desk.stage.unit_of_work, kinds=desk.kinds)
    handler.run(claimed, desk.counting, Stopwatch())
    desk.stage.advance(LEASE.total_seconds())
    assert desk.reconcile().released == 1
    desk.stage.advance(10)
    while run(desk.worker("w2")):
        pass
    left = desk.get(operation)
    assert (left.state, left.done, desk.counting.chunks) == (OperationState.COMPLETED, 50, [50])


def test_operations_take_turns():
    """A chunk that goes on waits behind the next operation of the same site."""
    desk = Desk(items=250)
    first, second = desk.start(), desk.start()
    worker, done = desk.worker(), []
    for _ in range(4):
        assert run(worker)
        done.append((desk.get(first).done, desk.get(second).done))
    assert done == [(100, 0), (100, 100), (200, 100), (200, 200)]


def test_an_operation_without_what_it_needs_is_refused():
    """Before a row of it is written."""
    desk = Desk()
    desk.kinds["picky"] = Picky()
    with pytest.raises(InvalidRequest, match="arguments"):
        desk.start("picky")
    assert desk.start("picky", arguments={"items": "3"}).total == 3


def test_a_chunk_ends_after_two_seconds():
    """However few items it did."""
    desk = Desk(items=5, seconds=1.0)
    desk.start()
    worker = desk.worker()
    while run(worker):
        pass
    assert desk.counting.chunks == [2, 2, 1]


def test_a_rate_bounds_the_items_a_second():
    """By the size of a chunk, and by the pause after it."""
    desk = Desk(items=50)
    operation = desk.start(rate=10.0)
    worker = desk.worker()
    assert run(worker)
    assert not run(worker)
    assert desk.get(operation).done == 20
    desk.stage.advance(2)
    assert run(worker)
    assert desk.get(operation).done == 40


def test_another_worker_goes_on_where_a_lost_one_stopped():
    """The chunk that was not committed is done again, the others are not."""
    desk = Desk(items=250)
    operation = desk.start()
    assert run(desk.worker("lost"))
    with desk.stage.unit_of_work.begin() as transaction:
        transaction.operations.claim(list(Priority), "lost", LEASE)
    desk.stage.advance(LEASE.total_seconds())
    assert desk.reconcile().released == 1
    desk.stage.advance(10)
    while run(desk.worker("w2")):
        pass
    assert desk.get(operation).done == 250
    assert desk.counting.chunks == [100, 100, 50]


def test_a_claim_that_is_lost_does_no_chunk():
    """Whoever claimed it since does those items."""
    desk = Desk(items=250)
    operation = desk.start()

    begin, begun = desk.stage.unit_of_work.begin, []

    def begin_late(*, write=True):
        begun.append(write)
        if len(begun) == 2:  # the chunk's, after the claim's
            rows = desk.stage.unit_of_work.rows.operations
            later = rows[operation.id].started_at + timedelta(seconds=1)
            rows[operation.id] = replace(rows[operation.id], started_at=later)
        return begin(write=write)

    desk.stage.unit_of_work.begin = begin_late
    assert run(desk.worker())
    now = desk.get(operation)
    assert (now.state, now.done, now.cursor) == (OperationState.RUNNING, 0, None)
    assert desk.counting.chunks == []


@pytest.mark.parametrize("running", [False, True])
def test_a_stop_ends_an_operation_after_its_chunk(running):
    """What the chunk did counts. Nothing more is done, and a stop of a stopped one is refused."""
    desk = Desk(items=250)
    operation = desk.start()
    worker = desk.worker()
    if running:
        with desk.stage.unit_of_work.begin() as transaction:
            claimed = transaction.operations.claim(list(Priority), "w1", LEASE)
        stopped = desk.manage.stop(operation.id, key(), "r")
        with desk.stage.unit_of_work.begin() as transaction:
            assert transaction.operations.progress(claimed, "100", done=100, failed=0)
    else:
        assert run(worker)
        stopped = desk.manage.stop(operation.id, key(), "r")
    assert stopped.state is OperationState.STOPPED
    assert stopped.finished_at is not None
    assert not run(worker)
    assert (desk.get(operation).done, desk.get(operation).state) == (100, OperationState.STOPPED)
    with pytest.raises(TransitionNotAllowed, match="stopped"):
        desk.manage.stop(operation.id, key(), "r")
    assert desk.stage.actions()[-1] == "operation.stop"


def test_an_operation_that_fails_waits_for_a_person_and_goes_on_at_its_cursor():
    """A retry does not begin anew."""
    desk = Desk(items=150)
    operation = desk.start()
    worker = desk.worker()
    assert run(worker)
    del desk.kinds["count"]
    assert run(worker)
    assert desk.get(operation).state is OperationState.FAILED
    assert desk.get(operation).reason.code == "internal_error"
    desk.kinds["count"] = desk.counting
    again = desk.manage.retry(operation.id, key(), "r")
    assert (again.state, again.cursor, again.attempts) == (OperationState.QUEUED, "100", 0)
    assert run(worker)
    assert desk.get(operation).state is OperationState.COMPLETED
    assert desk.counting.chunks == [100, 50]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.READER, Role.SUBMITTER, Role.AUDITOR])
def test_who_may_not_operate_one_job_may_not_operate_many(role):
    """Neither start nor stop."""
    desk = Desk()
    with pytest.raises(NotPermitted):
        desk.start(role=role)
    operation = desk.start()
    with pytest.raises(NotPermitted):
        desk.manage.stop(operation.id, key(role), "r")
    assert desk.get(operation).state is OperationState.QUEUED


def test_an_operator_of_one_site_operates_there_alone():
    """Its operations are of its site. Those of others do not exist for it."""
    desk = Desk()
    north = key(Role.OPERATOR, "north")
    wanted = WantedOperation("count", "a test")
    mine = desk.manage.start(wanted, north, "r")
    assert mine.site == "north"
    with pytest.raises(NotPermitted):
        desk.manage.start(WantedOperation("count", "a test", site="south"), north, "r")
    with pytest.raises(NotPermitted):
        desk.manage.start(WantedOperation("count", "a test", site="*"), north, "r")
    other = desk.start()
    for act in (desk.manage.stop, desk.manage.retry):
        with pytest.raises(NotFound):
            act(other.id, north, "r")
    assert [one.id for one in desk.manage.all(north, 9)] == [mine.id]
    assert len(desk.manage.all(key(), 9)) == 2


def test_an_unknown_operation_is_refused():
    """Nothing is queued."""
    desk = Desk()
    with pytest.raises(InvalidRequest, match="nothing_like_this"):
        desk.start("nothing_like_this")
    assert desk.manage.all(key(), 9) == []
