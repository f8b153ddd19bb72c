"""A process that reads images for another, within limits of CPU time and address space.

Started by ``reader_pool`` as ``python -m``. It is asked through a socket, one image at a time, and
answers with the image or with the reason of a refusal. What kills it (a crash of a decoder, its
CPU limit) kills nothing else.
"""

from __future__ import annotations

import json
import math
import resource
import signal
import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hilum.adapters.dicom.film_reader import DicomFilmReader
from hilum.adapters.dicom.heap import return_freed_memory
from hilum.adapters.dicom.reader_messages import packed
from hilum.domain.errors import Rejected, WorkingMemoryExceeded
from hilum.imaging.budget import BUDGET
from hilum.imaging.film import FilmLimits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hilum.imaging.film import Film, FilmHeader

_MIB: Final = 1024 * 1024
# Threads' stacks, the allocator's arenas and modules that are loaded when they are first used.
_ROOM: Final = 64 * _MIB


def main() -> None:
    """Answer until the socket is closed."""
    connection = Connection(int(sys.argv[1]))
    reader = DicomFilmReader(FilmLimits(**json.loads(connection.recv_bytes())))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # A terminal interrupts every process of a group. This one ends when its parent does.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(EOFError):
        while True:
            _serve(connection, reader)
            return_freed_memory()  # it may wait long


def _serve(connection: Connection, reader: DicomFilmReader) -> None:
    """Answer once. Nothing of the image is held after that."""
    method, options = json.loads(connection.recv_bytes())
    document, pixels = packed(_answer(reader, method, connection.recv_bytes(), options))
    connection.send_bytes(document)
    connection.send_bytes(pixels)


def _answer(
    reader: DicomFilmReader, method: str, data: bytes, options: Mapping[str, int]
) -> Film | FilmHeader | Rejected:
    """What ``inspect`` or ``read`` gives, or why it refuses."""
    _limit(len(data), BUDGET.cpu_seconds_of(options.get("encoded", 0)))
    try:
        if method == "inspect":
            return reader.inspect(data, options["size"])
        return reader.read(data, for_processing=bool(options["for_processing"]))
    except Rejected as error:
        return error
    except MemoryError:
        return WorkingMemoryExceeded(
            f"Decoding needs more than {BUDGET.working_bytes // _MIB} MiB of memory."
        )
    finally:
        # What follows is the answer's way back, not the image's cost.
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _limit(length: int, seconds: int) -> None:
    """Limit CPU time and address space of the next image, from what is used now."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    until = math.ceil(used.ru_utime + used.ru_stime) + seconds
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (until, most))
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    space = pages * resource.getpagesize() + BUDGET.working_bytes + length + _ROOM
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (space, most))


if __name__ == "__main__":
    main()
