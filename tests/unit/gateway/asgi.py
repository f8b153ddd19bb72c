"""One request spoken in ASGI, piece by piece: what a test client cannot do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import TracebackType

    from starlette.types import ASGIApp


class Exchange:
    """A request in progress: its body is sent, and its answer received, as the test likes."""

    def __init__(self, app: ASGIApp, method: str, path: str, **headers: str) -> None:
        path, _, query = path.partition("?")
        self._scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [
                (name.replace("_", "-").lower().encode(), value.encode())
                for name, value in headers.items()
            ],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 1),
        }
        self._app = app
        self._to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._from_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._text = ""

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(
            self._app(self._scope, self._to_app.get, self._from_app.put)  # type: ignore[arg-type]
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.disconnect()
        await self.over()

    def send(self, piece: bytes, *, more: bool = True) -> None:
        """Send a piece of the body."""
        self._to_app.put_nowait({"type": "http.request", "body": piece, "more_body": more})

    def disconnect(self) -> None:
        """Go away."""
        self._to_app.put_nowait({"type": "http.disconnect"})

    async def over(self) -> None:
        """Wait until the application is done with this request."""
        await asyncio.wait_for(self._task, 30)

    async def message(self) -> dict[str, Any]:
        """The next ASGI message of the answer."""
        return await asyncio.wait_for(self._from_app.get(), 30)

    async def status(self) -> int:
        """The status of the answer."""
        message = await self.message()
        assert message["type"] == "http.response.start"
        status: int = message["status"]
        return status

    async def event(self) -> dict[str, str] | None:
        """The next server-sent event as its fields; None at the end of the stream."""
        while "\r\n\r\n" not in self._text:
            message = await self.message()
            self._text += message["body"].decode()
            if not message.get("more_body"):
                return None
        block, _, self._text = self._text.partition("\r\n\r\n")
        fields = (line.partition(": ") for line in block.split("\r\n"))
        return {name or "comment": value for name, _, value in fields}
