"""Celery's Redis transport, which keeps consuming after an outage while its slots were busy.

A worker whose slots are all busy asks Redis for nothing, so it does not notice that Redis is gone.
It notices when a slot ends and its message cannot be acknowledged. Kombu 5.7 logs that and keeps
the message among those in hand. With a pool of threads nothing ever takes it out: the worker
believes that it is busy, asks for nothing, and takes no wake-up until somebody restarts it (seen:
every time, with Redis killed while two threads ran two jobs).

Here a message leaves the hand whether or not Redis can be told. The worker then asks for the next
one, finds the connection broken, and connects again. Redis gives the unacknowledged message out
once more after its visibility timeout: a wake-up too many, which finds nothing to claim.

An error reply (READONLY after a failover, OOM, MISCONF, MASTERDOWN) is a broker that is down, too.
To kombu it is an error of the channel, and Celery ends the worker for it. Here it is an error of
the connection, and a new connection counts only once Redis has taken a key. So the worker waits
for Redis as it does for one that is gone.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

from kombu.transport import redis, virtual
from redis.exceptions import ResponseError

_DOWN: Final = (*redis.Transport.connection_errors, ResponseError)


class QoS(redis.QoS):
    """Messages in hand, at most as many as the worker has slots."""

    def ack(self, delivery_tag: str) -> None:
        """Acknowledge a message."""
        try:
            super().ack(delivery_tag)
        except _DOWN:
            virtual.QoS.ack(self, delivery_tag)
            raise

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:  # noqa: FBT001, FBT002 - kombu's
        """Refuse a message, and put it back if asked to."""
        try:
            super().reject(delivery_tag, requeue=requeue)
        except _DOWN:
            virtual.QoS.ack(self, delivery_tag)
            raise


class Channel(redis.Channel):
    """A channel with :class:`QoS`."""

    QoS: ClassVar[type[QoS]] = QoS

    def check(self) -> None:
        """Write a key. A replica, or a Redis that is full, answers what reads alone."""
        with self.conn_or_acquire() as client:
            client.set("hilum.check", "", ex=1)


class Transport(redis.Transport):
    """``redis://`` and ``rediss://`` with :class:`Channel`."""

    Channel: ClassVar[type[Channel]] = Channel
    connection_errors = _DOWN

    def establish_connection(self) -> Any:
        """Connect to a Redis that takes messages."""
        connection = super().establish_connection()
        self._avail_channels[-1].check()
        return connection
