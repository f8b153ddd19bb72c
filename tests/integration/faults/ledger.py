"""What the real servers hold, read without Hilum's own code."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import psycopg
from minio import Minio

from hilum.domain.job import ENDED, SETTLED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hilum_stack.real import RealStack

PATIENCE_S = 180.0
"""How long a condition may take before the test gives up; a broken platform, not a slow one."""


def wait_until(condition: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> None:
    """Poll a condition until it holds; fail with ``what`` if it never does."""
    deadline = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"never happened: {what}")
        time.sleep(0.05)


class Ledger:
    """The database and the object store as an auditor would look at them."""

    def __init__(self, stack: RealStack) -> None:
        self._url = stack.postgres.url
        self._minio = Minio(
            stack.minio.endpoint,
            access_key=stack.minio.access_key,
            secret_key=stack.minio.secret_key,
            secure=False,
        )
        self._bucket = stack.minio.url.rsplit("/", 1)[1].partition("?")[0]

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run a query on a connection of its own."""
        with psycopg.connect(self._url) as connection:
            return connection.execute(query, values).fetchall()

    def states(self, job_ids: Sequence[str]) -> dict[str, str]:
        """State by job."""
        query = "SELECT id::text, state FROM jobs WHERE id = ANY(%s::uuid[])"
        return dict(self.rows(query, list(job_ids)))

    def count(self, table: str) -> int:
        """Rows of a table."""
        (row,) = self.rows(f"SELECT count(*) FROM {table}")  # noqa: S608 - a name of ours
        return int(row[0])

    def wait_for_state(self, job_ids: Sequence[str], state: str) -> None:
        """Wait until every one of these jobs is in a state."""
        wait_until(
            lambda: set(self.states(job_ids).values()) == {state},
            f"{len(job_ids)} jobs {state}, now {self.states(job_ids)}",
        )

    def wait_until_settled(self, job_ids: Sequence[str]) -> None:
        """Wait until nothing more happens to these jobs."""
        settled = {state.value for state in SETTLED}
        wait_until(
            lambda: set(self.states(job_ids).values()) <= settled,
            f"{len(job_ids)} jobs settled",
        )

    def object_names(self, prefix: str) -> set[str]:
        """Keys in the object store."""
        listed = self._minio.list_objects(self._bucket, prefix=prefix, recursive=True)
        return {item.object_name for item in listed if item.object_name}

    def unfinished_uploads(self) -> int:
        """Multipart uploads that were begun and neither completed nor aborted."""
        listed = self._minio._list_multipart_uploads(self._bucket)  # noqa: SLF001 - no public call
        return len(listed.uploads)

    def assert_every_film_ended_once(self, job_ids: Sequence[str]) -> None:
        """Every accepted film is completed, has one result, and one audited end."""
        assert len(job_ids) == len(set(job_ids))
        states = self.states(job_ids)
        assert states == dict.fromkeys(job_ids, "completed")
        results = self.rows(
            "SELECT job_id::text, count(*) FROM results WHERE job_id = ANY(%s::uuid[]) GROUP BY 1",
            list(job_ids),
        )
        assert dict(results) == dict.fromkeys(job_ids, 1)
        ends = self.rows(
            "SELECT object_id, count(*) FROM audit_events"
            " WHERE object_id = ANY(%s) AND action = ANY(%s) GROUP BY 1",
            list(job_ids),
            [f"job.{state.value}" for state in ENDED],
        )
        assert dict(ends) == dict.fromkeys(job_ids, 1)

    def assert_rows_and_objects_agree(self) -> None:
        """Every row names an object that is there, and every film that is there has its row."""
        named = {row[0] for row in self.rows("SELECT object_key FROM instances")}
        assert self.object_names("films/") == named
        assert self.unfinished_uploads() == 0
