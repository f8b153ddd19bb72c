"""The Celery worker: its slots are woken, and run what the database has for them."""

from __future__ import annotations

import logging
import threading
import warnings
from typing import TYPE_CHECKING, Any

from celery import signals
from celery.platforms import SecurityWarning

from hilum.application.queue.messages import FORMER_TASK, WAKE_TASK
from hilum.domain.errors import DatabaseUnavailable
from hilum.domain.job import Job

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from celery import Celery

    from hilum.application.queue.drain import Drain
    from hilum.domain.work import WorkItem
    from hilum_worker.metrics import WorkerMetrics

_LOG = logging.getLogger(__name__)


class Consumer:
    """Takes wake-ups of some queues with a pool of threads.

    Work of other queues is left to other workers. The reconciler wakes those all the same.

    Threads, because decoding, gRPC and ONNX Runtime release the interpreter's lock, and because
    one process then needs one connection pool and one Triton client.
    """

    def __init__(
        self,
        app: Celery,
        drain: Drain,
        metrics: WorkerMetrics,
        *,
        name: str,
        concurrency: int,
        queues: Sequence[str],
        ready_file: Path | None,
    ) -> None:
        self._app = app
        self._drain = drain
        self._metrics = metrics
        self._name = name
        self._concurrency = concurrency
        self._queues = queues
        self._ready_file = ready_file
        self._worker: Any = None
        self._left = False
        self._marking = threading.RLock()

    def run(self) -> int:
        """Consume until SIGTERM or SIGINT; jobs in flight are finished first.

        Returns:
            The exit code of the process.
        """
        self._register()
        # It warns a worker that runs as root of pickle. Only JSON is taken here.
        warnings.simplefilter("ignore", SecurityWarning)
        handlers = (
            (signals.setup_logging, self._keep_logging),
            (signals.worker_ready, self._ready),
            (signals.worker_shutting_down, self._leaving),
        )
        for signal, handler in handlers:
            signal.connect(handler)
        self._worker = worker = self._app.Worker(
            hostname=f"hilum@{self._name}",
            pool="threads",
            concurrency=self._concurrency,
            queues=list(self._queues),
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
            task_events=False,
            quiet=True,
        )
        try:
            worker.start()
        finally:
            self._leaving()
            for signal, handler in handlers:
                signal.disconnect(handler)
        return int(worker.exitcode or 0)

    @property
    def waits_for_broker(self) -> bool:
        """Whether the connection failed, so that wake-ups are not taken before the next attempt.

        Celery's attempts are up to 30 s apart, so it may not know yet that the broker is back.
        """
        worker = self._worker
        return worker is not None and worker.consumer.broker_connection_retry_attempt > 0

    def _register(self) -> None:
        for name in (WAKE_TASK, FORMER_TASK):

            @self._app.task(name=name, ignore_result=True, acks_late=True, shared=False)
            def wake(*_arguments: Any, **_payload: Any) -> None:
                self.hear()

    def hear_alone(self) -> None:
        """Run what the database has while no wake-up comes. The worker is ready all the same."""
        self._mark_ready()
        self.hear()

    def hear(self) -> None:
        """Run what the database has. Never raises: the message is done either way.

        What could not be run is still in the database, and the reconciler wakes a slot for it.
        """
        try:
            self._drain(self._tell)
        except DatabaseUnavailable as error:
            _LOG.warning("drain.failed", extra={"error": error.sentence})
            self._metrics.error("database")
        except Exception:  # noqa: BLE001 - one message must not end the worker
            _LOG.exception("drain.crashed")
            self._metrics.error("job")

    def _tell(self, claimed: WorkItem, item: WorkItem | None) -> None:
        del claimed
        if item is None:
            return  # its lease was lost, which is logged where it was noticed
        timings: dict[str, float] = {}
        if isinstance(item, Job):
            self._metrics.job_left(item)
            timings = dict(item.timings_ms)
        _LOG.info(
            "attempt.ended",
            extra={
                "kind": item.life.kind,
                "state": item.state.value,
                "attempts": item.attempts,
                "reason": item.reason.code if item.reason else None,
                "timings_ms": timings,
            },
        )

    def _keep_logging(self, **_: object) -> None:
        """Celery sets up no logging of its own where somebody listens to this signal."""

    def _ready(self, **_: object) -> None:
        _LOG.info("consumer.started", extra={"queues": list(self._queues)})
        self._mark_ready()

    def _leaving(self, **_: object) -> None:
        self._drain.stop()
        with self._marking:
            self._left = True
            if self._ready_file is not None:
                self._ready_file.unlink(missing_ok=True)

    def _mark_ready(self) -> None:
        with self._marking:
            if self._ready_file is not None and not self._left:
                self._ready_file.touch()
