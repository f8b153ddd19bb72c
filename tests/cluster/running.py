"""A running cluster, seen from outside: up, down, and commands inside its network.

One process, the supervisor, holds a cluster. It is the first process of a PID namespace with a
network and a mount namespace of their own, so that everything a cluster ever starts or mounts,
containers included, ends with it, whatever ends it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

import psutil

from tests.cluster import cgroups
from tests.cluster.errors import ClusterError, ProgramMissing
from tests.cluster.locks import alone
from tests.cluster.part import environment
from tests.cluster.paths import CACHE, ROOT, RUNS
from tests.cluster.programs import CLUSTER_PROGRAMS, require

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

DEFAULT_NAME = "default"
_UP_WITHIN_S = 240.0
_DOWN_WITHIN_S = 60.0
_POLL_S = 0.1
_LOCK = CACHE / "run.lock"
_DEBIAN_PACKAGES = {
    "unshare": "util-linux",
    "ip": "iproute2",
    "nft": "nftables",
    "iptables": "iptables",
    "etcd": "etcd-server",
    "runc": "runc",
    "busybox": "busybox-static",
    "openssl": "openssl",
    "curl": "curl",
}


@dataclass(frozen=True, slots=True)
class Run:
    """One cluster by its name, whether it runs or not."""

    name: str = DEFAULT_NAME

    @property
    def folder(self) -> Path:
        """Everything of it: data, logs, certificates."""
        return RUNS / self.name

    @property
    def cgroup(self) -> str:
        """Name of the control groups of its pods."""
        return f"hilum-cluster-{self.name}"

    @property
    def kubeconfig(self) -> Path:
        """Of the cluster's administrator."""
        return self.folder / "certificates" / "admin.kubeconfig"

    @property
    def is_up(self) -> bool:
        """Whether it runs and takes pods."""
        return self._supervisor() is not None and (self.folder / "ready").exists()

    def up(self, *, held: bool = False) -> IO[bytes] | None:
        """Starts the cluster and waits until it takes pods; nothing to do when it runs.

        Args:
            held: The cluster goes down when the returned pipe is closed, so also when the calling
                process ends, however it ends. Else it stays until ``down``.

        Returns:
            The pipe, if held.

        Raises:
            ClusterError: It cannot be started; the text has the end of the log.
        """
        if self.is_up:
            return None
        _require_tools()
        self.down()
        with alone(_LOCK):
            self.folder.mkdir(mode=0o700, parents=True)
            process = self._launch(held=held)
            created = psutil.Process(process.pid).create_time()
            kept = {"pid": process.pid, "created": created}
            (self.folder / "supervisor.json").write_text(json.dumps(kept))
        deadline = time.monotonic() + _UP_WITHIN_S
        while not (self.folder / "ready").exists():
            if process.poll() is not None or time.monotonic() > deadline:
                said = (self.folder / "supervisor.log").read_text(errors="replace")[-6000:]
                self.down()
                raise ClusterError(f"the cluster did not start:\n{said}")
            time.sleep(_POLL_S)
        return process.stdin

    def down(self) -> None:
        """Stops the cluster and removes what it left. Safe to call when it does not run."""
        supervisor = self._supervisor()
        if supervisor is not None:
            for inner in supervisor.children():
                with suppress(psutil.NoSuchProcess):
                    inner.terminate()
            try:
                supervisor.wait(_DOWN_WITHIN_S)
            except psutil.TimeoutExpired:
                supervisor.kill()  # takes its PID namespace along
                supervisor.wait(_DOWN_WITHIN_S)
        cgroups.clear(self.cgroup)
        shutil.rmtree(self.folder, ignore_errors=True)

    def environment(self) -> dict[str, str]:
        """Our environment with the cluster's programs, its kubeconfig and no proxy."""
        own = {"KUBECONFIG": str(self.kubeconfig), "HILUM_CLUSTER": self.name}
        # Nobody's own repositories and plugins of Helm.
        helm = {
            f"HELM_{kind}_HOME": str(self.folder / "helm" / kind.lower())
            for kind in ("CACHE", "CONFIG", "DATA")
        }
        return {**os.environ, **environment(), **own, **helm}

    def inside(self, argv: Sequence[str]) -> list[str]:
        """The command that runs ``argv`` in the cluster's network.

        Raises:
            ClusterError: It does not run.
        """
        supervisor = self._supervisor()
        if supervisor is None:
            raise ClusterError(f"the cluster {self.name!r} does not run; `make cluster` starts it")
        # Not `ip netns exec`: that mounts /sys anew and so hides the control groups.
        return ["nsenter", f"--net=/proc/{supervisor.pid}/ns/net", "--", *argv]

    def _launch(self, *, held: bool) -> subprocess.Popen[bytes]:
        spaces = ("--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
        serve = (sys.executable, "-m", "tests.cluster", "--name", self.name, "serve")
        with (self.folder / "supervisor.log").open("ab") as log:
            return subprocess.Popen(
                ["unshare", *spaces, *serve, *(["--held"] if held else [])],
                stdin=subprocess.PIPE if held else subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                start_new_session=True,
            )

    def _supervisor(self) -> psutil.Process | None:
        """The outer process of the supervisor; its id alone may belong to another by now."""
        try:
            kept = json.loads((self.folder / "supervisor.json").read_text())
            process = psutil.Process(kept["pid"])
            same = process.create_time() == kept["created"]
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except (FileNotFoundError, psutil.NoSuchProcess):
            return None


def sweep() -> None:
    """Removes what clusters left whose supervisor is gone."""
    with alone(_LOCK):
        for folder in RUNS.glob("*/"):
            run = Run(folder.name)
            if run._supervisor() is None:  # noqa: SLF001 - the same module's
                run.down()


def _require_tools() -> None:
    if os.geteuid() != 0:
        raise ClusterError("the cluster needs root: namespaces, mounts, a container runtime")
    require(CLUSTER_PROGRAMS)
    path = environment()["PATH"]
    missing = {
        package for tool, package in _DEBIAN_PACKAGES.items() if not shutil.which(tool, path=path)
    }
    if missing:
        raise ProgramMissing(f"apt-get install {' '.join(sorted(missing))}")
