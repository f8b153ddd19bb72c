"""A task queue of each kind, and what makes its broker go, come back and forget."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Self

import pytest
import redis

from hilum.adapters.task_queue.celery_app import create_celery
from hilum.adapters.task_queue.celery_queue import CeleryTaskQueue
from tests.contract.queue_consumer import Listener
from tests.contract.task_queue.linked_folder import LinkedFolder
from tests.fakes.task_queue import RecordingTaskQueue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hilum.application.ports.task_queue import TaskQueue
    from hilum.domain.job import Priority
    from hilum_stack.redis import RedisServer

REAL = [pytest.param("redis", marks=pytest.mark.real)]


@dataclass(frozen=True)
class Broker:
    """A queue, who listens to it, and what makes its broker go, come back and forget."""

    queue: TaskQueue
    listen: Callable[..., Listener | FakeListener]
    stop: Callable[[], object]
    start: Callable[[], object]
    flush: Callable[[], object]


class FakeListener:
    """Takes the wake-ups of a fake."""

    def __init__(self, fake: RecordingTaskQueue) -> None:
        self._fake = fake

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing runs."""

    def taken(self, count: int) -> list[Priority | None]:
        """The queues of the next wake-ups."""
        return [self._fake.hear() for _ in range(count)]


def fake_broker() -> Broker:
    """In memory."""
    fake = RecordingTaskQueue()
    return Broker(
        fake,
        listen=lambda: FakeListener(fake),
        stop=lambda: setattr(fake, "available", False),
        start=lambda: setattr(fake, "available", True),
        flush=fake.flush,
    )


def folder_broker(parent: Path) -> Broker:
    """Celery's filesystem transport."""
    folder = LinkedFolder(parent)

    def flush() -> None:
        for message in folder.path.glob("*/*.msg"):
            message.unlink()

    return Broker(
        CeleryTaskQueue(create_celery(folder.url)),
        partial(Listener, folder.url),
        stop=folder.stop,
        start=folder.start,
        flush=flush,
    )


@contextmanager
def redis_broker(server: RedisServer) -> Iterator[Broker]:
    """A database of a real Redis."""
    url = server.url

    def flush() -> None:
        with redis.Redis.from_url(url) as client:
            client.flushall()

    flush()
    yield Broker(
        CeleryTaskQueue(create_celery(url)),
        partial(Listener, url),
        stop=server.kill,
        start=server.launch,
        flush=flush,
    )
    if not server.running:
        server.launch()


def take_all(listener: Listener | FakeListener, count: int, priority: Priority) -> None:
    """Listen until this many wake-ups of a queue were taken.

    Others may come between: a wake-up that was not acknowledged before an outage comes again.
    """
    while count:
        count -= listener.taken(1) == [priority]
