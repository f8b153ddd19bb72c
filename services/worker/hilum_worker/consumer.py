"""The Celery worker: hears the doorbell and runs the job that it names."""

from __future__ import annotations

import logging
import warnings
from typing import TYPE_CHECKING, Any

from celery import signals
from celery.platforms import SecurityWarning
from structlog.contextvars import bound_contextvars

from hilum.application.messages import ANALYSE_TASK, QUEUES, AnalyseJob
from hilum.domain.errors import DatabaseUnavailable
from hilum.runtime.tracing import task_span

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from uuid import UUID

    from celery import Celery

    from hilum.domain.job import Job, Priority
    from hilum_worker.metrics import WorkerMetrics

_LOG = logging.getLogger(__name__)


class Consumer:
    """Consumes queues of analysis, in the order of urgency, with a pool of threads.

    Jobs of other priorities it leaves to other workers; its reconciler rings for them all the same.

    Threads, because decoding, gRPC and ONNX Runtime release the interpreter's lock, and because
    one process then needs one connection pool and one Triton client.
    """

    def __init__(
        self,
        app: Celery,
        analyse: Callable[[UUID], Job | None],
        metrics: WorkerMetrics,
        *,
        name: str,
        concurrency: int,
        priorities: Sequence[Priority],
        ready_file: Path | None,
    ) -> None:
        self._app = app
        self._analyse = analyse
        self._metrics = metrics
        self._name = name
        self._concurrency = concurrency
        self._queues = [queue for priority, queue in QUEUES.items() if priority in priorities]
        self._ready_file = ready_file

    def run(self) -> int:
        """Consume until SIGTERM or SIGINT; jobs in flight are finished first.

        Returns:
            The exit code of the process.
        """
        self._register()
        # It warns a worker that runs as root of pickle; rings are JSON and nothing else is taken.
        warnings.simplefilter("ignore", SecurityWarning)
        handlers = (
            (signals.setup_logging, self._keep_logging),
            (signals.worker_ready, self._ready),
            (signals.worker_shutting_down, self._leaving),
        )
        for signal, handler in handlers:
            signal.connect(handler)
        worker = self._app.Worker(
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

    def _register(self) -> None:
        @self._app.task(
            name=ANALYSE_TASK, bind=True, ignore_result=True, acks_late=True, shared=False
        )
        def analyse(task: Any, *arguments: Any, **payload: Any) -> None:
            with task_span(ANALYSE_TASK, task.request.__dict__):
                self.hear(arguments, payload)

    def hear(self, arguments: tuple[Any, ...], payload: dict[str, Any]) -> None:
        """Run the job that a message names. Never raises: the message is done either way.

        A message is only a ring. Where its job could not be run, the database says so, and the
        reconciler rings again.
        """
        try:
            message = AnalyseJob.from_payload(*arguments, **payload)
        except (TypeError, ValueError, AttributeError):
            _LOG.exception("malformed message dropped")
            self._metrics.error("message")
            return
        with bound_contextvars(job_id=str(message.job_id)):
            try:
                job = self._analyse(message.job_id)
            except DatabaseUnavailable as error:
                _LOG.warning("left to the reconciler: %s", error)
                self._metrics.error("database")
            except Exception:  # noqa: BLE001 - one message must not end the worker
                _LOG.exception("left to the reconciler")
                self._metrics.error("job")
            else:
                self._tell(job)

    def _tell(self, job: Job | None) -> None:
        if job is None:
            _LOG.debug("nothing to claim")
            return
        self._metrics.job_left(job)
        _LOG.info(
            "job %s",
            job.state.value,
            extra={
                "site": job.site,
                "attempts": job.attempts,
                "reason": job.reason.code if job.reason else None,
                "timings_ms": dict(job.timings_ms),
            },
        )

    def _keep_logging(self, **_: object) -> None:
        """Celery sets up no logging of its own where somebody listens to this signal."""

    def _ready(self, **_: object) -> None:
        _LOG.info("consuming %s", ", ".join(self._queues))
        if self._ready_file is not None:
            self._ready_file.touch()

    def _leaving(self, **_: object) -> None:
        if self._ready_file is not None:
            self._ready_file.unlink(missing_ok=True)
