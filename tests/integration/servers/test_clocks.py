"""Machines whose clocks are five minutes wrong, on one PostgreSQL."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import httpx
import psycopg
import pytest
from PIL import Image
from psycopg.rows import dict_row

from hilum.imaging.phantom import phantom_film
from hilum_stack.ports import reserve_port
from hilum_stack.services import (
    Gateway,
    Worker,
    bootstrap_key,
    prepare_object_store,
    upgrade_database,
)
from tests.faketime import clock_off_by
from tests.grey_networks import write_grey_repository
from tests.servers import run_folder
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from hilum_stack.postgres import PostgresServer

pytestmark = pytest.mark.real

FAST, SLOW = 300, -300
IMAGES: Final = 6
RENEWALS: Final = 4
"""More than fit into one lease."""
_HASTE: Final = {
    "HILUM_QUEUE_LEASE_SECONDS": "4",
    "HILUM_QUEUE_RECONCILE_SECONDS": "0.3",
    "HILUM_WORKER_MAX_SLOTS": "1",
}


@dataclass
class Site:
    """A gateway with the machine's clock, and where workers join it.

    Attributes:
        folder: Holds objects and logs.
        env: Settings of every process.
        gateway: Takes images.
        api_key: An administrator's.
        since: When it began.
    """

    folder: Path
    env: Mapping[str, str]
    gateway: Gateway
    api_key: str
    since: datetime

    def send(self, seed: int) -> str:
        """Send an image; the id of its job."""
        encoded = io.BytesIO()
        Image.fromarray(phantom_film(320, 256, seed=seed)).save(encoded, "PNG")
        answer = httpx.post(
            f"{self.gateway.url}/v1/studies",
            headers={"Authorization": f"Bearer {self.api_key}"},
            files={"files": ("chest.png", encoded.getvalue())},
            trust_env=False,
        )
        (job,) = answer.json()["jobs"]
        return str(job["job_id"])

    def rows(self, query: str) -> list[dict[str, Any]]:
        """Return what a query gives."""
        with psycopg.connect(self.env["HILUM_DATABASE_URL"], row_factory=dict_row) as connection:
            return connection.execute(query).fetchall()

    def running(self) -> dict[str, dict[str, Any]]:
        """Return the jobs that run, by the worker that has the lease."""
        rows = self.rows("SELECT * FROM jobs WHERE state = 'running'")
        return {row["lease_owner"]: row for row in rows}


@pytest.fixture
def site(postgres_server: PostgresServer) -> Iterator[Site]:
    """A database and a gateway. Workers are started by the test."""
    with ExitStack() as running:
        folder = running.enter_context(run_folder())
        name = f"clocks_{os.getpid()}"
        with psycopg.connect(postgres_server.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        env = {
            "HILUM_DATABASE_URL": postgres_server.database_url(name),
            "HILUM_OBJECT_STORE_URL": f"file://{folder}/objects",
            "HILUM_BROKER_URL": f"filesystem://{folder}/broker",
            "HILUM_INFERENCE_URL": "onnx://",
            "HILUM_MODEL_REPOSITORY": str(write_grey_repository(folder / "models")),
            **_HASTE,
        }
        since = datetime.now(UTC)
        upgrade_database(env)
        prepare_object_store(env)
        key = bootstrap_key(env, folder / "api-key")
        secret = {"HILUM_SESSION_SECRET": "s" * 48}
        gateway = Gateway(folder / "gateway", {**env, **secret}, reserve_port())
        yield Site(folder, env, running.enter_context(gateway.launch()), key, since)


@pytest.mark.parametrize("offset", [FAST, SLOW])
def test_a_process_has_the_clock_that_it_is_given(offset: int) -> None:
    """Else the next test would prove nothing. Its durations are the machine's."""
    program = "import time; print(time.time(), time.monotonic())"
    told = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **clock_off_by(offset)},
        capture_output=True,
        text=True,
        check=True,
    )
    clock, steady = map(float, told.stdout.split())
    assert abs(clock - time.time() - offset) < abs(offset) / 2
    assert abs(steady - time.monotonic()) < abs(offset) / 2


def test_clocks_that_are_five_minutes_wrong_take_no_job(site: Site) -> None:
    """Each worker keeps its job over many leases, and every time is the database's."""
    jobs = [site.send(seed) for seed in range(IMAGES)]
    images = held_back(site)
    with ExitStack() as running:
        for number, offset in ((1, FAST), (2, SLOW)):
            env = {**site.env, **clock_off_by(offset), "HILUM_WORKER_NAME": f"w{number}"}
            running.enter_context(Worker(site.folder / "workers", env, number).launch())
        wait_for(lambda: len(site.running()) == 2, "both workers have a job")
        first = site.running()
        renewed_by = {owner: {row["lease_expires_at"]} for owner, row in first.items()}

        def renewed() -> bool:
            for owner, row in site.running().items():
                renewed_by[owner].add(row["lease_expires_at"])
            return all(len(leases) > RENEWALS for leases in renewed_by.values())

        wait_for(renewed, "both renew their leases")
        assert {owner: row["id"] for owner, row in site.running().items()} == {
            owner: row["id"] for owner, row in first.items()
        }
        for path, content in images.items():
            path.with_suffix(".whole").write_bytes(content)
            let_go(path, content)
        wait_for(
            lambda: site.rows("SELECT 1 FROM jobs WHERE state <> 'completed'") == [], "all end"
        )
    check(site, jobs)


def held_back(site: Site) -> dict[Path, bytes]:
    """Put a pipe in the place of each image, so that its run lasts until somebody writes."""
    paths = [path for path in (site.folder / "objects" / "films").rglob("*") if path.is_file()]
    images = {path: path.read_bytes() for path in paths}
    for path in images:
        path.unlink()
        os.mkfifo(path)
    return images


def let_go(path: Path, content: bytes) -> None:
    """Give a reader that waits its bytes, and the place its image."""
    whole = path.with_suffix(".whole")
    try:
        pipe = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        whole.replace(path)
        return
    os.set_blocking(pipe, True)
    whole.replace(path)
    with os.fdopen(pipe, "wb") as writer:
        writer.write(content)


def check(site: Site, jobs: list[str]) -> None:
    """One attempt each, no loss, no negative wait, no time beyond the machine's own."""
    now = datetime.now(UTC) + timedelta(seconds=1)
    rows = site.rows("SELECT * FROM jobs")
    assert {str(row["id"]) for row in rows} == set(jobs)
    for row in rows:
        assert (row["attempts"], row["losses"]) == (1, 0), row
        assert row["timings_ms"]["wait"] >= 0, row
        # The database looks at its clock for each of the last two.
        ends = sorted([row["finished_at"], row["updated_at"]])
        times = [site.since, row["created_at"], row["started_at"], *ends, now]
        assert times == sorted(times), row
    events = site.rows("SELECT * FROM audit_events WHERE action LIKE 'job.%' ORDER BY sequence")
    assert {event["action"] for event in events} == {"job.accepted", "job.completed"}
    assert all(site.since <= event["at"] <= now for event in events)
