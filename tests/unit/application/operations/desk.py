"""Operations on fakes: who asks for them, and the worker that runs them."""

from __future__ import annotations

import random
from contextlib import nullcontext
from typing import TYPE_CHECKING

from hilum.application.operations.kinds import OPERATIONS
from hilum.application.operations.manage_operations import ManageOperations, WantedOperation
from hilum.application.operations.run_operation import Chunk, RunOperation
from hilum.application.ports.repositories import JobFilter
from hilum.application.queue.dependencies import Dependencies
from hilum.application.queue.handler import Kind
from hilum.application.queue.run_next import RunNext
from hilum.domain.operation import OPERATION
from hilum.domain.principal import Permission, Role
from hilum.domain.retry_policy import RetryPolicy
from tests.unit.application.stage import Stage, key

if TYPE_CHECKING:
    from hilum.application.queue.reconcile import Reconciliation

FAILED_OR_NOT = JobFilter()


class Counting:
    """An operation of a number of items, each of which takes a second of the given clock."""

    permission = Permission.OPERATE_QUEUE

    def __init__(self, stage: Stage, items: int, seconds: float = 0.0) -> None:
        self.stage = stage
        self.items = items
        self.seconds = seconds
        self.chunks: list[int] = []

    def total(self, _transaction, _operation):
        return self.items

    def chunk(self, _transaction, operation, most, goes_on):
        at = done = int(operation.cursor or 0)
        while done < self.items and done - at < most and goes_on():
            self.stage.advance(self.seconds)
            done += 1
        self.chunks.append(done - at)
        return Chunk(None if done == self.items else str(done), done - at)


class Desk:
    """A stage with operations."""

    def __init__(self, items: int = 250, seconds: float = 0.0) -> None:
        self.stage = Stage()
        self.counting = Counting(self.stage, items, seconds)
        self.kinds = {**OPERATIONS, "count": self.counting}
        self.manage = ManageOperations(
            unit_of_work=self.stage.unit_of_work,
            queue=self.stage.queue,
            kinds=self.kinds,
        )

    def worker(self, name: str = "w1", around=nullcontext) -> RunNext:
        handler = RunOperation(
            unit_of_work=self.stage.unit_of_work,
            kinds=self.kinds,
            clock=lambda: self.stage.clock.now().timestamp(),
        )
        return RunNext(
            unit_of_work=self.stage.unit_of_work,
            kinds={OPERATION.kind: Kind(handler, RetryPolicy(max_attempts=5))},
            leases=self.stage.worker_leases(name),
            dependencies=Dependencies({}, unit_of_work=self.stage.unit_of_work, slots=1),
            chance=random.Random(1),  # noqa: S311 - a seed
            around=around,
        )

    def start(self, does="count", role=Role.OPERATOR, **wanted: object):
        return self.manage.start(WantedOperation(does, "a test", **wanted), key(role), "r")

    def get(self, operation):
        return self.manage.get(operation.id, key())

    def reconcile(self) -> Reconciliation:
        policies = {OPERATION.kind: RetryPolicy()}
        self.stage.reconcile._policies = policies  # noqa: SLF001 - the stage knows jobs alone
        return self.stage.reconcile()


class Picky:
    """An operation that needs a number of items."""

    permission = Permission.OPERATE_QUEUE

    def total(self, _transaction, operation):
        return int(operation.arguments["items"])


def run(worker: RunNext) -> bool:
    return worker([], lambda *_: None)
