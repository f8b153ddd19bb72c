"""The body of an upload as it comes: counted, timed, and read in large pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import anyio
from anyio import current_time
from starlette.requests import ClientDisconnect

from hilum.domain.errors import InvalidRequest, RequestTooLarge, UploadTooSlow

if TYPE_CHECKING:
    from starlette.requests import Request

PIECE_BYTES: Final = 320 * 1024
"""Each piece costs the worker thread a visit to the event loop, so pieces are large: what the film
reader wants to see at the door fits into the first one, with the form's headers before it."""


class RequestBody:
    """One body, read once.

    Attributes:
        ended: Whether all of it has been read.
    """

    def __init__(
        self, request: Request, *, max_bytes: int, stall_s: float, least_rate: float = 0.0
    ) -> None:
        """Take a request's body; nothing is read yet.

        Args:
            request: The request.
            max_bytes: Largest body.
            stall_s: Longest wait for a piece, in seconds.
            least_rate: Least rate over the whole body, in bytes per second. The first ``stall_s``
                seconds and the time in which nobody reads are left out.

        Raises:
            RequestTooLarge: Its Content-Length says so already.
        """
        self._receive = request.receive
        self._max_bytes = max_bytes
        self._stall_s = stall_s
        self._least_rate = least_rate
        self._waited_s = 0.0
        self._size = 0
        self.ended = False
        declared = request.headers.get("content-length", "")
        # The server has checked that it is a number; without it the bytes are counted.
        if declared.isdecimal() and int(declared) > max_bytes:
            raise self._too_large()

    async def read(self) -> bytes:
        """The next piece, :data:`PIECE_BYTES` or more but for the last; empty at the end.

        Raises:
            RequestTooLarge: More came than allowed.
            InvalidRequest: The next piece does not come.
            UploadTooSlow: The whole body comes too slowly.
            ClientDisconnect: The client went away.
        """
        pieces: list[bytes] = []
        held = 0
        began = current_time()
        try:
            with anyio.fail_after(self._stall_s):
                while held < PIECE_BYTES and not self.ended:
                    piece = await self._next()
                    pieces.append(piece)
                    held += len(piece)
        except TimeoutError:
            raise InvalidRequest(
                f"the next {PIECE_BYTES} bytes did not come within {self._stall_s:g} s"
            ) from None
        self._waited_s += current_time() - began
        if not self.ended and self._size < self._least_rate * (self._waited_s - self._stall_s):
            raise UploadTooSlow(
                f"{self._size} bytes came in {self._waited_s:.0f} s; an upload has at least "
                f"{self._least_rate:g} bytes per second"
            )
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def _next(self) -> bytes:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        piece: bytes = message.get("body", b"")
        self.ended = not message.get("more_body", False)
        self._size += len(piece)
        if self._size > self._max_bytes:
            raise self._too_large()
        return piece

    def _too_large(self) -> RequestTooLarge:
        return RequestTooLarge(f"a request may have at most {self._max_bytes} bytes")
