"""What a process tells Prometheus, and the endpoint where it does.

Nothing is global: each application has a registry of its own.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from socket import AI_PASSIVE, SOCK_STREAM, getaddrinfo
from typing import TYPE_CHECKING, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import (
    CollectorRegistry,
    Metric,
    ProcessCollector,
    disable_created_metrics,
    make_wsgi_app,
)
from prometheus_client.exposition import ThreadingWSGIServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from wsgiref.types import WSGIApplication

OLD_NAMES: Final[Mapping[str, str]] = {
    "hilum_images": "hilum_films",
    "hilum_http_request_duration_seconds": "hilum_http_request_seconds",
    "hilum_known_answer_ready": "hilum_golden_film_ready",
    "hilum_known_answer_looks": "hilum_golden_film_looks_total",
    "hilum_known_answer_seconds": "hilum_golden_film_seconds",
    "hilum_known_answer_deviation": "hilum_golden_film_deviation",
}
"""By the name of a metric, the one that it had before; told beside it for one release."""


class MetricsRegistry(CollectorRegistry):
    """A registry that has the figures of its process and tells renamed metrics twice."""

    def __init__(self) -> None:
        super().__init__()
        # Otherwise a second series stands beside every counter, and nobody reads it.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        ProcessCollector(registry=self)

    def collect(self) -> Iterable[Metric]:
        """Return every metric, each renamed one followed by its copy under the old name."""
        for metric in super().collect():
            yield metric
            if old := OLD_NAMES.get(metric.name):
                yield _renamed(metric, old.removesuffix("_total"))


def _renamed(metric: Metric, old: str) -> Metric:
    copy = Metric(old, f"Old name of {metric.name}, for one release.", metric.type)
    copy.samples = [
        sample._replace(name=old + sample.name.removeprefix(metric.name))
        for sample in metric.samples
    ]
    return copy


@contextmanager
def served(
    registry: MetricsRegistry,
    host: str,
    port: int | None,
    around: Callable[[WSGIApplication], WSGIApplication] | None = None,
) -> Iterator[int | None]:
    """Serve metrics over HTTP for as long as the block runs, if there is a port.

    Args:
        registry: What is served.
        host: Address to listen on.
        port: 0 takes a free one.
        around: Makes the application that is served out of that of the metrics.

    Yields:
        The port that is listened on, or None.

    Raises:
        OSError: It cannot be listened on.
    """
    if port is None:
        yield None
        return
    application = make_wsgi_app(registry)
    server = _server(host, port, application if around is None else around(application))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _server(host: str, port: int, application: WSGIApplication) -> WSGIServer:
    """Bind a server. The library's own answers from its start, before an application is set."""
    family, *_, address = getaddrinfo(host, port, type=SOCK_STREAM, flags=AI_PASSIVE)[0]

    class Bound(ThreadingWSGIServer):
        address_family = family

    return make_server(str(address[0]), port, application, Bound, handler_class=_Silent)


class _Silent(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Write no access log."""
