"""An operation: bulk or scheduled work in chunks, and the table of what may happen to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Final

from hilum.domain.work import LifeCycle, WorkEvent, WorkItem

if TYPE_CHECKING:
    from collections.abc import Mapping


class OperationState(StrEnum):
    """Where an operation stands. Between two chunks it is queued."""

    RECEIVED = "received"
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    DISCARDED = "discarded"
    STOPPED = "stopped"


OPERATION: Final = LifeCycle.of(
    "operation",
    "operation",
    OperationState,
    [
        (WorkEvent.COMPLETE, OperationState.RUNNING, OperationState.COMPLETED),
        # A chunk that runs is finished first.
        (WorkEvent.STOP, OperationState.QUEUED, OperationState.STOPPED),
        (WorkEvent.STOP, OperationState.RUNNING, OperationState.STOPPED),
    ],
)
"""The life of an operation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(WorkItem):
    """Work that is done in chunks and outlives the process that does it.

    Attributes:
        does: What is done, e.g. ``retry_jobs``.
        arguments: Of what is done.
        principal: Who asked for it, ``kind:id``.
        purpose: Why, for people.
        cursor: Where the next chunk begins; None before the first.
        total: Items that there were when it was asked for.
        done: Items that were done.
        failed: Items that could not be done.
        rate: Most items a second; None for no limit.
    """

    life: ClassVar[LifeCycle[OperationState]] = OPERATION

    state: OperationState
    does: str
    principal: str
    purpose: str
    arguments: Mapping[str, str] = field(default_factory=dict)
    cursor: str | None = None
    total: int = 0
    done: int = 0
    failed: int = 0
    rate: float | None = None
