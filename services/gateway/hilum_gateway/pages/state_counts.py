"""How many films are in each state, for the filters of the worklist."""

from __future__ import annotations

import time
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Final

from hilum.domain.principal import Permission

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hilum.application.results.read_jobs import ReadJobs
    from hilum.domain.job import JobState
    from hilum.domain.principal import Principal

_REST: Final = 20.0
"""Counting takes at most about a twentieth of the time of one connection."""


@dataclass(frozen=True, slots=True)
class _Counted:
    counts: Mapping[JobState, int]
    until: float


class StateCounts:
    """Counts films; where that takes long, remembers the numbers for a while.

    The database has to look at every row to count, and every open worklist asks after every
    change. With thousands of films the numbers are always fresh; with millions they may be some
    seconds old, and the list itself never is.
    """

    def __init__(self, read_jobs: ReadJobs, timer: Callable[[], float] = time.perf_counter) -> None:
        self._read_jobs = read_jobs
        self._timer = timer
        self._lock = Lock()
        self._counted: dict[frozenset[str] | None, _Counted] = {}

    def of(self, principal: Principal) -> Mapping[JobState, int]:
        """Films in each state, as far as the principal sees."""
        sites = principal.sites(Permission.READ_JOBS)
        with self._lock:
            known = self._counted.get(sites)
        began = self._timer()
        if known is not None and began < known.until:
            return known.counts
        counts = self._read_jobs.counts(principal)
        ended = self._timer()
        with self._lock:
            self._counted[sites] = _Counted(counts, ended + _REST * (ended - began))
        return counts
