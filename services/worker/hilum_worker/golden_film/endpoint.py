"""``/ready``, ``/alive`` and ``/metrics`` over HTTP."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hilum_worker.golden_film.look import GoldenFilms


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(
        self, address: tuple[str, int], films: GoldenFilms, build_metrics: Path | None
    ) -> None:
        super().__init__(address, _Handler)
        self.films = films
        self.build_metrics = build_metrics

    def metrics(self) -> bytes:
        """Our own, and what the build of the engines left: it ended before anybody could ask it."""
        told = generate_latest(self.films.metrics.registry)
        if self.build_metrics is not None:
            with suppress(FileNotFoundError):
                told += self.build_metrics.read_bytes()
        return told


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 10  # of a client that connects and says nothing

    def do_GET(self) -> None:
        """Answer a probe."""
        server = self.server
        verdict = server.films.verdict
        if self.path == "/ready":
            self._probe(verdict.ready)
        elif self.path == "/alive":
            self._probe(verdict.alive)
        elif self.path == "/metrics":
            self._send(HTTPStatus.OK, CONTENT_TYPE_LATEST, server.metrics())
        else:
            self._send(HTTPStatus.NOT_FOUND, "text/plain", b"/ready, /alive, /metrics\n")

    def _probe(self, good: bool) -> None:  # noqa: FBT001 - the answer itself
        verdict = self.server.films.verdict
        body = {
            "finding": verdict.finding,
            "reason": verdict.reason,
            "wrong_in_a_row": verdict.wrong_in_a_row,
        }
        status = HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE
        self._send(status, "application/json", json.dumps(body).encode() + b"\n")

    def _send(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Probes come every few seconds; nobody wants to read of them."""


@contextmanager
def endpoint(
    films: GoldenFilms, host: str, port: int, build_metrics: Path | None = None
) -> Iterator[int]:
    """Answer probes for as long as the block runs.

    Args:
        films: What is told.
        host: Address to listen on.
        port: 0 takes a free one.
        build_metrics: What ``hilum-engine build --metrics`` wrote, given out with our own; need not
            be there.

    Yields:
        The port.
    """
    server = _Server((host, port), films, build_metrics)
    thread = threading.Thread(target=server.serve_forever, name="probes", daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
