"""Pooled processes that read what is not plainly small and plain.

A process is started when it is first needed, kept, and replaced when it died. While one reads,
the threads of this process go on: decoding in a thread would hold Python's lock.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final, cast

from hilum.adapters.dicom.heap import return_large_blocks
from hilum.adapters.dicom.reader_messages import unpacked
from hilum.domain.errors import CpuTimeExceeded, DecoderCrashed, Rejected
from hilum.imaging.budget import BUDGET

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hilum.imaging.film import Film, FilmHeader, FilmLimits

_MODULE: Final = "hilum.adapters.dicom.reader_process"
_PROCESSES: Final = 2
_ENDS_WITHIN_S: Final = 5.0


class ReaderPool:
    """Reads images in other processes; one pool serves every thread of a process.

    Large blocks of memory of this process go back to the system when they are freed.

    Args:
        limits: As ``DicomFilmReader`` takes them.
        processes: Most processes.
    """

    def __init__(self, limits: FilmLimits, processes: int = _PROCESSES) -> None:
        return_large_blocks()
        self._limits = limits
        self._idle: SimpleQueue[_Child | None] = SimpleQueue()
        for _ in range(processes):
            self._idle.put(None)
        self._large = threading.Lock()

    def inspect(self, prefix: bytes, size: int) -> FilmHeader:
        """Do as ``DicomFilmReader.inspect``.

        Raises:
            Rejected: As there. CpuTimeExceeded, WorkingMemoryExceeded and DecoderCrashed too.
            MemoryError: The system ended the process, since there was no memory left.
        """
        return cast("FilmHeader", self._ask("inspect", prefix, size=size))

    def read(
        self, data: bytes, *, large: bool, encoded: int = 0, for_processing: bool = False
    ) -> Film:
        """Do as ``DicomFilmReader.read``.

        Args:
            data: The whole file.
            large: Whether the image has so many pixels that one is read at a time.
            encoded: Bytes of encoded pixel data, which allow CPU time.
            for_processing: As there.

        Raises:
            Rejected: As there. CpuTimeExceeded, WorkingMemoryExceeded and DecoderCrashed too.
            MemoryError: The system ended the process, since there was no memory left.
        """
        with self._large if large else nullcontext():
            return cast(
                "Film", self._ask("read", data, encoded=encoded, for_processing=for_processing)
            )

    def _ask(self, method: str, data: bytes, **options: int) -> Any:
        with self._child() as child:
            answer = child.ask(method, data, options)
        if isinstance(answer, Rejected):
            raise answer
        return answer

    @contextmanager
    def _child(self) -> Iterator[_Child]:
        child = self._idle.get()
        try:
            if child is None or not child.lives:
                child = _Child(self._limits)
            yield child
        finally:
            if child is not None and not child.lives:
                child = None
            self._idle.put(child)


class _Child:
    """One process."""

    def __init__(self, limits: FilmLimits) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            # Nothing of this process's environment: it holds passwords.
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", _MODULE, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env={
                    "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
                    "OPENBLAS_NUM_THREADS": "1",
                    "OMP_NUM_THREADS": "1",
                    "MALLOC_ARENA_MAX": "2",
                },
            )
        self._connection = Connection(ours.detach())
        self._connection.send_bytes(json.dumps(asdict(limits)).encode())

    @property
    def lives(self) -> bool:
        """Whether the process can be asked."""
        return not self._connection.closed and self._process.poll() is None

    def ask(
        self, method: str, data: bytes, options: Mapping[str, int]
    ) -> Film | FilmHeader | Rejected:
        """Have a method of the reader called with a file.

        Raises:
            CpuTimeExceeded: The process was over its CPU time, or did not answer.
            DecoderCrashed: The process died over the file.
            MemoryError: The system ended the process.
        """
        encoded = options.get("encoded", 0)
        try:
            self._connection.send_bytes(json.dumps([method, options]).encode())
            self._connection.send_bytes(data)
            if self._connection.poll(BUDGET.wall_seconds_of(encoded)):
                return unpacked(self._connection.recv_bytes(), self._connection.recv_bytes())
        except (EOFError, OSError):
            self._end()
            raise self._cause(BUDGET.cpu_seconds_of(encoded)) from None
        except (ValueError, KeyError, TypeError):
            self._process.kill()
            self._end()
            raise DecoderCrashed("The decoder gave no image.") from None
        except BaseException:
            self._end()
            raise
        self._process.kill()
        self._end()
        raise CpuTimeExceeded("Decoding the image takes too long.")

    def _cause(self, seconds: int) -> Exception:
        code = -(self._process.returncode or 0)
        if code == signal.SIGXCPU:
            return CpuTimeExceeded(
                f"Decoding the image takes more than {seconds} seconds of CPU time."
            )
        if code == signal.SIGKILL:
            return MemoryError("the system ended the process that read the image")
        return DecoderCrashed("The decoder ended over the image.")

    def _end(self) -> None:
        """Wait for the process, which has closed its socket or was killed."""
        self._connection.close()
        try:
            self._process.wait(_ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
