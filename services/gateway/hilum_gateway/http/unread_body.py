"""What to do with the rest of a body when the answer is ready before it was read.

A refused upload is still on its way when the refusal is written. Closing the connection at once
makes the client's system throw the answer away (RFC 9112 section 9.6); reading gigabytes for
nothing is no better. So a little is read and dropped, and if that was not all, the connection is
closed after the answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import anyio

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope

_DROPPED_BYTES: Final = 4 * 1024 * 1024
_DROPPED_WITHIN_S: Final = 2.0


class BodyWatch:
    """Stands between the server and the application and sees how far the body was read."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        names = {name for name, _ in scope["headers"]}
        length = next((v for k, v in scope["headers"] if k == b"content-length"), b"0")
        self._receive = receive
        self._ended = length == b"0" and b"transfer-encoding" not in names
        # Asking for the body would tell the client to send it (RFC 9110 section 10.1.1).
        self._awaits_permission = b"expect" in names

    async def receive(self) -> Message:
        """Pass on what the server gives."""
        message = await self._receive()
        self._awaits_permission = False
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            self._ended = True
        return message

    async def settle(self) -> bool:
        """Drop a bounded rest of the body; whether all of it has been read now."""
        if self._ended or self._awaits_permission:
            return self._ended
        dropped = 0
        with anyio.move_on_after(_DROPPED_WITHIN_S):
            while not self._ended and dropped < _DROPPED_BYTES:
                dropped += len((await self.receive()).get("body", b""))
        return self._ended
