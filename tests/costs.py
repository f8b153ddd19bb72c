"""What reading costs, measured in a child process: CPU time and memory, never wall-clock time."""

from __future__ import annotations

import ctypes
import os
import pickle
import resource
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hilum.application.ports.film_reader import INSPECTED_BYTES
from hilum.domain.errors import Rejected

if TYPE_CHECKING:
    from hilum.application.ports.film_reader import FilmReader

MOST_CPU_S = 5.0
MOST_MIB = 300


@dataclass(frozen=True)
class Cost:
    """The price and the answer.

    Attributes:
        answer: ``accepted``, or the code of the refusal. Anything else is the name of an
            exception that may not escape.
        cpu_s: CPU time, in seconds, child processes included.
        peak_mib: Peak resident memory above the idle process, in MiB.
    """

    answer: str
    cpu_s: float
    peak_mib: float

    def assert_bounded(self) -> None:
        """Every file has an answer within 5 CPU seconds and 300 MiB."""
        assert self.answer == "accepted" or self.answer.islower(), self
        assert self.cpu_s < MOST_CPU_S, self
        assert self.peak_mib < MOST_MIB, self


def cost_of_inspection(reader: FilmReader, data: bytes) -> Cost:
    """Measure what happens at ingestion."""
    prefix = data[:INSPECTED_BYTES]
    size = len(data) if len(data) <= len(prefix) else 64 * 1024 * 1024
    return _in_a_child(lambda: reader.inspect(prefix, size))


def cost_of_reading(reader: FilmReader, data: bytes) -> Cost:
    """Measure what happens in a worker."""
    return _in_a_child(lambda: reader.read(data))


def _in_a_child(work) -> Cost:
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read_end)
        with os.fdopen(write_end, "wb") as out:
            pickle.dump(_measured(work), out)
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as answer:
        told = answer.read()
    os.waitpid(child, 0)
    assert told, "the process that measured was killed"
    return pickle.loads(told)  # noqa: S301 - from our own child


def cpu_s() -> float:
    """CPU time of this process and of all that it started, those that live and theirs too."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    ended = sum(one.ru_utime + one.ru_stime for one in used)
    return ended + sum(_ticks(child) for child in children()) / os.sysconf("SC_CLK_TCK")


def children() -> set[int]:
    """Processes that this one started and that live."""
    lists = Path("/proc/self/task").glob("*/children")
    return {int(child) for one in lists for child in one.read_text().split()}


def _ticks(child: int) -> int:
    """CPU time of a process and of those that it has waited for."""
    try:
        fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0  # it has ended just now
    return sum(map(int, fields[11:15]))


def _measured(work) -> Cost:
    # What the process that was forked from has freed would count as idle, and be used again.
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    idle, before = _memory_mib("VmRSS"), cpu_s()
    try:
        work()
        answer = "accepted"
    except Rejected as error:
        answer = error.code
    except BaseException as error:  # noqa: BLE001 - the name is the finding
        answer = type(error).__name__
    return Cost(answer, cpu_s() - before, _memory_mib("VmHWM") - idle)


def _memory_mib(field: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024
