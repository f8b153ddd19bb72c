"""Items of one kind of work: claimed, finished, released, and moved by people.

Every change is conditional on the item's present state, decided by the database, and answers None
where the condition did not hold: two can ask, one gets it. What the kind's life cycle does not
have raises. Times that are compared or written are the database's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol, TypeVar

from hilum.domain.work import WorkItem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from hilum.domain.work import AttemptOutcome, Priority, Reason, WorkEvent

ItemT = TypeVar("ItemT", bound=WorkItem)


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """Work in one queue, measured in the database.

    Attributes:
        queued: Items that wait.
        running: Items in flight.
        oldest_queued_at: Acceptance of the item that has waited longest, or None.
        failed: Dead letters. They wait for an operator.
    """

    queued: int
    running: int
    oldest_queued_at: datetime | None
    failed: int = 0


class WorkRepository(Protocol[ItemT]):
    """One kind of work.

    Every method that is told of an event raises:
        TransitionNotAllowed: The life cycle has no such event in the state that ``item`` shows.
    """

    def add(self, items: Sequence[ItemT]) -> None:
        """Add queued items. Their flows give them tags afterwards."""
        ...

    def get(self, item_id: UUID) -> ItemT | None:
        """Return an item by id."""
        ...

    def claim(self, priorities: Sequence[Priority], owner: str, lease: timedelta) -> ItemT | None:
        """Queued -> running, attempts + 1, for the next item of these priorities, if there is one.

        The most urgent priority first, then the order of :mod:`hilum.domain.work_flow`, then age.
        An item in backoff and an item of a paused flow are passed over, and so is one that another
        transaction is about to claim.
        """
        ...

    def extend_leases(self, owner: str, item_ids: Sequence[UUID], lease: timedelta) -> int:
        """Renew the leases of running items of this owner; the number that it holds."""
        ...

    def finish(
        self,
        item: ItemT,
        event: WorkEvent,
        *,
        reason: Reason | None = None,
        timings_ms: Mapping[str, float] | None = None,
        notes: Sequence[str] = (),
    ) -> ItemT | None:
        """End a run, if the claim that ``item`` shows still stands.

        A claim is named by its owner and its ``started_at``. Heartbeats may have moved its lease
        since ``item`` was read.
        """
        ...

    def release(
        self,
        item: ItemT,
        outcome: AttemptOutcome,
        *,
        reason: Reason | None = None,
        backoff: timedelta = timedelta(),
    ) -> ItemT | None:
        """Running -> queued, if the claim that ``item`` shows still stands.

        Args:
            item: As it was claimed.
            outcome: ``FAILED`` keeps the attempt, ``OUTAGE`` gives it back, ``LOST`` adds a loss
                and needs a lease that is over, ``DONE`` (more is to do) gives all of them back.
            reason: Why, where it went wrong.
            backoff: Until it may be claimed.
        """
        ...

    def park(self, item: ItemT, *, reason: Reason, lost: bool) -> ItemT | None:
        """Running -> failed; with ``lost`` the lease must be over as well."""
        ...

    def change(self, item: ItemT, event: WorkEvent, reason: Reason | None = None) -> ItemT | None:
        """Let an event happen that no slot brings about, if the item's state is still the same."""
        ...

    def expedite(self, item_id: UUID) -> ItemT | None:
        """End the backoff of a queued item; None where it is not queued."""
        ...

    def reprioritise(self, item_id: UUID, priority: Priority) -> ItemT | None:
        """Give a queued item another priority; None where it is not queued.

        Its flow gives it a new tag afterwards.
        """
        ...

    def raise_priority(self, item_id: UUID, priority: Priority) -> ItemT | None:
        """Give a queued or running item a higher priority; None where it is neither, or has it.

        Its flow gives a queued one a new tag afterwards. A running one loses its tag: if it is
        queued again, the reconciler gives it one.
        """
        ...

    def expired(self, limit: int) -> Sequence[ItemT]:
        """Return running items whose lease is over, oldest lease first."""
        ...

    def claimable(self, priority: Priority, most: int) -> int:
        """Return how many queued items of unpaused flows may start, at most ``most``."""
        ...

    def depths(self) -> Mapping[Priority, QueueDepth]:
        """Return the depth of every queue."""
        ...
