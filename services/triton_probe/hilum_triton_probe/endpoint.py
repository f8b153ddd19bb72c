"""``/ready``, ``/alive`` and ``/metrics`` over HTTP."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager, suppress
from http import HTTPStatus
from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from hilum.runtime.metrics import served

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from prometheus_client import Metric

    from hilum_triton_probe.known_answers import KnownAnswerTest


def endpoint(
    test: KnownAnswerTest, host: str, port: int, build_metrics: Path | None = None
) -> AbstractContextManager[int | None]:
    """Answer probes for as long as the block runs; yields the port.

    Args:
        test: Its status and metrics are told.
        host: Address to listen on.
        port: 0 takes a free one.
        build_metrics: What ``hilum-engine build --metrics`` wrote, given out with our own; need not
            be there.
    """
    registry = test.metrics.registry
    if build_metrics is not None:
        registry.register(_TextFile(build_metrics))
    return served(registry, host, port, around=lambda metrics: _Probes(test, metrics))


class _TextFile(Collector):
    """Metrics of a process that ended before anybody could ask it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def collect(self) -> Iterable[Metric]:
        """Return what the file holds now, if there is one."""
        with suppress(FileNotFoundError):
            return list(text_string_to_metric_families(self._path.read_text(encoding="utf-8")))
        return ()


class _Probes:
    """The status as a WSGI application, and the metrics beside it."""

    def __init__(self, test: KnownAnswerTest, metrics: WSGIApplication) -> None:
        self._test = test
        self._metrics = metrics

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer a probe."""
        path, status = environ["PATH_INFO"], self._test.status
        if path == "/metrics":
            return self._metrics(environ, start)
        if path not in {"/ready", "/alive"}:
            return _answer(start, HTTPStatus.NOT_FOUND, "text/plain", "/ready, /alive, /metrics")
        good = status.ready if path == "/ready" else status.alive
        body = {
            "finding": status.outcome,
            "reason": status.reason,
            "wrong_in_a_row": status.wrong_in_a_row,
        }
        code = HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE
        return _answer(start, code, "application/json", json.dumps(body))


def _answer(start: StartResponse, code: HTTPStatus, kind: str, text: str) -> Iterable[bytes]:
    body = text.encode() + b"\n"
    headers = [("Content-Type", kind), ("Content-Length", str(len(body)))]
    start(f"{code.value} {code.phrase}", headers)
    return [body]
