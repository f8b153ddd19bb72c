"""Wake-ups through Celery: on Redis, or in a folder."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, TypeVar

from kombu.exceptions import KombuError
from redis.exceptions import RedisError, ResponseError

from hilum.application.queue.messages import WAKE_TASK, queue_of
from hilum.domain.errors import BrokerUnavailable
from hilum.domain.job import ANALYSIS
from hilum.domain.work import Priority

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from celery import Celery
    from kombu import Producer

    from hilum.domain.job import Priority

T = TypeVar("T")

_DOWN: Final = (KombuError, RedisError, OSError)
_STALE_WITHIN_S: Final = 0.5
_POOL_WAIT_S: Final = 2.0


class CeleryTaskQueue:
    """Publishes through Celery's connection pool; safe to share between threads."""

    def __init__(self, app: Celery, trace_headers: Callable[[], Mapping[str, str]] = dict) -> None:
        """Publish through an application that :func:`create_celery` made.

        Args:
            app: The application.
            trace_headers: Trace context of the publisher, which goes with each wake-up.
        """
        self._app = app
        self._trace_headers = trace_headers

    def wake(self, priorities: Sequence[Priority], kind: str = ANALYSIS.kind) -> None:
        """Publish wake-ups in one round trip to Redis. See the port.

        If it raises, some may have been published. Publishing all of them again is harmless.
        """
        if not priorities:
            return

        headers = dict(self._trace_headers())

        def publish(producer: Producer) -> None:
            with producer.batch():
                for priority in priorities:
                    queue = queue_of(kind, priority)
                    payload = {"queue": queue.removeprefix("hilum.")}
                    self._app.send_task(
                        WAKE_TASK, kwargs=payload, queue=queue, producer=producer, headers=headers
                    )

        self._with_producer(publish)

    def waiting(self, priority: Priority, kind: str = ANALYSIS.kind) -> int:
        """Return the number of wake-ups that no worker has taken yet. See the port."""

        def count(producer: Producer) -> int:
            declared = producer.channel.queue_declare(queue=queue_of(kind, priority), durable=True)
            return int(declared.message_count)

        return self._with_producer(count)

    def check(self) -> None:
        """Write to the broker. See the port."""
        self._with_producer(lambda producer: producer.channel.check())

    def _with_producer(self, action: Callable[[Producer], T]) -> T:
        """Do something with a pooled connection.

        A pooled connection may have died while nobody used it, when Redis was restarted say. That
        shows at once, and a second attempt, on a new connection, succeeds. What fails slowly is
        down: to try again would only keep the caller waiting.
        """
        began = time.monotonic()
        try:
            return self._attempt(action)
        except _DOWN as error:
            if time.monotonic() - began > _STALE_WITHIN_S:
                raise BrokerUnavailable(_told(error)) from error
        try:
            return self._attempt(action)
        except _DOWN as error:
            raise BrokerUnavailable(_told(error)) from error

    def _attempt(self, action: Callable[[Producer], T]) -> T:
        with self._app.producer_pool.acquire(block=True, timeout=_POOL_WAIT_S) as producer:
            try:
                return action(producer)
            except _DOWN:
                # The pool would hand the same broken connection to the next caller.
                producer.connection.collect()
                raise


def _told(error: BaseException) -> str:
    """Name the cause without the text of a reply, which repeats what was sent."""
    while isinstance(error, KombuError) and error.__cause__ is not None:
        error = error.__cause__
    word = getattr(error, "status_code", None)
    if word is None and isinstance(error, ResponseError):
        word = str(error).rpartition("caused error: ")[2].partition(" ")[0]
    if word is not None:
        return f"the broker refuses: {word}"
    return f"the broker does not answer: {type(error).__name__}"
