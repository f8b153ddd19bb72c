"""``python -m hilum_worker``: the process."""

from __future__ import annotations

import logging
import os
import sys
from typing import Final

from prometheus_client import disable_created_metrics
from pydantic import ValidationError

from hilum.domain.errors import Permanent
from hilum_worker.bootstrap import Container, bootstrap
from hilum_worker.consumer import Consumer
from hilum_worker.logs import start_logging
from hilum_worker.lone_slot import LoneSlot
from hilum_worker.memory import keep_heap_small
from hilum_worker.metrics import metrics_endpoint
from hilum_worker.periodic import Periodic
from hilum_worker.settings import WorkerSettings
from hilum_worker.warm_up import warm_up

_LOG = logging.getLogger(__name__)

WRONG_SETTINGS: Final = 78
"""Exit code where no restart helps (EX_CONFIG of sysexits.h)."""

ALL_HANG: Final = 70
"""Exit code of a worker whose threads all hang (EX_SOFTWARE)."""

_RECONCILE_JITTER: Final = 0.2


def main() -> int:
    """Run a worker until SIGTERM or SIGINT.

    Returns:
        0 after a shutdown that was asked for; 78 where settings or models are wrong.
    """
    keep_heap_small()
    try:
        settings = WorkerSettings()  # pyright: ignore[reportCallIssue] - from the environment
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False):
            name = "_".join(str(part) for part in problem["loc"]).upper()
            sys.stderr.write(f"HILUM_{name}: {problem['msg']}\n")
        return WRONG_SETTINGS
    start_logging(settings.log_level)
    # Otherwise a second series stands beside every counter, and nobody reads it.
    disable_created_metrics()  # type: ignore[no-untyped-call]
    try:
        container = bootstrap(settings)
        warm_up(container.catalogue, container.engine)
    except (Permanent, ValueError) as error:
        code = getattr(error, "code", "wrong_setting")
        _LOG.error("cannot start: %s: %s", code, error)
        return WRONG_SETTINGS
    return work(container)


def beat(container: Container) -> None:
    """Keep the leases of what runs; end the process where everything hangs.

    A decoder that hangs costs a thread, since no thread can be stopped from outside. Once it has
    cost all of them, this worker would live and hear nothing: whoever supervises it starts another.
    """
    container.leases.beat()
    hanging = container.leases.given_up
    if hanging >= container.settings.worker_concurrency:
        _LOG.critical("all %d threads hang, leaving", hanging)
        logging.shutdown()
        os._exit(ALL_HANG)


def work(container: Container) -> int:
    """Consume until told to stop, with heartbeat, reconciler and metrics beside it."""
    settings, metrics = container.settings, container.metrics
    heartbeat = Periodic(
        "heartbeat", lambda: beat(container), settings.heartbeat_seconds, on_error=metrics.error
    )
    consumer = Consumer(
        container.celery,
        container.drain,
        metrics,
        name=settings.worker_name,
        concurrency=settings.worker_concurrency,
        priorities=settings.worker_queues,
        ready_file=settings.worker_ready_file,
    )
    lone = LoneSlot(consumer.hear_alone)

    def reconcile() -> None:
        done = container.reconcile()
        metrics.reconciled(done)
        if done.broker_down or consumer.waits_for_broker:
            lone.wake()

    reconciler = Periodic(
        "reconciler",
        reconcile,
        settings.reconcile_seconds,
        jitter=_RECONCILE_JITTER,
        on_error=metrics.error,
    )
    endpoint = metrics_endpoint(metrics, settings.metrics_host, settings.metrics_port)
    # The consumer leaves first, and films are in flight until it has: the heartbeat goes on.
    with endpoint, heartbeat, reconciler, lone:
        return consumer.run()
