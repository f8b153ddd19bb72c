"""A data set that is on its way."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import ReadableBuffer

    from hilum_listener.network.limits import BytesInFlight


class ReceivedObject(BytesIO):
    """Keeps what fits into the limit, and counts all.

    Attributes:
        size: Bytes that came.
    """

    def __init__(
        self, limit: int, in_flight: BytesInFlight, on_bytes: Callable[[int], None]
    ) -> None:
        super().__init__()
        self._limit = limit
        self._in_flight = in_flight
        self._on_bytes = on_bytes
        self.size = 0

    __hash__ = object.__hash__

    @property
    def too_large(self) -> bool:
        """Return whether more came than is kept."""
        return self.size > self._limit

    def write(self, data: ReadableBuffer, /) -> int:
        """Keep a fragment. Beyond the limit nothing of the object is kept any longer."""
        count = memoryview(data).nbytes
        self.size += count
        self._on_bytes(count)
        if not self.too_large:
            self._in_flight.add(self, count)
            return super().write(data)
        self.release()
        return count

    def take(self) -> bytes:
        """Return the bytes, and hold them no longer."""
        content = self.getvalue()
        self.seek(0)
        self.truncate()
        return content

    def release(self) -> None:
        """Drop the bytes, and count them no longer."""
        self.seek(0)
        self.truncate()
        self._in_flight.release(self)


class CommandTooLong(Exception):
    """A command set is longer than any is."""


class ReceivedCommand(BytesIO):
    """A command set that is on its way."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit

    def write(self, data: ReadableBuffer, /) -> int:
        """Keep a fragment.

        Raises:
            CommandTooLong: There is no end of it.
        """
        if self.tell() + memoryview(data).nbytes > self._limit:
            raise CommandTooLong
        return super().write(data)
