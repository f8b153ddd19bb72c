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

    from hilum_worker.golden_film.look import GoldenFilms


def endpoint(
    films: GoldenFilms, host: str, port: int, build_metrics: Path | None = None
) -> AbstractContextManager[int | None]:
    """Answer probes for as long as the block runs; yields the port.

    Args:
        films: What is told.
        host: Address to listen on.
        port: 0 takes a free one.
        build_metrics: What ``hilum-engine build --metrics`` wrote, given out with our own; need not
            be there.
    """
    registry = films.metrics.registry
    if build_metrics is not None:
        registry.register(_TextFile(build_metrics))
    return served(registry, host, port, around=lambda metrics: _Probes(films, metrics))


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
    """The verdict as a WSGI application, and the metrics beside it."""

    def __init__(self, films: GoldenFilms, metrics: WSGIApplication) -> None:
        self._films = films
        self._metrics = metrics

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer a probe."""
        path, verdict = environ["PATH_INFO"], self._films.verdict
        if path == "/metrics":
            return self._metrics(environ, start)
        if path not in {"/ready", "/alive"}:
            return _answer(start, HTTPStatus.NOT_FOUND, "text/plain", "/ready, /alive, /metrics")
        good = verdict.ready if path == "/ready" else verdict.alive
        body = {
            "finding": verdict.finding,
            "reason": verdict.reason,
            "wrong_in_a_row": verdict.wrong_in_a_row,
        }
        status = HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE
        return _answer(start, status, "application/json", json.dumps(body))


def _answer(start: StartResponse, status: HTTPStatus, kind: str, text: str) -> Iterable[bytes]:
    body = text.encode() + b"\n"
    headers = [("Content-Type", kind), ("Content-Length", str(len(body)))]
    start(f"{status.value} {status.phrase}", headers)
    return [body]
