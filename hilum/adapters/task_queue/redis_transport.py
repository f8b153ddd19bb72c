"""Celery's Redis transport, which keeps consuming after an outage while its slots were busy.

A worker whose slots are all busy asks Redis for nothing, so it does not notice that Redis is gone.
It notices when a slot ends and its message cannot be acknowledged. Kombu 5.7 logs that and keeps
the message among those in hand. With a pool of threads nothing ever takes it out: the worker
believes that it is busy, asks for nothing, and takes no wake-up until somebody restarts it (seen:
every time, with Redis killed while two threads ran two jobs).

Here a message leaves the hand whether or not Redis can be told. The worker then asks for the next
one, finds the connection broken, and connects again. Redis gives the unacknowledged message out
once more after its visibility timeout: a wake-up too many, which finds nothing to claim.
"""

from __future__ import annotations

from typing import ClassVar

from kombu.transport import redis, virtual


class QoS(redis.QoS):
    """Messages in hand, at most as many as the worker has slots."""

    def ack(self, delivery_tag: str) -> None:
        """Acknowledge a message."""
        try:
            super().ack(delivery_tag)
        except redis.Transport.connection_errors:
            virtual.QoS.ack(self, delivery_tag)
            raise

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:  # noqa: FBT001, FBT002 - kombu's
        """Refuse a message, and put it back if asked to."""
        try:
            super().reject(delivery_tag, requeue=requeue)
        except redis.Transport.connection_errors:
            virtual.QoS.ack(self, delivery_tag)
            raise


class Channel(redis.Channel):
    """A channel with :class:`QoS`."""

    QoS: ClassVar[type[QoS]] = QoS


class Transport(redis.Transport):
    """``redis://`` and ``rediss://`` with :class:`Channel`."""

    Channel: ClassVar[type[Channel]] = Channel
