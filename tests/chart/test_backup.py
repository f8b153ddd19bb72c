"""What the backup's pod runs: a backup, and the removal of old ones where that is its business."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.chart.rendering import CHART, render

if TYPE_CHECKING:
    from pathlib import Path

EXTERNAL = {
    "postgresql.mode": "external",
    "secrets.existingSecret": "site",
    "networkPolicy.external.postgresql.port": "6432",
}
PROFILE = CHART / "ci" / "small-hospital-values.yaml"


def script(**sets: str) -> list[str]:
    """The command of the container that runs after the dump."""
    rendered = render(PROFILE, sets={f"maintenance.backup.{key}": sets[key] for key in sets})
    (pod,) = (pod for pod in rendered.pods() if pod.owner == "CronJob/hilum-backup")
    (container,) = pod.spec["containers"]
    command: list[str] = container["command"]
    return command


def run(command: list[str], folder: Path, failing: str = "nothing") -> tuple[int, list[str]]:
    """Run it with a `hilum` that writes its arguments down; the status, and what was asked for."""
    calls = folder / "calls"
    calls.write_text("")
    program = folder / "hilum"
    program.write_text(f'#!/bin/sh\necho "$2" >> {calls}\ntest "$2" != {failing}\n')
    program.chmod(0o755)
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", "HILUM_BACKUP_STORE_URL": "file:///b"}
    done = subprocess.run(command, env=environment, check=False)
    return done.returncode, calls.read_text().split()


def test_old_backups_go_after_a_new_one(tmp_path):
    """Also after one that tells of missing films; the Job fails then, which sounds the alarm."""
    command = script()
    assert "hilum backup prune --keep=24 --keep-days=30" in command[-1]
    assert run(command, tmp_path) == (0, ["prepare", "create", "prune"])
    assert run(command, tmp_path, "create") == (1, ["prepare", "create", "prune"])
    assert run(command, tmp_path, "prune") == (1, ["prepare", "create", "prune"])
    assert run(command, tmp_path, "prepare") == (1, ["prepare"])


@pytest.mark.parametrize("failing", ["nothing", "create"])
def test_credentials_without_the_right_to_delete_are_enough_for_backups(tmp_path, failing):
    """Where somebody else removes old ones, nothing of the pod asks for it."""
    command = script(**{"prune.enabled": "false"})
    status, asked = run(command, tmp_path, failing)
    assert asked == ["prepare", "create"]
    assert status == (1 if failing == "create" else 0)


@pytest.mark.parametrize("pooled", [False, True])
def test_dump_and_load_go_past_a_pooler(pooled):
    """Only PostgreSQL's own programs take the direct address, and only these pods may go there."""
    sets = {
        **EXTERNAL,
        "postgresql.external.pooled": str(pooled).lower(),
        "maintenance.restore.enabled": "true",
    }
    rendered = render(PROFILE, sets=sets)
    keys = {
        (pod.component, container["name"]): variable["valueFrom"]["secretKeyRef"]["key"]
        for pod in rendered.pods()
        for container in pod.containers()
        for variable in container.get("env", ())
        if variable["name"] == "HILUM_DATABASE_URL"
    }
    direct = {place for place, key in keys.items() if key == "database-direct-url"}
    assert direct == ({("maintenance", "dump"), ("maintenance", "database")} if pooled else set())
    assert set(keys.values()) - {"database-direct-url"} == {"database-url"}
    assert ("gateway", "gateway") in keys
    open_to = {
        policy["metadata"]["name"].removeprefix("hilum-")
        for policy in rendered.of_kind("NetworkPolicy")
        for rule in policy["spec"].get("egress", ())
        if 5432 in [port["port"] for port in rule["ports"]]
    }
    assert open_to == ({"maintenance"} if pooled else set())


def load_command() -> str:
    """What the restore runs in PostgreSQL's image."""
    rendered = render(PROFILE, sets={**EXTERNAL, "maintenance.restore.enabled": "true"})
    (pod,) = (pod for pod in rendered.pods() if pod.owner.startswith("Job/hilum-restore"))
    (container,) = (one for one in pod.containers() if one["name"] == "database")
    return container["command"][-1]


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg", "postgresql+psycopg2"])
def test_the_restore_gives_libpq_an_address_that_it_knows(tmp_path, scheme):
    """Whatever driver the address names, the password and the parameters stay."""
    program = tmp_path / "pg_restore"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/arguments\n')
    program.chmod(0o755)
    rest = "hilum:p%40ss@db:5432/hilum?sslmode=require"
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "HILUM_DATABASE_URL": f"{scheme}://{rest}",
    }
    subprocess.run(["sh", "-euc", load_command()], env=environment, check=True)
    assert f"--dbname=postgresql://{rest}" in (tmp_path / "arguments").read_text().split()
