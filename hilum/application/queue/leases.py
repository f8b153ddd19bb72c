"""Heartbeat: the items that this process holds stay its own, and it shows that it is alive."""

from __future__ import annotations

import threading
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime, timedelta
    from uuid import UUID

    from hilum.application.ports.clock import Clock
    from hilum.application.ports.unit_of_work import UnitOfWork
    from hilum.domain.attempt import Worker
    from hilum.domain.work import WorkItem


class KeepLeases:
    """Knows the jobs in flight in this process and extends their leases when asked to beat.

    A job that has run longer than ``max_run`` is no longer kept: its lease runs out and the
    reconciler gives the job to another worker. So a decoder that hangs costs one thread, not a
    film.
    """

    def __init__(
        self,
        *,
        unit_of_work: UnitOfWork,
        clock: Clock,
        worker: Worker,
        lease: timedelta,
        max_run: timedelta,
        steady: Callable[[], float] = monotonic,
    ) -> None:
        """Prepare for the leases of a process.

        Args:
            unit_of_work: Holds the rows.
            clock: Of this machine; it is compared with the database's.
            worker: This worker, as it says of itself.
            lease: How long a lease lasts without a beat.
            max_run: How long a run keeps its lease.
            steady: Seconds by a clock that nobody sets: one that jumps would give up what runs.
        """
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._lease = lease
        self._steady = steady
        self._max_run_s = max_run.total_seconds()
        self._lock = threading.Lock()
        self._held: dict[object, tuple[str, UUID, float]] = {}
        self._worker = worker
        self._offset_ms: float | None = None
        self._last_claim_at: datetime | None = None
        self._last_finish_at: datetime | None = None

    @property
    def owner(self) -> str:
        """Return the name of this worker."""
        return self._worker.name

    @property
    def release(self) -> str:
        """Return the release of this worker."""
        return self._worker.release

    @property
    def lease(self) -> timedelta:
        """How long a lease lasts without a beat."""
        return self._lease

    @property
    def in_flight(self) -> int:
        """How many jobs this process works on."""
        return len(self._held)

    @property
    def given_up(self) -> int:
        """How many runs in this process hang: begun longer than ``max_run`` ago, not ended."""
        now = self._steady()
        with self._lock:
            return sum(1 for *_, since in self._held.values() if now - since >= self._max_run_s)

    @contextmanager
    def hold(self, item: WorkItem) -> Iterator[None]:
        """Keep a claimed item's lease for as long as the block runs."""
        # By run, not by item: one that hangs may still be here when the item runs again.
        run = object()
        with self._lock:
            self._held[run] = (item.life.kind, item.id, self._steady())
            self._last_claim_at = item.started_at
        try:
            yield
        finally:
            with self._lock:
                del self._held[run]

    def left(self, item: WorkItem) -> None:
        """Note the end of a run."""
        self._last_finish_at = item.updated_at

    def beat(self, *, breakers: Mapping[str, str] | None = None, draining: bool = False) -> int:
        """Extend the leases in flight, say how this worker is, and compare its clock.

        To be called about every third of a lease.

        Args:
            breakers: State by dependency.
            draining: Whether it takes no more items.

        Returns:
            How many leases were extended.

        Raises:
            DatabaseUnavailable: None was; the next beat may be in time.
        """
        now = self._steady()
        with self._lock:
            held = list(self._held.values())
        kept: dict[str, list[UUID]] = defaultdict(list)
        for kind, item, since in held:
            if now - since < self._max_run_s:
                kept[kind].append(item)
        told = replace(
            self._worker,
            busy=len(held),
            last_claim_at=self._last_claim_at,
            last_finish_at=self._last_finish_at,
            clock_offset_ms=self._offset_ms,
            breakers=breakers or {},
            draining=draining,
        )
        with self._unit_of_work.begin() as transaction:
            renewed = sum(
                transaction.work(kind).extend_leases(self.owner, items, self._lease)
                for kind, items in kept.items()
            )
            asked = self._clock.now()
            moment = transaction.workers.beat(told)
            answered = self._clock.now()
        offset = asked + (answered - asked) / 2 - moment
        self._offset_ms = round(offset.total_seconds() * 1000, 3)
        return renewed
