"""Heartbeat: the items that this process holds stay its own while it works on them."""

from __future__ import annotations

import threading
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hilum.domain.job import ANALYSIS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta
    from uuid import UUID

    from hilum.application.ports.clock import Clock
    from hilum.application.ports.unit_of_work import UnitOfWork


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
        owner: str,
        lease: timedelta,
        max_run: timedelta,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._lease = lease
        self._max_run = max_run
        self._lock = threading.Lock()
        self._held: dict[object, tuple[str, UUID, datetime]] = {}
        self.owner = owner

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
        now = self._clock.now()
        with self._lock:
            return sum(1 for *_, since in self._held.values() if now - since >= self._max_run)

    @contextmanager
    def hold(self, item_id: UUID, kind: str = ANALYSIS.kind) -> Iterator[None]:
        """Keep an item's lease for as long as the block runs."""
        # By run, not by item: one that hangs may still be here when the item runs again.
        run = object()
        with self._lock:
            self._held[run] = (kind, item_id, self._clock.now())
        try:
            yield
        finally:
            with self._lock:
                del self._held[run]

    def beat(self) -> int:
        """Extend the leases of the jobs in flight; to be called about every third of a lease.

        Returns:
            How many leases were extended.

        Raises:
            DatabaseUnavailable: None was; the next beat may be in time.
        """
        now = self._clock.now()
        with self._lock:
            held = list(self._held.values())
        kept: dict[str, list[UUID]] = defaultdict(list)
        for kind, item, since in held:
            if now - since < self._max_run:
                kept[kind].append(item)
        if not kept:
            return 0
        with self._unit_of_work.begin() as transaction:
            return sum(
                transaction.work(kind).extend_leases(self.owner, items, self._lease)
                for kind, items in kept.items()
            )
