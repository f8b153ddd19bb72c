"""A Celery worker that tells what it hears: one line of JSON for each ring.

Run as ``python -m tests.contract.queue_consumer BROKER_URL``; :class:`Listener` does.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import Self

from hilum.adapters.task_queue.celery_app import create_celery
from hilum.application.messages import ANALYSE_TASK, QUEUES, AnalyseJob

HEARD_WITHIN_S = 60.0
ROOT = Path(__file__).resolve().parents[2]


class Listener:
    """The worker as a child process, and what it has heard."""

    def __init__(self, broker_url: str) -> None:
        self._heard: queue.Queue[AnalyseJob] = queue.Queue()
        self._child = subprocess.Popen(
            [sys.executable, "-m", __name__, broker_url],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._child.kill()
        self._child.wait()
        self._reader.join()

    def heard(self, count: int) -> list[AnalyseJob]:
        """The next rings, in the order in which they were heard; fails where fewer come."""
        return [self._heard.get(timeout=HEARD_WITHIN_S) for _ in range(count)]

    def _read(self) -> None:
        for line in self._child.stdout or ():
            self._heard.put(AnalyseJob.from_payload(**json.loads(line)))


def listen(broker_url: str) -> None:
    """Consume every queue, one ring at a time."""
    app = create_celery(broker_url)

    @app.task(name=ANALYSE_TASK)
    def analyse(**payload: str) -> None:
        sys.stdout.write(json.dumps(payload) + "\n")
        sys.stdout.flush()

    app.Worker(
        hostname=f"listener-{os.getpid()}@test",
        pool="solo",
        queues=list(QUEUES.values()),
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        quiet=True,
    ).start()


if __name__ == "__main__":
    listen(sys.argv[1])
