"""Reading a body from the client."""

from __future__ import annotations

import anyio
import pytest
from starlette.requests import ClientDisconnect, Request

from hilum.domain.errors import InvalidRequest, RequestTooLarge, UploadTooSlow
from hilum_gateway.http.request_body import PIECE_BYTES, RequestBody
from hilum_gateway.http.unread_body import BodyWatch

pytestmark = pytest.mark.anyio


def request_of(*pieces: bytes | None, declared: int | None = None) -> Request:
    """A request whose body comes in pieces; None is a client that goes away."""
    messages = [
        {"type": "http.disconnect"}
        if piece is None
        else {"type": "http.request", "body": piece, "more_body": i < len(pieces) - 1}
        for i, piece in enumerate(pieces)
    ]
    waiting = iter(messages)

    async def receive():
        message = next(waiting, None)
        if message is None:
            await anyio.sleep_forever()
        return message

    headers = [] if declared is None else [(b"content-length", str(declared).encode())]
    return Request({"type": "http", "headers": headers}, receive)


def body_of(request: Request, max_bytes: int = 1000, stall_s: float = 60) -> RequestBody:
    return RequestBody(request, max_bytes=max_bytes, stall_s=stall_s)


async def test_small_pieces_are_joined():
    """One visit of the thread to the event loop fetches all that is there."""
    body = body_of(request_of(b"ab", b"", b"cd"))
    assert await body.read() == b"abcd"
    assert body.ended
    assert await body.read() == b""


async def test_a_large_body_comes_in_large_pieces():
    """It is never held whole."""
    sent = [bytes([i]) * 65536 for i in range(20)]
    body = body_of(request_of(*sent), max_bytes=10_000_000)
    read = []
    while piece := await body.read():
        assert len(piece) < PIECE_BYTES + 65536
        read.append(piece)
    assert b"".join(read) == b"".join(sent)
    assert len(read) == 4


async def test_a_declared_length_over_the_limit_is_refused_before_reading():
    """The client need not send what would be refused."""
    with pytest.raises(RequestTooLarge, match="1000 bytes"):
        body_of(request_of(declared=1001))


async def test_an_undeclared_length_over_the_limit_is_refused_while_reading():
    """A chunked body declares nothing."""
    body = body_of(request_of(b"x" * 600, b"x" * 600))
    with pytest.raises(RequestTooLarge, match="1000 bytes"):
        await body.read()


async def test_a_body_of_exactly_the_limit_passes():
    """A limit is what is still allowed."""
    assert len(await body_of(request_of(b"x" * 1000, declared=1000)).read()) == 1000


async def test_a_client_that_goes_away_is_told_apart_from_an_end():
    """Half a film is no film."""
    with pytest.raises(ClientDisconnect):
        await body_of(request_of(b"x", None)).read()


async def test_a_client_that_stalls_is_given_up():
    """It would hold a thread for ever."""
    body = body_of(request_of(b"x", b"y", b"z"), stall_s=0.01)
    request = request_of()
    stalled = RequestBody(request, max_bytes=10, stall_s=0.01)
    with pytest.raises(InvalidRequest, match="did not come"):
        await stalled.read()
    assert await body.read() == b"xyz"


async def test_a_short_rest_is_dropped_and_the_connection_kept():
    """So that the client reads its refusal, on a connection that it can use again."""
    request = request_of(b"x" * 10, b"y" * 10, declared=20)
    watch = BodyWatch(request.scope, request.receive)
    assert await watch.settle()


async def test_a_long_rest_is_not_read_to_its_end():
    """A refusal must not cost gigabytes."""
    request = request_of(*[b"x" * 1_000_000] * 50, declared=50_000_000)
    assert not await BodyWatch(request.scope, request.receive).settle()


async def test_a_client_that_waits_for_permission_is_not_told_to_send():
    """Asking for the body would answer its `Expect: 100-continue`."""
    request = request_of(b"x", declared=1)
    request.scope["headers"].append((b"expect", b"100-continue"))
    assert not await BodyWatch(request.scope, request.receive).settle()


async def test_a_request_without_a_body_has_nothing_to_settle():
    """A GET never waits."""
    request = request_of()
    assert await BodyWatch(request.scope, request.receive).settle()


async def test_a_body_that_trickles_is_refused():
    """A body below the least rate is refused, though each of its pieces comes in time."""

    async def receive():
        await anyio.sleep(0.02)
        return {"type": "http.request", "body": b"x" * PIECE_BYTES, "more_body": True}

    request = Request({"type": "http", "headers": []}, receive)
    body = RequestBody(request, max_bytes=10**9, stall_s=0.1, least_rate=1e9)

    async def read_on():
        while True:
            await body.read()

    with pytest.raises(UploadTooSlow, match="1e\\+09 bytes per second"):
        await read_on()


async def test_a_pause_of_the_reader_is_not_the_senders():
    """Time in which nobody reads does not count against the rate."""
    body = RequestBody(
        request_of(b"x" * PIECE_BYTES, b"x"), max_bytes=10**9, stall_s=0.1, least_rate=1e9
    )
    await body.read()
    await anyio.sleep(0.3)
    assert await body.read() == b"x"
