"""What the previous release stored is read by this one."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hilum_stack.postgres import PostgresServer
from tests.previous.answers import Client, differences
from tests.previous.release import this_release
from tests.previous.stored import LOST, chest, objects_of, on_postgres, told_of, unpack
from tests.servers import run_folder, started

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.previous.release import Served


@pytest.fixture(scope="module")
def embedded() -> Iterator[tuple[Served, Mapping[str, Any]]]:
    """This release on the folder of an embedded stack of the previous one."""
    with run_folder() as folder:
        told = unpack("embedded", folder)
        with this_release().serve("embedded", folder, {}) as served:
            yield served, told


@pytest.fixture(scope="module")
def restored() -> Iterator[tuple[Served, Mapping[str, Any]]]:
    """This release on a PostgreSQL into which it restored a backup of the previous one."""
    with run_folder() as folder, started(PostgresServer) as postgres:
        told = unpack("backup", folder)
        env = on_postgres(folder, postgres.url)
        release = this_release()
        for words in (
            ("db", "upgrade"),
            ("store", "prepare"),
            ("backup", "verify", "--deep"),
            ("backup", "restore", "--deep"),
        ):
            done = release.run(*words, env=env)
            assert done.returncode == 0, (words, done.stdout, done.stderr)
        with release.serve("joined", folder, env) as served:
            yield served, told


@pytest.mark.parametrize("stack", ["embedded", pytest.param("restored", marks=pytest.mark.real)])
class TestStored:
    """Both kinds of database."""

    @pytest.fixture
    def served(self, stack, request) -> tuple[Served, Mapping[str, Any]]:
        """The stack that the parameter names."""
        served: tuple[Served, Mapping[str, Any]] = request.getfixturevalue(stack)
        return served

    def test_each_job_and_picture_is_as_it_was(self, served):
        """Ids and times, too. The key of then is a key."""
        running, told = served
        client = Client(running, told["api_key"])
        states = set()
        for job_id, before in told["jobs"].items():
            now = told_of(client, job_id)
            assert differences(before, now) == []
            states.add(now["document"]["state"])
        assert states == {"completed", "rejected", "failed", "discarded"}

    def test_the_audit_log_verifies(self, served):
        """Events of two releases form one chain."""
        running, _ = served
        done = this_release().run("audit", "verify", env=running.env)
        assert done.returncode == 0, done.stderr

    def test_a_failed_job_is_sent_again(self, served):
        """An image whose bytes are lost, and whose job failed before, is analysed when it comes."""
        running, told = served
        client = Client(running, told["api_key"])
        failed = next(
            job_id for job_id, one in told["jobs"].items() if one["document"]["state"] == "failed"
        )
        shutil.rmtree(objects_of(client, {"job_id": failed}, folder_of(running)))
        sent = client.send({"lost.png": chest(LOST)})["lost.png"]
        assert (sent["job_id"], sent["outcome"]) == (failed, "requeued")
        assert client.settled(failed)["state"] == "completed"


def folder_of(served: Served) -> Path:
    """Return the folder of a stack."""
    return Path(served.env["HILUM_OBJECT_STORE_URL"].removeprefix("file://")).parent
