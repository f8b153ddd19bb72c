"""A Celery worker that tells what it hears: one line of JSON for each ring.

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
from typing import Self

from celery import signals

from hilum.adapters.task_queue.celery_app import create_celery
from hilum.application.messages import ANALYSE_TASK, QUEUES, AnalyseJob

HEARD_WITHIN_S = 60.0
ROOT = Path(__file__).resolve().parents[2]


class Listener:
    """The worker as a child process, and what it has heard.

    Args:
        broker_url: Where it listens.
        slots: Jobs that it runs at once.
        held: Whether its jobs wait for :meth:`release` after they were told.
    """

    def __init__(self, broker_url: str, *, slots: int = 1, held: bool = False) -> None:
        self._heard: queue.Queue[AnalyseJob] = queue.Queue()
        self._unacknowledged: queue.Queue[str] = queue.Queue()
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
        self._child.kill()
        self._child.wait()
        self._reader.join()

    def heard(self, count: int) -> list[AnalyseJob]:
        """The next rings, in the order in which they were heard; fails where fewer come."""
        return [self._heard.get(timeout=HEARD_WITHIN_S) for _ in range(count)]

    def unacknowledged(self, count: int) -> None:
        """Wait until this many messages could not be acknowledged."""
        for _ in range(count):
            self._unacknowledged.get(timeout=HEARD_WITHIN_S)

    def release(self) -> None:
        """Let its jobs end, those to come too."""
        if self._child.stdin is not None:
            self._child.stdin.close()

    def _read(self) -> None:
        for line in self._child.stdout or ():
            told = json.loads(line)
            if "unacknowledged" in told:
                self._unacknowledged.put(told["unacknowledged"])
            else:
                self._heard.put(AnalyseJob.from_payload(**told))


def tell(**line: str) -> None:
    """Write one line to the parent."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


class FailedAcknowledgements(logging.Handler):
    """Celery only logs that a message could not be acknowledged."""

    def emit(self, record: logging.LogRecord) -> None:
        """Tell the parent."""
        if "ack" in record.getMessage():
            tell(unacknowledged=record.getMessage())


def listen(broker_url: str, slots: int) -> None:
    """Consume every queue, until standard input ends without finishing a job."""
    released = threading.Event()

    def wait_for_release() -> None:
        sys.stdin.read()
        released.set()

    threading.Thread(target=wait_for_release, daemon=True).start()
    signals.setup_logging.connect(lambda **_: None, weak=False)
    logging.getLogger().addHandler(FailedAcknowledgements(logging.CRITICAL))
    app = create_celery(broker_url)

    @app.task(name=ANALYSE_TASK)
    def analyse(**payload: str) -> None:
        tell(**payload)
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
