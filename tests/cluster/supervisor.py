"""The process that holds a cluster: starts it, watches it, stops it."""

from __future__ import annotations

import signal
import sys
import threading
from typing import TYPE_CHECKING

from hilum_stack.errors import StackError
from tests.cluster.cluster import Cluster

if TYPE_CHECKING:
    from types import FrameType

    from tests.cluster.running import Run

_LOOK_EVERY_S = 1.0


def serve(run: Run, *, held: bool) -> int:
    """Holds a cluster until a signal says stop, or the pipe on standard input is closed.

    Args:
        run: Which one; its folder is there.
        held: Whether standard input is such a pipe.

    Returns:
        The exit status: 0, or 1 when a part did not start or ended; the log tells which.
    """
    stop = threading.Event()

    def asked(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, asked)
    if held:
        threading.Thread(target=_wait_for_end, args=(stop,), daemon=True).start()
    cluster = Cluster(run.folder, run.cgroup)
    try:
        cluster.start()
        (run.folder / "ready").touch()
        while not stop.wait(_LOOK_EVERY_S):
            cluster.check()
    except (StackError, AssertionError) as error:
        print(error, file=sys.stderr, flush=True)  # noqa: T201 - its log
        return 1
    finally:
        (run.folder / "ready").unlink(missing_ok=True)
        cluster.stop()
    return 0


def _wait_for_end(stop: threading.Event) -> None:
    sys.stdin.buffer.read()
    stop.set()
