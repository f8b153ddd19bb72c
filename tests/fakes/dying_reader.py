"""A reader's process that dies of what it is sent. Run in place of the real one."""

from __future__ import annotations

import os
import resource
import signal
import time

import numpy as np

from hilum.adapters.dicom import reader_process
from hilum.domain.errors import UnreadableFilm
from hilum.imaging.film import Film, FilmHeader

SPIN, CRASH, ALLOCATE, KILLED, REFUSED, LIE, ALLOWED, WORK = (
    b"spin",
    b"crash",
    b"allocate",
    b"killed",
    b"refused",
    b"lie",
    b"allowed",
    b"work",
)


class DyingReader:
    """Reads anything else as one grey pixel, the first byte, or the seconds that it has."""

    def __init__(self, limits: object) -> None:
        pass

    def read(self, data: bytes, *, for_processing: bool) -> Film:  # noqa: ARG002 - the reader's
        began = time.process_time()
        if data == SPIN:
            while True:
                pass
        while data == WORK and time.process_time() - began < 1:
            pass
        if data == CRASH:
            os.abort()
        if data == KILLED:
            os.kill(os.getpid(), signal.SIGKILL)
        if data == ALLOCATE:
            bytearray(1 << 30)
        if data == ALLOWED:
            used = resource.getrusage(resource.RUSAGE_SELF)
            until, _ = resource.getrlimit(resource.RLIMIT_CPU)
            data = bytes([round(until - used.ru_utime - used.ru_stime)])
        if data == LIE:
            return Film(np.zeros((1, 2, 3), np.uint8), FilmHeader("image/png"))
        if data == REFUSED:
            raise UnreadableFilm("for a reason")
        return Film(np.full((1, 1), data[0], np.uint8), FilmHeader("image/png"))


if __name__ == "__main__":
    reader_process.DicomFilmReader = DyingReader  # type: ignore[assignment, misc]
    reader_process.main()
