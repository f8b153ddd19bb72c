"""``/ready``, ``/alive`` and ``/metrics`` over HTTP."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


class Probes:
    """Answers whether associations are taken.

    Args:
        ready: Whether every process takes associations.
        metrics: What answers ``/metrics``.
    """

    def __init__(self, ready: Callable[[], bool], metrics: WSGIApplication) -> None:
        self._ready = ready
        self._metrics = metrics

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer a probe."""
        path = environ["PATH_INFO"]
        if path == "/metrics":
            return self._metrics(environ, start)
        status = HTTPStatus.OK
        if path == "/ready" and not self._ready():
            status = HTTPStatus.SERVICE_UNAVAILABLE
        elif path not in {"/ready", "/alive"}:
            status = HTTPStatus.NOT_FOUND
        body = f"{status.phrase}\n".encode()
        headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]
        start(f"{status.value} {status.phrase}", headers)
        return [body]
