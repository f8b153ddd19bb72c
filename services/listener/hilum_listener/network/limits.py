"""Bounds that every connection of a process shares."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Final

STEP_BYTES: Final = 64 * 1024
"""So much of an object has to come within the timeout."""

MOST_COMMAND_BYTES: Final = 64 * 1024
"""Most bytes of a command set. Those of C-STORE have some 300."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one process.

    Attributes:
        max_associations: Most associations at once.
        max_object_bytes: Largest data set that is kept.
        max_bytes_in_flight: Most bytes of data sets that are held.
        max_pdu_bytes: Longest PDU.
        timeout_s: For a handshake, an association request and each step of an object.
        idle_timeout_s: Between two requests.
    """

    max_associations: int
    max_object_bytes: int
    max_bytes_in_flight: int
    max_pdu_bytes: int
    timeout_s: float
    idle_timeout_s: float


class BytesInFlight:
    """Counts the bytes of objects that are held. The oldest object is never held up."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: dict[object, int] = {}
        self._total = 0
        self._lock = threading.Lock()

    @property
    def total(self) -> int:
        """Return the bytes that are held."""
        return self._total

    def has_room(self, holder: object | None) -> bool:
        """Return whether an object may grow; None asks for one that has not begun."""
        with self._lock:
            oldest = next(iter(self._held), None)
            return self._total < self._limit or (holder is not None and holder is oldest)

    def add(self, holder: object, count: int) -> None:
        """Count bytes of an object."""
        with self._lock:
            self._held[holder] = self._held.get(holder, 0) + count
            self._total += count

    def release(self, holder: object) -> None:
        """Forget an object."""
        with self._lock:
            self._total -= self._held.pop(holder, 0)
