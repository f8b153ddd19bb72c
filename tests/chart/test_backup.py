"""What the backup's pod runs: a backup, and the removal of old ones where that is its business."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.chart.rendering import CHART, render

if TYPE_CHECKING:
    from pathlib import Path

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
