"""CPU time and memory of whole process trees."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self


@dataclass(slots=True)
class ProcessAccount:
    """What one process tree used between two moments: CPU seconds, and peak resident bytes."""

    cpu_seconds: float = 0.0
    peak_bytes: int = 0


@dataclass(slots=True)
class Accounting:
    """Accounts for named process trees while a block runs.

    CPU is read at both ends: the tree's own time and that of the children it has waited for.
    Memory is sampled: the sum of the proportional set sizes of the tree (shared pages of
    PostgreSQL's backends are counted once), every ``interval_s`` seconds.

    Attributes:
        pids: Root process of each tree.
        interval_s: Between two samples of memory.
        accounts: Filled when the block ends.
    """

    pids: Mapping[str, int]
    interval_s: float = 1.0
    accounts: dict[str, ProcessAccount] = field(default_factory=dict)
    _before: dict[str, float] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)
    _sampler: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Begin to account."""
        self.accounts = {name: ProcessAccount() for name in self.pids}
        self._before = {name: tree_cpu_seconds(pid) for name, pid in self.pids.items()}
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        self._sampler.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, and fill :attr:`accounts`."""
        self._stop.set()
        if self._sampler is not None:
            self._sampler.join()
        for name, pid in self.pids.items():
            self.accounts[name].cpu_seconds = tree_cpu_seconds(pid) - self._before[name]

    def _sample(self) -> None:
        while True:
            for name, pid in self.pids.items():
                account = self.accounts[name]
                account.peak_bytes = max(account.peak_bytes, tree_bytes(pid))
            if self._stop.wait(self.interval_s):
                return


def tree_cpu_seconds(pid: int) -> float:
    """User and system seconds of a process, its living children, and those it waited for."""
    total = 0.0
    for process in _tree(pid):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def tree_bytes(pid: int) -> int:
    """Proportional set size of a process tree, in bytes."""
    total = 0
    for process in _tree(pid):
        try:
            total += process.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return total


def _tree(pid: int) -> list[psutil.Process]:
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
