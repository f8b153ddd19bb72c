"""Watches the database for job changes and tells every listener of this process.

The database is asked, not notified: it is the truth, the same query works on PostgreSQL and on
SQLite, and one poller serves any number of listeners. It runs only while somebody listens.

A change carries the database's time and becomes visible when its transaction commits. Each poll
therefore looks back over :data:`OVERLAP` from the database's time at the poll before, and skips
what it has told already. A change that takes longer to commit is not told live.
States are sampled: of several changes within one poll the last is told.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager
from contextvars import Context
from datetime import datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING, Final

import anyio.to_thread

from hilum.domain.errors import HilumError
from hilum.domain.principal import JOB_CHANGES
from hilum_gateway.live.subscription import Subscription

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from hilum.application.access.manage_sessions import ManageSessions
    from hilum.application.results.read_jobs import JobChanges as Changes
    from hilum.application.results.read_jobs import ReadJobs
    from hilum.domain.job import Job, JobState
    from hilum.domain.principal import Principal

_LOG = logging.getLogger(__name__)

OVERLAP: Final = timedelta(seconds=5)
MAX_REPLAYED: Final = 1000
"""Changes that a returning listener is told; if it missed more, it loads afresh."""

_FIRST_LIMIT: Final = 500
_LAST_LIMIT: Final = 16_000


class JobChanges:
    """The one watcher of a process; lives on the event loop."""

    def __init__(
        self,
        *,
        read_jobs: ReadJobs,
        manage_sessions: ManageSessions,
        poll_s: float,
        key_check_s: float,
    ) -> None:
        self._read_jobs = read_jobs
        self._manage_sessions = manage_sessions
        self._poll_s = poll_s
        self._key_check_s = key_check_s
        self._listeners: set[Subscription] = set()
        self._told: dict[UUID, Job] = {}
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def listeners(self) -> int:
        """How many listen now."""
        return len(self._listeners)

    @contextmanager
    def subscribe(
        self, principal: Principal, job_id: UUID | None = None, session: str = ""
    ) -> Iterator[Subscription]:
        """Listen while the block runs: to every job that the principal sees, or to one.

        The last few seconds are told at once, so that nothing falls between a look at a job and
        the subscription; a listener may be told the same change twice.
        """
        subscription = Subscription(principal, job_id, session)
        if self._closed:
            subscription.end()
        self._listeners.add(subscription)
        try:
            if self._task is None and not self._closed:
                # It outlives the request of this listener, so its lines are not of that request.
                self._task = asyncio.create_task(
                    self._watch(), name="job changes", context=Context()
                )
            else:
                subscription.offer(self._told.values())
            yield subscription
        finally:
            self._listeners.discard(subscription)

    async def replay(self, subscription: Subscription, since: datetime) -> None:
        """Tell a returning listener what changed at or after a moment.

        Raises:
            DatabaseUnavailable: It cannot be told now.
        """
        found = await anyio.to_thread.run_sync(
            self._read_jobs.changes, since - OVERLAP, subscription.principal, MAX_REPLAYED
        )
        if len(found.jobs) < MAX_REPLAYED:
            subscription.offer(found.jobs)
        else:
            subscription.overflow()

    async def look_at(self, subscription: Subscription, job_id: UUID) -> None:
        """Tell a listener how a job stands now.

        Raises:
            NotFound: No such job for the listener.
            DatabaseUnavailable: It cannot be told now.
        """
        view = await anyio.to_thread.run_sync(self._read_jobs.job, job_id, subscription.principal)
        subscription.offer([view.job])

    def close(self) -> None:
        """End every subscription, also those to come: the server stops."""
        self._closed = True
        for subscription in self._listeners:
            subscription.end()

    async def _watch(self) -> None:
        """Poll until nobody listens."""
        since: datetime | None = None
        watching = keys_checked = monotonic()
        try:
            while self._listeners and not self._closed:
                began = monotonic()
                try:
                    since = await self._tell(since or OVERLAP + timedelta(seconds=began - watching))
                    if began - keys_checked >= self._key_check_s:
                        await self._end_revoked()
                        keys_checked = began
                except HilumError as error:
                    _LOG.warning("poll.failed", extra={"error": error.sentence})
                await asyncio.sleep(self._poll_s)
        except Exception:  # noqa: BLE001 - logged; listeners are let go instead of left waiting
            _LOG.exception("watcher.crashed")
            for subscription in self._listeners:
                subscription.end()  # clients come back, and so does the watcher
        finally:
            self._told.clear()
            self._task = None

    async def _tell(self, since: datetime | timedelta) -> datetime:
        """Tell what changed since a moment; the moment from which to look the next time."""
        found = await anyio.to_thread.run_sync(self._changed, since)
        fresh = [job for job in found.jobs if _mark(self._told.get(job.id)) != _mark(job)]
        again = found.asked_at - OVERLAP
        self._told = {job.id: job for job in self._told.values() if job.updated_at >= again}
        self._told.update((job.id, job) for job in fresh)
        for subscription in self._listeners:
            subscription.offer(fresh)
        return again

    def _changed(self, since: datetime | timedelta) -> Changes:
        """Every change since a moment, in one query as long as the burst allows it."""
        limit = _FIRST_LIMIT
        while True:
            found = self._read_jobs.changes(since, JOB_CHANGES, limit)
            if len(found.jobs) < limit or limit >= _LAST_LIMIT:
                return found
            limit *= 2

    async def _end_revoked(self) -> None:
        held = {subscription.credential for subscription in self._listeners}
        ended = await anyio.to_thread.run_sync(self._manage_sessions.ended, held)
        for subscription in self._listeners:
            if subscription.credential in ended:
                subscription.end()


def _mark(job: Job | None) -> tuple[JobState, datetime] | None:
    return None if job is None else (job.state, job.updated_at)
