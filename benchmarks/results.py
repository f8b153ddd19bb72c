"""What the database says about the films of a run."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from collections.abc import Sequence

_OUTCOMES = """
    SELECT id::text, state, extract(epoch FROM finished_at)::float8, timings_ms::text
    FROM jobs WHERE id = ANY(%s::uuid[])
"""
_OPEN = "SELECT count(*) FROM jobs WHERE state IN ('queued', 'running')"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended, and when (Unix seconds)."""

    state: str
    finished: float


class Results:
    """Reads jobs straight from PostgreSQL, so that waiting costs the gateway nothing."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)

    def wait_until_settled(self, patience_s: float = 1800.0) -> None:
        """Wait until no job is queued or running.

        Raises:
            TimeoutError: Some still are after this long without an end.
        """
        deadline = time.monotonic() + patience_s
        with self._connection.cursor() as cursor:
            while time.monotonic() < deadline:
                cursor.execute(_OPEN)
                row = cursor.fetchone()
                if row is not None and row[0] == 0:
                    return
                time.sleep(0.2)
        raise TimeoutError("jobs are still open")

    def outcomes(self, job_ids: Sequence[str]) -> dict[str, Outcome]:
        """Settled jobs among these."""
        with self._connection.cursor() as cursor:
            cursor.execute(_OUTCOMES, (list(job_ids),))
            return {
                job_id: Outcome(state, finished)
                for job_id, state, finished, _ in cursor.fetchall()
                if finished is not None
            }

    def wait_for(self, job_id: str, patience_s: float = 120.0) -> Outcome:
        """Wait until one job has ended.

        Raises:
            TimeoutError: It has not after this long.
        """
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            found = self.outcomes([job_id])
            if job_id in found:
                return found[job_id]
            time.sleep(0.01)
        raise TimeoutError(f"job {job_id} is still open")
