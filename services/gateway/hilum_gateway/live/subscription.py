"""One listener to job changes: what it may see, and what waits for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from hilum.domain.principal import Permission

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

    from hilum.domain.job import Job
    from hilum.domain.principal import Principal

MAX_WAITING: Final = 1000
"""Jobs that wait for a slow listener; beyond it the listener is told to load afresh."""


class Subscription:
    """Holds the latest change of each job until the listener takes it.

    A newer change of a job replaces one that still waits, so a listener that cannot keep up
    skips states but always gets the last one, and the memory it holds is bounded.

    Attributes:
        principal: Whose it is.
        credential: Id of the key and digest of the session that it came with; without a session
            the digest is empty.
        overflowed: Changes were dropped since the last :meth:`take`.
    """

    def __init__(self, principal: Principal, job_id: UUID | None = None, session: str = "") -> None:
        self.principal = principal
        self.credential = (principal.id, session)
        self._sites = principal.sites(Permission.READ_JOBS)
        self.overflowed = False
        self._job_id = job_id
        self._waiting: dict[UUID, Job] = {}
        self._wake = asyncio.Event()
        self._ended = False

    def offer(self, jobs: Iterable[Job]) -> None:
        """Keep those changes that concern this listener."""
        for job in jobs:
            if self._job_id not in (None, job.id):
                continue
            if self._sites is not None and job.site not in self._sites:
                continue
            held = self._waiting.pop(job.id, None)
            newest = held if held is not None and held.updated_at > job.updated_at else job
            self._waiting[job.id] = newest
        if len(self._waiting) > MAX_WAITING:
            self.overflow()
        elif self._waiting:
            self._wake.set()

    def overflow(self) -> None:
        """Drop what waits and have the listener load afresh."""
        self._waiting.clear()
        self.overflowed = True
        self._wake.set()

    def end(self) -> None:
        """No further change follows: the key was revoked, or the server stops."""
        self._ended = True
        self._wake.set()

    async def take(self) -> Sequence[Job] | None:
        """Wait for changes, oldest first; None when the subscription has ended."""
        await self._wake.wait()
        if self._ended:
            return None
        self._wake.clear()
        taken = sorted(self._waiting.values(), key=lambda job: job.updated_at)
        self._waiting.clear()
        return taken
