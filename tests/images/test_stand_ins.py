"""Images that stand in for Redis', PostgreSQL's and MinIO's where no registry is reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from hilum_stack.ports import reserve_port
from tests.images.containers import Run, run_to_end, running
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from images.container_engine import ContainerEngine

    Built = Callable[[str], str]

POSTGRES_USER = "999:0"  # one that its passwd knows: initdb asks for a name


def test_redis_answers(engine: ContainerEngine, image: Built):
    """Started from a configuration file, as the chart does, it answers the client beside it."""
    configuration = "/tmp/redis.conf"  # noqa: S108 - in the container
    start = (
        f'echo "requirepass secret" >{configuration}; cd /tmp; exec redis-server {configuration}'
    )
    run = Run(image("redis"), ("-c", start), "sh", environment={"REDISCLI_AUTH": "secret"})
    with running(engine, run) as redis:
        wait_for(lambda: redis.execute("redis-cli", "ping").out.strip() == "PONG", "Redis answers")


def test_postgresql_makes_a_cluster_and_dumps_it(
    engine: ContainerEngine, image: Built, shared: Path
):
    """The programs that the chart calls are on the PATH, and work on a volume."""
    make = "initdb --pgdata=/data/cluster --username=postgres"
    start = f"{make} && exec postgres -D /data/cluster -k /tmp"
    run = Run(
        image("postgresql"), ("-ec", start), "sh", mounts={"/data": shared}, user=POSTGRES_USER
    )
    as_superuser = ("--host", "/tmp", "--username", "postgres")  # noqa: S108 - in the container
    with running(engine, run) as postgres:
        wait_for(
            lambda: postgres.execute("psql", *as_superuser, "-c", "SELECT 1").code == 0,
            "PostgreSQL answers",
        )
        dumped = postgres.execute(
            "pg_dump", *as_superuser, "--format", "custom", "--file", "/data/database.dump"
        )
        assert dumped.code == 0, dumped.error
        listed = postgres.execute("pg_restore", "--list", "/data/database.dump")
        assert "Format: CUSTOM" in listed.out
    # What belongs to that user can be removed by it alone, where the tests are no root.
    run_to_end(
        engine,
        Run(
            image("postgresql"),
            ("-rf", "/data/cluster"),
            "rm",
            mounts={"/data": shared},
            user=POSTGRES_USER,
        ),
    )


def test_minio_is_healthy(engine: ContainerEngine, image: Built):
    """It serves a folder as a stranger, without writing anywhere else."""
    port = reserve_port()
    command = ("minio", "server", "--address", f"127.0.0.1:{port}", "/tmp/data")  # noqa: S108
    credentials = {"MINIO_ROOT_USER": "hilum", "MINIO_ROOT_PASSWORD": "of no worth"}
    run = Run(image("minio"), command, environment=credentials, network="host")

    def healthy() -> bool:
        try:
            answer = httpx.get(f"http://127.0.0.1:{port}/minio/health/cluster", timeout=5.0)
        except httpx.TransportError:
            return False
        return answer.status_code == httpx.codes.OK

    with running(engine, run) as minio:
        wait_for(lambda: healthy() or not minio.is_running, "MinIO is healthy")
        assert minio.is_running, minio.logs()
