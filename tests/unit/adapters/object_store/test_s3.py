"""S3 endpoints that misbehave, played by a small HTTP server."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from hilum.adapters.object_store.object_store import open_object_store
from hilum.adapters.object_store.s3 import S3ObjectStore
from hilum.domain.errors import ObjectMissing, ObjectStoreUnavailable

SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Please reduce your rate</Message></Error>"
DENIED = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
NO_KEY = b"<Error><Code>NoSuchKey</Code><Message>No such key</Message><Key>film</Key></Error>"


@dataclass(frozen=True)
class Answer:
    """What the endpoint answers, and after which event, if any.

    A length that is larger than the body breaks the transfer off.
    """

    status: int = 200
    body: bytes = b""
    media_type: str = "application/xml"
    length: int | None = None
    after: threading.Event | None = None


@dataclass
class Endpoint:
    """A server that gives prepared answers, the last one for ever."""

    port: int
    answers: deque[Answer] = field(default_factory=lambda: deque([Answer()]))
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    def store(self, **options: float) -> S3ObjectStore:
        """A store on it."""
        return S3ObjectStore(
            f"127.0.0.1:{self.port}",
            access_key="KEY",
            secret_key="SECRET",
            bucket="films",
            secure=False,
            **options,
        )


@pytest.fixture
def endpoint():
    """A running endpoint that answers 200 with nothing."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            played.requests.append((self.command, self.path, dict(self.headers)))
            answer = played.answers[0] if len(played.answers) == 1 else played.answers.popleft()
            if answer.after is not None:
                answer.after.wait()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.media_type)
            self.send_header("Content-Length", str(answer.length or len(answer.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)
            self.close_connection = answer.length is not None

        do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = handle_any  # noqa: N815 - http.server's

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    played = Endpoint(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield played
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Answer(503, SLOW_DOWN), "SlowDown"),
        (Answer(403, DENIED), "AccessDenied"),
        (Answer(502, b"<html>Bad gateway</html>", "text/html"), "server error"),
        (Answer(500), "server error"),
        (Answer(400), "server error"),
    ],
)
def test_an_endpoint_that_refuses_is_unavailable(endpoint, answer, told):
    """Overload, missing rights and a broken proxy are told apart in the text, not by class."""
    endpoint.answers = deque([answer])
    with pytest.raises(ObjectStoreUnavailable, match=told):
        endpoint.store().get("film")
    with pytest.raises(ObjectStoreUnavailable, match=told):
        endpoint.store().put("film", [b"x"], media_type="image/png")


def test_a_missing_object_is_named(endpoint):
    """The error names the key that a row holds."""
    endpoint.answers = deque([Answer(404, NO_KEY)])
    with pytest.raises(ObjectMissing, match="film"):
        endpoint.store().get("film")


def test_one_hiccup_is_not_noticed(endpoint):
    """A server that is overloaded for a moment is asked once more."""
    endpoint.answers = deque([Answer(503, SLOW_DOWN), Answer(200, b"a film")])
    assert endpoint.store().get("film") == b"a film"


def test_a_long_overload_is_not_waited_for(endpoint):
    """Two refusals are an answer: whoever asked can come back later."""
    endpoint.answers = deque([Answer(503, SLOW_DOWN)])
    with pytest.raises(ObjectStoreUnavailable):
        endpoint.store().get("film")
    assert len(endpoint.requests) == 2


@pytest.mark.parametrize(
    "read", [lambda store: store.get("film"), lambda store: b"".join(store.stream("film"))]
)
def test_an_object_that_breaks_off_is_an_outage(endpoint, read):
    """A film that arrives shorter than announced is never taken for the film."""
    endpoint.answers = deque([Answer(200, b"half", length=8)])
    with pytest.raises(ObjectStoreUnavailable):
        read(endpoint.store())


def test_a_silent_endpoint_is_not_waited_for(endpoint):
    """A server that accepts and says nothing is given up after the read timeout, once repeated."""
    over = threading.Event()
    endpoint.answers = deque([Answer(after=over)])
    try:
        with pytest.raises(ObjectStoreUnavailable):
            endpoint.store(read_timeout_s=0.05).check()
    finally:
        over.set()


def test_credentials_are_percent_decoded(endpoint):
    """A key with a slash or an at sign can stand in an address."""
    open_object_store(
        f"s3://k%2Fe%40y:se%2Fcret@127.0.0.1:{endpoint.port}/films?secure=false&region=eu-central-1"
    ).check()
    method, path, headers = endpoint.requests[-1]
    assert (method, path) == ("HEAD", "/films")
    assert "Credential=k/e@y/" in headers["Authorization"]
    assert "/eu-central-1/s3/" in headers["Authorization"]


def test_a_film_is_one_request(endpoint):
    """What fits into one part is sent at once, with its length and media type."""
    endpoint.store().put("film", [b"ab", b"cd"], media_type="image/png")
    [(method, path, headers)] = endpoint.requests
    assert (method, path) == ("PUT", "/films/film")
    assert headers["Content-Length"] == "4"
    assert headers["Content-Type"] == "image/png"
