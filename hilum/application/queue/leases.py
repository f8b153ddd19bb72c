"""Heartbeat: the jobs that this process holds stay its own while it works on them."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import timedelta
    from uuid import UUID

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
        owner: str,
        lease: timedelta,
        max_run: timedelta,
        steady: Callable[[], float] = monotonic,
    ) -> None:
        """Prepare for the leases of a process.

        Args:
            unit_of_work: Holds the rows.
            owner: Name of this worker.
            lease: How long a lease lasts without a beat.
            max_run: How long a run keeps its lease.
            steady: Seconds by a clock that nobody sets: one that jumps would give up what runs.
        """
        self._unit_of_work = unit_of_work
        self._steady = steady
        self._lease = lease
        self._max_run_s = max_run.total_seconds()
        self._lock = threading.Lock()
        self._held: dict[object, tuple[UUID, float]] = {}
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
        now = self._steady()
        with self._lock:
            return sum(1 for _, since in self._held.values() if now - since >= self._max_run_s)

    @contextmanager
    def hold(self, job_id: UUID) -> Iterator[None]:
        """Keep a job's lease for as long as the block runs."""
        # By run, not by job: one that hangs may still be here when the job runs again.
        run = object()
        with self._lock:
            self._held[run] = (job_id, self._steady())
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
        now = self._steady()
        with self._lock:
            kept = [job for job, since in self._held.values() if now - since < self._max_run_s]
        if not kept:
            return 0
        with self._unit_of_work.begin() as transaction:
            return transaction.jobs.extend_leases(self.owner, kept, self._lease)
