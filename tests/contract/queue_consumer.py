"""A Celery worker that tells what it takes: one line of JSON for each wake-up.

Run as ``python -m tests.contract.queue_consumer BROKER_URL SLOTS``; :class:`Listener` does.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Self

from celery import signals

from hilum.adapters.task_queue.celery_app import create_celery
from hilum.application.queue.messages import QUEUES, WAKE_TASK

if TYPE_CHECKING:
    from celery import Task

    from hilum.domain.job import Priority

TAKEN_WITHIN_S = 60.0
ROOT = Path(__file__).resolve().parents[2]
_PRIORITIES = {name: priority for priority, name in QUEUES.items()}


class Listener:
    """The worker as a child process, and the queues of what it has taken.

    Args:
        broker_url: Where it listens.
        slots: Wake-ups that it serves at once.
        held: Whether its slots wait for :meth:`release` after a wake-up was told.
    """

    def __init__(self, broker_url: str, *, slots: int = 1, held: bool = False) -> None:
        self._taken: queue.Queue[Priority] = queue.Queue()
        self._unacknowledged: queue.Queue[str] = queue.Queue()
        self._troubled = threading.Event()
        self._child = subprocess.Popen(
            [sys.executable, "-m", __name__, broker_url, str(slots)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        if not held:
            self.release()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
        self.kill()
        self._reader.join()

    def taken(self, count: int) -> list[Priority]:
        """The queues of the next wake-ups, in the order of taking; fails where fewer come."""
        return [self._taken.get(timeout=TAKEN_WITHIN_S) for _ in range(count)]

    def unacknowledged(self, count: int) -> None:
        """Wait until this many messages could not be acknowledged."""
        for _ in range(count):
            self._unacknowledged.get(timeout=TAKEN_WITHIN_S)

    def troubled(self) -> bool:
        """Wait until it lost its connection or could not acknowledge a message."""
        return self._troubled.wait(TAKEN_WITHIN_S)

    def release(self) -> None:
        """Let its slots go on, now and later."""
        if self._child.stdin is not None:
            self._child.stdin.close()

    def kill(self) -> None:
        """End it at once, with what it holds."""
        self._child.kill()
        self._child.wait()

    def _read(self) -> None:
        for line in self._child.stdout or ():
            told = json.loads(line)
            if "taken" in told:
                self._taken.put(_PRIORITIES[told["taken"]])
                continue
            self._troubled.set()
            if "unacknowledged" in told:
                self._unacknowledged.put(told["unacknowledged"])


def tell(**line: str) -> None:
    """Write one line to the parent."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


class Trouble(logging.Handler):
    """Celery only logs a message that could not be acknowledged, and a lost connection."""

    def emit(self, record: logging.LogRecord) -> None:
        """Tell the parent."""
        message = record.getMessage()
        if "Couldn't ack" in message:
            tell(unacknowledged=message)
        elif "Connection to broker lost" in message:
            tell(lost=message)


def listen(broker_url: str, slots: int) -> None:
    """Consume every queue, until standard input ends without finishing a wake-up."""
    released = threading.Event()

    def wait_for_release() -> None:
        sys.stdin.read()
        released.set()

    threading.Thread(target=wait_for_release, daemon=True).start()
    signals.setup_logging.connect(lambda **_: None, weak=False)
    logging.getLogger().addHandler(Trouble(logging.WARNING))
    app = create_celery(broker_url)

    @app.task(name=WAKE_TASK, bind=True)
    def wake(task: Task, queue: str) -> None:
        taken_from = task.request.delivery_info["routing_key"]
        assert taken_from == f"hilum.{queue}"
        tell(taken=taken_from)
        released.wait()

    app.Worker(
        hostname=f"listener-{os.getpid()}@test",
        pool="threads",
        concurrency=slots,
        queues=list(QUEUES.values()),
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        quiet=True,
    ).start()


if __name__ == "__main__":
    listen(sys.argv[1], int(sys.argv[2]))
