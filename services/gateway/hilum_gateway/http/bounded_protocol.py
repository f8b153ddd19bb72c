"""HTTP connections that may not be held open for nothing.

uvicorn bounds the pause between two requests. It bounds neither the time that the head of a
request takes nor its size, nor the connections of one address.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio

    from hilum.runtime.setting_groups import Http

MAX_HEAD_BYTES: Final = 64 * 1024


def bounded_protocol(http: Http) -> type[HttpToolsProtocol]:
    """The protocol of one server, with its limits and its own count of connections.

    Args:
        http: ``header_timeout_seconds`` and ``max_connections_per_address``.
    """
    return type(
        "BoundedProtocol",
        (_BoundedProtocol,),
        {
            "timeout_s": http.header_timeout_seconds,
            "most_of_an_address": http.max_connections_per_address,
            "open_by_address": Counter(),
        },
    )


class _BoundedProtocol(HttpToolsProtocol):
    """Closes a connection whose request does not come, and those over an address's share.

    Attributes:
        timeout_s: Longest time from the first byte of a request, or from the connection, to the
            end of its head, in seconds.
        most_of_an_address: Connections of one address.
        open_by_address: Those that are open.
    """

    timeout_s: float
    most_of_an_address: int
    open_by_address: Counter[str]

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._head_timer: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        self._address = ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin a connection, or refuse it."""
        super().connection_made(transport)
        self._address = self.client[0] if self.client else ""
        self.open_by_address[self._address] += 1
        if self.open_by_address[self._address] > self.most_of_an_address:
            transport.close()
            return
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._head_is_here()
        self.open_by_address[self._address] -= 1
        if not self.open_by_address[self._address]:
            del self.open_by_address[self._address]
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse bytes, and refuse a head that grows without an end."""
        super().data_received(data)
        if self._head_timer is None:
            return
        self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD_BYTES:
            self._head_is_here()
            self.send_400_response("The head of the request is too long.")

    def on_message_begin(self) -> None:
        """Begin to wait for the head of a further request."""
        super().on_message_begin()
        if self._head_timer is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        """End the wait."""
        self._head_is_here()
        super().on_headers_complete()

    def _await_head(self) -> None:
        self._head_bytes = 0
        self._head_timer = self.loop.call_later(self.timeout_s, self._end)

    def _head_is_here(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _end(self) -> None:
        self._head_timer = None
        if not self.transport.is_closing():
            self.transport.close()
