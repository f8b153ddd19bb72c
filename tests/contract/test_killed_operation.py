"""An operation outlives the process that runs it, on both databases."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from hilum.adapters.clock.clock import SystemClock
from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.unit_of_work import SqlUnitOfWork
from hilum.application.operations.manage_operations import ManageOperations, WantedOperation
from hilum.application.operations.run_operation import Chunk, RunOperation
from hilum.application.queue.dependencies import Dependencies
from hilum.application.queue.handler import Kind
from hilum.application.queue.leases import KeepLeases
from hilum.application.queue.reconcile import Periods, Reconcile
from hilum.application.queue.run_next import RunNext
from hilum.domain.attempt import Worker
from hilum.domain.audit import AuditEvent
from hilum.domain.operation import OPERATION, OperationState
from hilum.domain.principal import Permission, local_command
from hilum.domain.retry_policy import RetryPolicy
from hilum.domain.work import AttemptOutcome
from tests.contract.samples import NOW
from tests.fakes.task_queue import RecordingTaskQueue
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from hilum.application.ports.unit_of_work import Transaction, UnitOfWork
    from hilum.domain.operation import Operation

ME = local_command("me")
ITEMS = 250
DIES_AT = 130
LEASE = timedelta(seconds=1)


class Noting:
    """Notes each item in the audit log, and may kill its process at one."""

    permission = Permission.OPERATE_QUEUE

    def __init__(self, dies_at: int | None = None) -> None:
        self.dies_at = dies_at

    def total(self, _transaction: Transaction, _operation: Operation) -> int:
        return ITEMS

    def chunk(
        self,
        transaction: Transaction,
        operation: Operation,
        most: int,
        _goes_on: Callable[[], bool],
    ) -> Chunk:
        first = int(operation.cursor or 0)
        last = min(ITEMS, first + most)
        for item in range(first, last):
            event = AuditEvent(ME, "test.item", "item", str(item), NOW)
            transaction.audit.append([event])
            if item == self.dies_at:
                os.kill(os.getpid(), signal.SIGKILL)
        return Chunk(None if last == ITEMS else str(last), last - first)


def a_worker(unit_of_work: UnitOfWork, name: str, kind: Noting) -> RunNext:
    handler = RunOperation(unit_of_work=unit_of_work, kinds={"note": kind})
    return RunNext(
        unit_of_work=unit_of_work,
        kinds={OPERATION.kind: Kind(handler, RetryPolicy())},
        leases=KeepLeases(
            unit_of_work=unit_of_work,
            clock=SystemClock(),
            worker=Worker(name=name, host="h", release="1.2.3", queues=(), slots=1),
            lease=LEASE,
            max_run=timedelta(seconds=60),
        ),
        dependencies=Dependencies({}, unit_of_work=unit_of_work, slots=1),
        chance=random.Random(1),  # noqa: S311 - a seed
    )


def run_until_killed(url: str) -> None:
    """What the other process does."""
    unit_of_work = SqlUnitOfWork(create_database_engine(url))
    worker = a_worker(unit_of_work, "killed", Noting(DIES_AT))
    while worker([], lambda *_: None):
        pass


def test_another_process_goes_on_and_does_each_item_once(database_url: str) -> None:
    """The process is killed in its second chunk, of which nothing stays."""
    engine = create_database_engine(database_url)
    unit_of_work = SqlUnitOfWork(engine)
    queue = RecordingTaskQueue()
    manage = ManageOperations(unit_of_work=unit_of_work, queue=queue, kinds={"note": Noting()})
    operation = manage.start(WantedOperation("note", "a test"), ME, "request")
    killed = multiprocessing.get_context("spawn").Process(
        target=run_until_killed, args=(database_url,)
    )
    killed.start()
    killed.join(60)
    assert killed.exitcode == -signal.SIGKILL
    left = manage.get(operation.id, ME)
    assert (left.state, left.done, left.cursor) == (OperationState.RUNNING, 100, "100")

    reconcile = Reconcile(
        unit_of_work=unit_of_work,
        queue=queue,
        policies={OPERATION.kind: RetryPolicy(base=timedelta(0))},
        chance=random.Random(1),  # noqa: S311 - a seed
        periods=Periods(ageing=timedelta(hours=4), lease=timedelta(0), attempts=timedelta(days=90)),
    )
    wait_for(lambda: reconcile().released == 1, "the lease of the killed process expires")
    worker = a_worker(unit_of_work, "other", Noting())
    while worker([], lambda *_: None):
        pass

    ended = manage.get(operation.id, ME)
    assert (ended.state, ended.done, ended.losses) == (OperationState.COMPLETED, ITEMS, 0)
    with unit_of_work.begin(write=False) as transaction:
        records = transaction.audit.records(limit=9999)
        attempts = transaction.attempts.of(OPERATION.kind, operation.id)
    engine.dispose()
    noted = Counter(r.event.object_id for r in records if r.event.action == "test.item")
    assert noted == {str(item): 1 for item in range(ITEMS)}
    assert [(one.outcome, one.owner) for one in attempts] == [
        (AttemptOutcome.LOST, "killed"),
        (AttemptOutcome.DONE, "other"),
    ]
