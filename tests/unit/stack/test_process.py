"""Supervision of child processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from hilum_stack.errors import ProcessFailed
from hilum_stack.process import Command, SupervisedProcess

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DEADLINE_S = 60.0

# Writes its pid when it runs, and ends by itself after an hour if all else fails.
SLEEPER = "import os, pathlib, sys, time; pathlib.Path(sys.argv[1]).write_text(str(os.getpid())); "
SLEEPER += "time.sleep(3600)"

# A family: a child in the same group, and one in a session of its own as PostgreSQL's are.
FAMILY = """
import subprocess, sys, time
for name, own in (("same", False), ("own", True)):
    subprocess.Popen([sys.executable, "-c", sys.argv[2], sys.argv[1] + name], start_new_session=own)
time.sleep(3600)
"""

STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEPER


def command(tmp_path: Path, code: str, *arguments: str, grace_s: float = 30.0) -> Command:
    return Command(
        "child",
        (sys.executable, "-c", code, *arguments),
        tmp_path / "child.log",
        stop_grace_s=grace_s,
    )


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.01)


def pid_in(path: Path) -> int:
    wait_until(lambda: path.exists() and path.read_text() != "")
    return int(path.read_text())


def gone(pid: int) -> bool:
    """Whether a process ended; one that only waits to be buried counts as ended."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def test_it_waits_until_the_child_is_ready(tmp_path: Path) -> None:
    """``wait_ready`` returns once its condition holds, with the child running."""
    mark = tmp_path / "pid"
    with SupervisedProcess(command(tmp_path, SLEEPER, str(mark))) as process:
        process.wait_ready(mark.exists, within_s=DEADLINE_S)
        assert process.running
        assert pid_in(mark) == process.pid


def test_a_child_that_ends_early_is_told_with_its_log(tmp_path: Path) -> None:
    """The error names the child, its status and the end of its log."""
    process = SupervisedProcess(command(tmp_path, "print('no such model'); raise SystemExit(3)"))
    with pytest.raises(ProcessFailed, match=r"(?s)child ended with status 3.*no such model"):
        process.wait_ready(lambda: False, within_s=DEADLINE_S)


def test_a_child_that_never_gets_ready_is_killed(tmp_path: Path) -> None:
    """At the deadline nothing of the child is left, and the error says so."""
    process = SupervisedProcess(command(tmp_path, SLEEPER, str(tmp_path / "pid")))
    with pytest.raises(ProcessFailed, match="not ready within"):
        process.wait_ready(lambda: False, within_s=0.0)
    assert gone(process.pid)


def test_a_program_that_does_not_exist_is_told(tmp_path: Path) -> None:
    """The error names the process that could not be started."""
    with pytest.raises(ProcessFailed, match="child cannot be started"):
        SupervisedProcess(Command("child", ("/no/such/program",), tmp_path / "log"))


@pytest.mark.parametrize("way", ["stop", "kill"])
def test_the_whole_family_ends(tmp_path: Path, way: str) -> None:
    """Children end with the child, also those in a process group of their own."""
    arguments = (str(tmp_path / "pid-"), SLEEPER)
    with SupervisedProcess(command(tmp_path, FAMILY, *arguments)) as process:
        family = [pid_in(tmp_path / f"pid-{name}") for name in ("same", "own")]
        getattr(process, way)()
        assert all(gone(pid) for pid in [process.pid, *family])


def test_a_child_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    """Stopping is bounded: after the grace period comes SIGKILL."""
    mark = tmp_path / "pid"
    with SupervisedProcess(command(tmp_path, STUBBORN, str(mark), grace_s=0.1)) as process:
        pid_in(mark)
        process.stop()
        assert process.returncode == -signal.SIGKILL


def test_stopping_twice_is_harmless(tmp_path: Path) -> None:
    """A second stop, or a kill after it, does nothing."""
    process = SupervisedProcess(command(tmp_path, SLEEPER, str(tmp_path / "pid")))
    process.stop()
    process.stop()
    process.kill()
    assert not process.running


def test_it_outlives_the_thread_that_started_it(tmp_path: Path) -> None:
    """A server that a helper thread restarted stays up when the thread ends."""
    mark = tmp_path / "pid"
    started: list[SupervisedProcess] = []
    thread = threading.Thread(
        target=lambda: started.append(SupervisedProcess(command(tmp_path, SLEEPER, str(mark))))
    )
    thread.start()
    thread.join()
    with started[0] as process:
        pid_in(mark)
        process.require_running()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_it_dies_with_its_parent(tmp_path: Path, number: signal.Signals) -> None:
    """A killed test run leaves no server: the watchdog ends the whole group."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path), FAMILY, SLEEPER], start_new_session=True
    )
    pids = [pid_in(tmp_path / f"pid-{name}") for name in ("same", "leader")]
    assert not any(gone(pid) for pid in pids)
    parent.send_signal(number)
    parent.wait()
    wait_until(lambda: all(gone(pid) for pid in pids))
    own = pid_in(tmp_path / "pid-own")
    if not gone(own):
        os.kill(own, signal.SIGKILL)


PARENT = """
import pathlib, sys, time
from hilum_stack.process import Command, SupervisedProcess
folder = pathlib.Path(sys.argv[1])
argv = (sys.executable, "-c", sys.argv[2], str(folder / "pid-"), sys.argv[3])
process = SupervisedProcess(Command("child", argv, folder / "log"))
(folder / "pid-leader").write_text(str(process.pid))
time.sleep(3600)
"""
