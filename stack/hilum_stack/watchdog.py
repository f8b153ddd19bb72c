"""Ends the servers of a process that died without ending them itself.

One watchdog runs beside each process that starts servers. It reads lines from a pipe whose only
writer is that process: ``add PID SIGNAL`` and ``remove PID``. When the writer is gone, for
whatever reason (kill -9 of a test run included), the pipe ends; the watchdog then asks every
remaining process group to stop, and kills what has not stopped in time.

``PR_SET_PDEATHSIG`` would not do: it fires when the *thread* that started the child ends, reaches
only the child and not its children, and is cleared when the child changes its user.

The watchdog itself is this file, run as a script (``python -I -S watchdog.py``): standard library
only.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import ClassVar

GRACE_S = 8.0


class Watchdog:
    """Our end of the pipe to the watchdog process."""

    _shared: ClassVar[Watchdog | None] = None
    _guard: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self) -> None:
        self._owner = os.getpid()
        self._writing = threading.Lock()
        self._popen = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__).resolve())],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,  # a Ctrl-C is not for it
        )
        atexit.register(self._close)

    @classmethod
    def shared(cls) -> Watchdog:
        """The watchdog of this process; started when first needed, anew after a fork."""
        with cls._guard:
            if cls._shared is None or not cls._shared.ours:
                cls._shared = cls()
            return cls._shared

    @property
    def ours(self) -> bool:
        """False in a fork of the process that started it."""
        return self._owner == os.getpid()

    def add(self, pid: int, stop_signal: signal.Signals) -> None:
        """Puts the process group ``pid`` under guard."""
        self._tell(f"add {pid} {int(stop_signal)}\n")

    def remove(self, pid: int) -> None:
        """Takes the process group ``pid`` off: it has ended."""
        self._tell(f"remove {pid}\n")

    def _tell(self, line: str) -> None:
        pipe = self._popen.stdin
        with self._writing:
            if pipe is not None and not pipe.closed:
                pipe.write(line.encode())
                pipe.flush()

    def _close(self) -> None:
        pipe = self._popen.stdin
        if pipe is not None and self.ours:
            with self._writing:
                pipe.close()
            self._popen.wait()


def watch() -> None:
    """Reads standard input to its end, then ends the groups that are left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: dict[int, int] = {}
    for line in sys.stdin:
        verb, pid, *rest = line.split()
        if verb == "add":
            groups[int(pid)] = int(rest[0])
        else:
            groups.pop(int(pid), None)
    end_groups(groups)


def end_groups(groups: dict[int, int]) -> None:
    """Ends process groups: each by its own signal first, by SIGKILL after a grace period.

    Args:
        groups: Process group -> the signal that asks its leader to stop in good order. What is
            left of a group when its leader has ended is killed at once.
    """
    for group, number in groups.items():
        with contextlib.suppress(ProcessLookupError):
            os.kill(group, number)
    deadline = time.monotonic() + GRACE_S
    while time.monotonic() < deadline and any(_exists(leader) for leader in groups):
        time.sleep(0.05)
    for group in groups:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    watch()
