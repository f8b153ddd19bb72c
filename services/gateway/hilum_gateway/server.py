"""The HTTP server around the application."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio.to_thread
import uvicorn

from hilum.runtime.certificates import Certificates
from hilum.runtime.tracing import flush_traces
from hilum_gateway.http.bounded_protocol import bounded_protocol

if TYPE_CHECKING:
    import socket

    from fastapi import FastAPI

    from hilum_gateway.wiring.settings import Settings


class Server(uvicorn.Server):
    """uvicorn, which ends event streams first when it stops.

    An event stream never ends by itself: waiting for it would use up the whole grace period while
    the uploads that deserve it were long done.
    """

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._application = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the event streams, stop as uvicorn does, and send the last spans."""
        self._application.state.changes.close()
        await super().shutdown(sockets)
        await anyio.to_thread.run_sync(flush_traces)


def create_server(app: FastAPI, settings: Settings) -> Server:
    """A server that is not running yet.

    Raises:
        OSError: Certificate or key cannot be loaded (``ssl.SSLError`` is one).
    """
    tls = None
    if settings.tls.certificate is not None and settings.tls.key is not None:
        tls = Certificates(
            settings.tls.certificate, settings.tls.key, protocols=["http/1.1"]
        ).context
    http = settings.http
    config = uvicorn.Config(
        app,
        host=http.host,
        port=http.port,
        http=bounded_protocol(http),
        limit_concurrency=http.max_connections,
        loop="uvloop",
        lifespan="on",
        log_config=None,  # the root logger writes JSON
        access_log=False,  # the application writes its own
        server_header=False,
        proxy_headers=bool(http.trusted_proxies),
        forwarded_allow_ips=http.trusted_proxies or None,
        ssl_context_factory=None if tls is None else lambda *_: tls,
        timeout_graceful_shutdown=http.shutdown_grace_seconds,
    )
    return Server(config, app)
