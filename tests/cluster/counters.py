"""What the kernel counts for each container of the cluster's pods: CPU time and memory."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.cluster import cgroups
from tests.cluster.container_runtime import specification_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.running import Run

_NAME = "io.kubernetes.cri.container-name"  # a pod's sandbox has none
_NAMESPACE = "io.kubernetes.cri.sandbox-namespace"
_NANOSECONDS = 1e9
_MICROSECONDS = 1e6


@dataclass(frozen=True, slots=True)
class Counters:
    """One container at one moment.

    Attributes:
        container: Its name in its pod.
        cpu_seconds: Of all its threads since it began.
        periods: Of the kernel's scheduler (100 ms) in which it ran under a CPU limit.
        throttled: Those of them in which it was held back.
        working_set: Memory without the file cache that the kernel would drop first, bytes: what the
            kubelet compares with limits.
    """

    container: str
    cpu_seconds: float
    periods: int
    throttled: int
    working_set: int


class ContainerCounters:
    """The containers of one namespace, while they live."""

    def __init__(self, run: Run, namespace: str) -> None:
        """Prepares it.

        Args:
            run: The cluster.
            namespace: Whose pods are looked at.
        """
        self._run = run
        self._namespace = namespace
        self._names: dict[str, str | None] = {}

    def read(self) -> dict[str, Counters]:
        """Id of each container that runs -> what is counted for it; a restart has another id."""
        root = cgroups.hierarchy("cpuacct") / self._run.cgroup
        found = {}
        for folder in _folders_of_containers(root / "kubepods"):
            try:
                if (name := self._name_of(folder.name)) is not None:
                    found[folder.name] = _read(name, folder.relative_to(root.parent))
            except OSError:
                continue  # it ended, or has only begun
        return found

    def _name_of(self, identifier: str) -> str | None:
        """Its name in its pod; None for sandboxes and for what is another namespace's."""
        if identifier not in self._names:
            file = specification_of(self._run.folder / "containerd", identifier)
            notes = json.loads(file.read_text())["annotations"]
            own = notes.get(_NAMESPACE) == self._namespace
            self._names[identifier] = notes.get(_NAME) if own else None
        return self._names[identifier]


def _folders_of_containers(root: Path) -> Iterator[Path]:
    """Each folder in a pod's own; unlike `glob` it passes over those that go meanwhile."""
    for parent, names, _ in os.walk(root):
        folder = Path(parent)
        if folder.name.startswith("pod"):
            yield from (folder / name for name in names)


def _read(name: str, folder: Path) -> Counters:
    schedule = _table(cgroups.hierarchy("cpu") / folder / "cpu.stat")
    memory = cgroups.hierarchy("memory") / folder
    if cgroups.is_unified():
        cpu_seconds = schedule["usage_usec"] / _MICROSECONDS
        used, idle = "memory.current", "inactive_file"
    else:
        spent = cgroups.hierarchy("cpuacct") / folder / "cpuacct.usage"
        cpu_seconds = int(spent.read_text()) / _NANOSECONDS
        used, idle = "memory.usage_in_bytes", "total_inactive_file"
    return Counters(
        name,
        cpu_seconds,
        # Absent in version 2 where nothing limits it.
        schedule.get("nr_periods", 0),
        schedule.get("nr_throttled", 0),
        int((memory / used).read_text()) - _table(memory / "memory.stat")[idle],
    )


def _table(file: Path) -> dict[str, int]:
    """Lines of a name and a number."""
    lines = (line.split() for line in file.read_text().splitlines())
    return {name: int(value) for name, value in lines}
