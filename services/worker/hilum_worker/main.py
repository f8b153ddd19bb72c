"""``python -m hilum_worker``: the process."""

from __future__ import annotations

import logging
import os
import sys
from typing import Final

import structlog
from pydantic import ValidationError

from hilum.application.queue.messages import served_queues
from hilum.domain.errors import Permanent
from hilum.domain.job import ANALYSIS
from hilum.runtime.exit_codes import WRONG_SETTINGS
from hilum.runtime.logs import start_logging
from hilum.runtime.metrics import served
from hilum.runtime.setting_groups import known_names
from hilum.runtime.settings import misnamed, problems_of
from hilum.runtime.timers import Timers
from hilum.runtime.tracing import start_tracing
from hilum_worker.bootstrap import Container, bootstrap
from hilum_worker.consumer import Consumer
from hilum_worker.lone_slot import LoneSlot
from hilum_worker.memory import keep_heap_small
from hilum_worker.settings import WorkerSettings
from hilum_worker.warm_up import warm_up

_LOG: Final = structlog.get_logger(__name__)

ALL_HANG: Final = 70
"""Exit code of a worker whose threads all hang (EX_SOFTWARE)."""

_RECONCILE_JITTER: Final = 0.2
_BREAKERS_S: Final = 1.0


def main() -> int:
    """Run a worker until SIGTERM or SIGINT.

    Returns:
        0 after a shutdown that was asked for; 78 where settings or models are wrong.
    """
    keep_heap_small()
    try:
        settings = WorkerSettings()  # pyright: ignore[reportCallIssue] - from the environment
    except ValidationError as error:
        sys.stderr.writelines(f"{line}\n" for line in problems_of(error))
        return WRONG_SETTINGS
    try:
        start_logging(settings.log.level, *start_tracing("worker", settings.tracing))
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return WRONG_SETTINGS
    for sentence in misnamed(WorkerSettings, known_names(), os.environ):
        _LOG.warning("setting.misnamed", detail=sentence)
    try:
        container = bootstrap(settings)
        if ANALYSIS.kind in container.kinds:
            warm_up(container.catalogue, container.engine)
    except (Permanent, ValueError) as error:
        code = getattr(error, "code", "wrong_setting")
        _LOG.error("start.failed", error=f"{code}: {error}")
        return WRONG_SETTINGS
    return work(container)


def beat(container: Container, lone: LoneSlot) -> None:
    """Keep the leases of what runs; end the process where everything hangs.

    A decoder that hangs costs a thread, since no thread can be stopped from outside. Once it has
    cost all of them, this worker would live and hear nothing: whoever supervises it starts another.
    The lone slot counts while it runs something: it may be what hangs, or what goes on.
    """
    states = {name.value: one.state.value for name, one in container.dependencies.breakers.items()}
    container.leases.beat(breakers=states, draining=container.drain.stopping)
    hanging = container.leases.given_up
    if hanging >= container.settings.worker.max_slots + lone.drains:
        _LOG.critical("worker.hung", threads=hanging)
        logging.shutdown()
        os._exit(ALL_HANG)


def work(container: Container) -> int:
    """Consume until told to stop, with heartbeat, reconciler and metrics beside it."""
    settings, metrics = container.settings, container.metrics
    timers = Timers(on_error=metrics.error)
    timers.every(_BREAKERS_S, "breakers", container.dependencies.look)
    consumer = Consumer(
        container.celery,
        container.drain,
        metrics,
        name=settings.worker.name,
        concurrency=settings.worker.max_slots,
        queues=served_queues(settings.worker.priorities, container.kinds),
        ready_file=settings.worker.ready_file,
    )
    lone = LoneSlot(consumer.hear_alone)
    timers.every(settings.queue.heartbeat_seconds, "heartbeat", lambda: beat(container, lone))

    def reconcile() -> None:
        done = container.reconcile()
        metrics.reconciled(done)
        if done.broker_down or consumer.waits_for_broker:
            lone.wake()

    timers.every(
        settings.queue.reconcile_seconds, "reconciler", reconcile, jitter=_RECONCILE_JITTER
    )
    endpoint = served(metrics.registry, settings.metrics.host, settings.metrics.port)
    # The consumer leaves first, and films are in flight until it has: the heartbeat goes on.
    with endpoint, timers, lone:
        return consumer.run()
