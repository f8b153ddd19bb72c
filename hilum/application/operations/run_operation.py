"""Run an operation chunk by chunk: each is one transaction that also stores where to go on.

Between two chunks the operation is queued, so that no process owns it. Whoever claims it next goes
on at the cursor.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING, Final, Protocol

from hilum.application.queue.handler import Outcome
from hilum.domain.errors import InternalError, WorkerLost
from hilum.domain.work import WorkEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hilum.application.ports.unit_of_work import Transaction, UnitOfWork
    from hilum.application.queue.handler import Stopwatch
    from hilum.domain.errors import Dependency
    from hilum.domain.operation import Operation
    from hilum.domain.principal import Permission

END: Final = "-"
"""Cursor of an operation whose last chunk is done: whoever claims it again does nothing."""

MOST_ITEMS: Final = 100
LONGEST_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Chunk:
    """What a chunk did.

    Attributes:
        cursor: Where the next one begins; None where nothing is left.
        done: Items that were done.
        failed: Items that could not be done.
    """

    cursor: str | None
    done: int = 0
    failed: int = 0


class OperationKind(Protocol):
    """What an operation does; registered by its name."""

    @property
    def permission(self) -> Permission:
        """Return what a principal needs at the operation's site to ask for it."""
        ...

    def total(self, transaction: Transaction, operation: Operation) -> int:
        """Return how many items there are before the first chunk."""
        ...

    def chunk(
        self, transaction: Transaction, operation: Operation, most: int, goes_on: Callable[[], bool]
    ) -> Chunk:
        """Do the items after the operation's cursor.

        Args:
            transaction: Commits together with the cursor, so that no item is done twice.
            operation: As it was claimed.
            most: Items at most.
            goes_on: Asked before each item; False ends the chunk.
        """
        ...


class RunOperation:
    """Handles operations, see :class:`hilum.application.queue.handler.Handler`."""

    probes: Final[Mapping[Dependency, Callable[[], object]]] = {}

    def __init__(
        self,
        *,
        unit_of_work: UnitOfWork,
        kinds: Mapping[str, OperationKind],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Prepare a handler.

        Args:
            unit_of_work: Holds the rows.
            kinds: What operations do, by name.
            clock: Monotonic seconds.
        """
        self._unit_of_work = unit_of_work
        self._kinds = kinds
        self._clock = clock

    def load(self, transaction: Transaction, operation: Operation) -> OperationKind:
        """Return what the operation does."""
        del transaction
        kind = self._kinds.get(operation.does)
        if kind is None:
            raise InternalError(f"this release knows no operation {operation.does}")
        return kind

    def run(self, operation: Operation, kind: OperationKind, watch: Stopwatch) -> Outcome:
        """Do one chunk."""
        if operation.cursor == END:
            return Outcome()
        rate = operation.rate
        most = MOST_ITEMS if rate is None else max(1, min(MOST_ITEMS, int(rate * LONGEST_S)))
        ends_at = self._clock() + LONGEST_S
        with watch.stage("chunk"), self._unit_of_work.begin() as transaction:
            progress = transaction.operations.progress
            # The operation is locked first, as by who stops it: a chunk locks the audit chain.
            if not progress(operation, operation.cursor, done=0, failed=0):
                # Whoever claimed it since goes on at the same cursor.
                raise WorkerLost(f"operation {operation.id} is another worker's")
            chunk = kind.chunk(transaction, operation, most, lambda: self._clock() < ends_at)
            cursor = END if chunk.cursor is None else chunk.cursor
            progress(operation, cursor, done=chunk.done, failed=chunk.failed)
        if chunk.cursor is None:
            return Outcome()
        pause = 0.0 if rate is None else (chunk.done + chunk.failed) / rate
        return Outcome(WorkEvent.RELEASE, pause=timedelta(seconds=pause))
