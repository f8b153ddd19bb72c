"""The cgroups of a cluster's pods: one parent of our own, in every hierarchy of the host."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

from tests.waiting import wait_for

_MOUNTED = Path("/sys/fs/cgroup")


def make(name: str) -> str:
    """Makes the parent; returns its path as kubelet wants it."""
    for hierarchy in _hierarchies():
        (hierarchy / name).mkdir(exist_ok=True)
    return f"/{name}"


def is_unified() -> bool:
    """Whether the host has the single hierarchy of version 2."""
    return (_MOUNTED / "cgroup.controllers").exists()


def hierarchy(controller: str) -> Path:
    """Where a controller's files are: its own hierarchy of version 1, or the one of version 2."""
    return _MOUNTED if is_unified() else _MOUNTED / controller


def clear(name: str) -> None:
    """Kills what still runs in it and removes it. Safe to call when it is not there."""
    wait_for(lambda: _is_gone(name), f"the control groups {name} to become empty")


def _is_gone(name: str) -> bool:
    roots = [root for hierarchy in _hierarchies() if (root := hierarchy / name).is_dir()]
    for root in roots:
        for members in root.rglob("cgroup.procs"):
            _kill(members)
    for root in roots:
        for folder, _, _ in os.walk(root, topdown=False):
            with suppress(OSError):  # busy: its last process is on its way out
                Path(folder).rmdir()
    return not any(root.exists() for root in roots)


def _kill(members: Path) -> None:
    with suppress(OSError):
        for pid in members.read_text().split():
            if pid != "0":  # in a PID namespace that we do not see
                with suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)


def _hierarchies() -> list[Path]:
    """The mounted hierarchies: one each of version 1, or the single one of version 2."""
    if is_unified():
        return [_MOUNTED]
    return [path for path in _MOUNTED.iterdir() if (path / "cgroup.procs").exists()]
