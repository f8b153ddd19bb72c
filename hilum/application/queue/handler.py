"""What a kind of work brings to the queue: how one item is run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from hilum.domain.work import WorkEvent, WorkItem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hilum.application.ports.unit_of_work import Transaction
    from hilum.domain.errors import Dependency, Transient
    from hilum.domain.retry_policy import RetryPolicy
    from hilum.domain.work import Reason

ItemT_contra = TypeVar("ItemT_contra", bound=WorkItem, contravariant=True)
LoadedT = TypeVar("LoadedT")


@dataclass(slots=True)
class Stopwatch:
    """Milliseconds of the stages of a run.

    Attributes:
        milliseconds: By stage.
    """

    milliseconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a block, also one that raises."""
        begun = perf_counter()
        try:
            yield
        finally:
            self.milliseconds[name] = round((perf_counter() - begun) * 1000, 3)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended that neither failed nor has to be tried again.

    Attributes:
        event: What happens to the item. ``RELEASE`` says that more is to do.
        reason: Why it was rejected.
        notes: Codes that are kept with the item.
        record: Writes what the run brought, in the transaction of the outcome.
        pause: Time until an item that is released may be claimed.
    """

    event: WorkEvent = WorkEvent.COMPLETE
    reason: Reason | None = None
    notes: tuple[str, ...] = ()
    record: Callable[[Transaction], object] | None = None
    pause: timedelta = timedelta()


class Handler(Protocol[ItemT_contra, LoadedT]):
    """Runs items of one kind. The queue claims them, keeps their leases and writes outcomes."""

    @property
    def probes(self) -> Mapping[Dependency, Callable[[], object]]:
        """Return what a run needs beside the database, and how that is asked whether it works.

        A probe does what a run needs of the dependency, and raises where that fails. A server may
        accept connections and answer nothing.
        """
        ...

    def load(self, transaction: Transaction, job: ItemT_contra, /) -> LoadedT:
        """Read what a run needs from the database, in the transaction of the claim."""
        ...

    def run(self, job: ItemT_contra, loaded: LoadedT, watch: Stopwatch, /) -> Outcome:
        """Run one item.

        Raises:
            Rejected: Bad input.
            Transient: Worth another attempt.
            Permanent: No attempt will help.
        """
        ...


Ended = Callable[["Transaction", Any], "Sequence[WorkItem]"]
"""What follows from the end of an item, in its transaction: the items that were queued by it."""


def _nothing(_transaction: Transaction, _item: WorkItem) -> Sequence[WorkItem]:
    return ()


def _ignore(_transaction: Transaction, _item: WorkItem, _error: Transient) -> None:
    return None


def _no_chore(_transaction: Transaction) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Follows:
    """What the reconciler does that belongs to one kind of work.

    Attributes:
        ended: By kind, see :attr:`Kind.ended`.
        chore: Is called in each reconciliation.
    """

    ended: Mapping[str, Ended] = field(default_factory=dict)
    chore: Callable[[Transaction], object] = _no_chore


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of work as a worker runs it.

    Attributes:
        handler: Runs its items.
        policy: Of their attempts.
        ended: Is called with an item that ended or was dead-lettered, in that transaction. It
            returns the items of another kind that it queued.
        released: Is called with an item that is queued again, and why, in that transaction.
        max_slots: So many of the process' slots run items of this kind; None for all.
    """

    handler: Handler[Any, Any]
    policy: RetryPolicy
    ended: Ended = _nothing
    released: Callable[[Transaction, Any, Transient], object] = _ignore
    max_slots: int | None = None
