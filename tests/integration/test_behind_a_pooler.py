"""Gateway and worker as processes, behind a real PgBouncer with fewer sessions than connections."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import psycopg
import pytest

from hilum.imaging.phantom import phantom_png
from hilum_stack.embedded import EmbeddedStack
from hilum_stack.postgres import PostgresServer
from tests.grey_networks import write_grey_repository
from tests.pgbouncer import PgBouncerServer
from tests.servers import run_folder, started
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.real

FILMS = 12
SESSIONS = 2


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL of this module's own."""
    with started(PostgresServer) as server:
        yield server


@pytest.fixture(scope="module")
def stack(postgres: PostgresServer) -> Iterator[EmbeddedStack]:
    """Both processes, with an address as an operator of an earlier release has it."""
    with started(PgBouncerServer, postgres, SESSIONS) as pooler, run_folder() as folder:
        address = pooler.url.replace("postgresql://", "postgresql+psycopg2://")
        env = {"HILUM_DATABASE_URL": f"{address}?connect_timeout=7&sslmode=prefer"}
        models = write_grey_repository(folder / "models")
        running = EmbeddedStack(folder / "stack", env=env, model_repository=models)
        running.start()
        try:
            yield running
        finally:
            running.stop()


def test_every_image_ends_once(stack: EmbeddedStack, postgres: PostgresServer) -> None:
    """Images that arrive at once are completed, with one result and one audited end each."""
    headers = {"Authorization": f"Bearer {stack.api_key}"}
    with httpx.Client(base_url=stack.url, headers=headers, timeout=120) as client:

        def send(seed: int) -> str:
            file = (f"{seed}.png", phantom_png(256, 256, seed))
            answer = client.post("/v1/studies", files={"files": file})
            assert answer.status_code == httpx.codes.ACCEPTED
            job_id: str = answer.json()["jobs"][0]["job_id"]
            return job_id

        with ThreadPoolExecutor(6) as pool:
            job_ids = list(pool.map(send, range(FILMS)))
    with psycopg.connect(postgres.url, autocommit=True) as connection:

        def ended() -> bool:
            query = "SELECT count(*) FROM jobs WHERE state = 'completed'"
            return connection.execute(query).fetchone() == (FILMS,)

        wait_for(ended, "every image is completed")
        ends = connection.execute(
            "SELECT object_id FROM audit_events WHERE action = 'job.completed'"
        ).fetchall()
        assert sorted(row[0] for row in ends) == sorted(job_ids)
        assert connection.execute("SELECT count(*) FROM results").fetchone() == (FILMS,)
        sessions = connection.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchone()
        assert sessions is not None
        assert 0 < sessions[0] <= SESSIONS


def test_each_process_warns_once_of_the_former_driver(stack: EmbeddedStack) -> None:
    """The log of gateway and of worker has one line that says what to write, no password."""
    for member in stack.members:
        lines = [line for line in member.log.read_text().splitlines() if "psycopg2" in line]
        assert len(lines) == 1, member.name
        assert "postgresql://" in lines[0]
        assert "Traceback" not in member.log.read_text()
