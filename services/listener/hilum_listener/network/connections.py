"""The connections of a process: how many there may be, and which goes where there are too many."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from hilum_listener.network.limits import BytesInFlight
from hilum_listener.rejections import Reason

if TYPE_CHECKING:
    from hilum_listener.network.conversation import Conversation
    from hilum_listener.network.limits import Limits


class Connections:
    """Counts associations, and connections that have none yet.

    A connection without an association is cheap to open and says nothing about who is behind it.
    Where there are too many of them, the oldest ends: whoever means it has asked by then.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.in_flight = BytesInFlight(limits.max_bytes_in_flight)
        self.draining = threading.Event()
        self._greeting: dict[Conversation, None] = {}
        self._associated: set[Conversation] = set()
        self._changed = threading.Condition()

    @property
    def associations(self) -> int:
        """Return how many associations there are."""
        return len(self._associated)

    def begin(self, conversation: Conversation) -> None:
        """Count a new connection."""
        with self._changed:
            self._greeting[conversation] = None
            oldest = None
            if len(self._greeting) > self.limits.max_associations:
                oldest = next(iter(self._greeting))
                del self._greeting[oldest]
        if oldest is not None:
            oldest.end_for(Reason.CROWDED_OUT)
            with suppress(OSError):
                oldest.connection.shutdown(socket.SHUT_RDWR)

    def associate(self, conversation: Conversation) -> Reason | None:
        """Count an association, or return why there is to be none."""
        with self._changed:
            if self.draining.is_set():
                return Reason.SHUTTING_DOWN
            if len(self._associated) >= self.limits.max_associations:
                return Reason.TOO_MANY_ASSOCIATIONS
            self._greeting.pop(conversation, None)
            self._associated.add(conversation)
            return None

    def end(self, conversation: Conversation) -> None:
        """Forget a connection."""
        with self._changed:
            self._greeting.pop(conversation, None)
            self._associated.discard(conversation)
            self._changed.notify_all()

    def drain(self, within_s: float) -> bool:
        """Have running requests finished and no new ones; are all connections gone in time?"""
        self.draining.set()
        with self._changed:
            for conversation in self._greeting:
                with suppress(OSError):
                    conversation.connection.shutdown(socket.SHUT_RDWR)
            return self._changed.wait_for(
                lambda: not (self._greeting or self._associated), within_s
            )
