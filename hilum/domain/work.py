"""What every kind of work shares: an item, the events of its life, and the table of both.

A kind of work is a :class:`LifeCycle`. What is not in its table does not happen. The statements
that change items are generated from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, TypeVar

from hilum.domain.errors import TransitionNotAllowed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from uuid import UUID

StateT = TypeVar("StateT", bound=StrEnum)


class Priority(StrEnum):
    """How urgent an item is, the most urgent first."""

    STAT = "stat"
    ROUTINE = "routine"
    BATCH = "batch"


class WorkEvent(StrEnum):
    """What can happen to an item. No kind knows all of these."""

    ENQUEUE = "enqueue"
    CLAIM = "claim"
    RELEASE = "release"
    COMPLETE = "complete"
    REJECT = "reject"
    DELIVER = "deliver"
    CONFIRM = "confirm"
    DENY = "deny"
    PARK = "park"
    RETRY = "retry"
    RESUBMIT = "resubmit"
    DISCARD = "discard"
    STOP = "stop"


class AttemptOutcome(StrEnum):
    """How an attempt at an item ended."""

    DONE = "done"
    REJECTED = "rejected"
    FAILED = "failed"
    OUTAGE = "outage"
    LOST = "lost"


_SHARED: Final = (
    (WorkEvent.ENQUEUE, "received", "queued"),
    (WorkEvent.CLAIM, "queued", "running"),
    (WorkEvent.RELEASE, "running", "queued"),
    (WorkEvent.PARK, "running", "failed"),
    (WorkEvent.RETRY, "failed", "queued"),
    (WorkEvent.DISCARD, "queued", "discarded"),
    (WorkEvent.DISCARD, "failed", "discarded"),
)


@dataclass(frozen=True, slots=True)
class LifeCycle(Generic[StateT]):
    """A kind of work.

    Attributes:
        kind: Its name, e.g. ``analysis``.
        noun: An item, in texts and in actions of the audit log.
        transitions: The state after an event, by the state before.
    """

    kind: str
    noun: str
    transitions: Mapping[tuple[StateT, WorkEvent], StateT]

    @classmethod
    def of(
        cls,
        kind: str,
        noun: str,
        states: type[StateT],
        own: Iterable[tuple[WorkEvent, StateT, StateT]],
    ) -> LifeCycle[StateT]:
        """Return a kind with the events that all share and those of its own."""
        shared = [(event, states(before), states(after)) for event, before, after in _SHARED]
        return cls(kind, noun, {(before, event): after for event, before, after in (*shared, *own)})

    def after(self, state: StateT, event: WorkEvent) -> StateT:
        """Return the state after an event.

        Raises:
            TransitionNotAllowed: The table has no such transition.
        """
        try:
            return self.transitions[state, event]
        except KeyError:
            raise TransitionNotAllowed(
                f"a {state.value} {self.noun} cannot {event.value}"
            ) from None

    def sources(self, event: WorkEvent) -> tuple[StateT, ...]:
        """Return the states in which an event may happen."""
        return tuple(state for state, candidate in self.transitions if candidate is event)

    def source(self, event: WorkEvent) -> StateT:
        """Return the one state in which an event may happen.

        Raises:
            ValueError: There is none, or more than one.
        """
        (state,) = self.sources(event)
        return state


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an item ended or waits: a stable code and one sentence."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItem:
    """A unit of work. It is its row: nothing else repeats its state.

    Attributes:
        id: Random UUID, safe to show.
        site: Site that it belongs to.
        state: See the life cycle of its kind.
        priority: Items of different priorities never compete.
        created_at: Acceptance.
        updated_at: Last change of state.
        attempts: Claims so far since the last enqueue or retry by a person.
        losses: Of these, how many ended with a lost worker.
        reason: Why it ended without success, or was last released.
        lease_owner: Worker that runs it.
        lease_expires_at: When the worker counts as lost.
        not_before: Backoff; not claimed earlier.
        started_at: Last claim.
        finished_at: End.
        fair_tag: Its place in the fair order, see :mod:`hilum.domain.work_flow`. Zero where a
            release without flows queued it.
        traceparent: Trace context of the request that queued it, as W3C writes it.
        request_id: Of that request, as in the audit log. None in an item of a schema before 0012.
    """

    life: ClassVar[LifeCycle[Any]]

    id: UUID
    site: str
    state: StrEnum
    priority: Priority
    created_at: datetime
    updated_at: datetime
    attempts: int = 0
    losses: int = 0
    reason: Reason | None = None
    lease_owner: str | None = None
    lease_expires_at: datetime | None = None
    not_before: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    fair_tag: float = 0.0
    traceparent: str | None = None
    request_id: str | None = None

    @property
    def flow(self) -> str:
        """Return the name of what its share is counted for."""
        return self.site

    @property
    def tried_since(self) -> datetime:
        """Return since when its attempts count."""
        return self.created_at
