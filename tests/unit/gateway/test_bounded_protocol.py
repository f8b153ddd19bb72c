"""Connections that hold a server open for nothing."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from hilum_gateway.http.bounded_protocol import MAX_HEAD_BYTES
from hilum_gateway.server import create_server
from tests.unit.gateway.api import FakeGateway, fake_settings

if TYPE_CHECKING:
    import uvicorn

pytestmark = pytest.mark.anyio

REQUEST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def anyio_backend():
    return "asyncio"


@asynccontextmanager
async def served(**settings: object):
    """A gateway on a port of its own; gives a function that connects."""
    server: uvicorn.Server = create_server(
        FakeGateway().app, fake_settings(http={"port": 0, **settings})
    )
    server.config.loop = "asyncio"
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield lambda: asyncio.open_connection("127.0.0.1", port)
    finally:
        server.should_exit = True
        await running


async def answer_to(reader: asyncio.StreamReader) -> bytes:
    """The first line of an answer; empty where the connection was closed without one."""
    return await reader.readline()


async def test_a_connection_that_sends_nothing_is_closed():
    """A silent connection ends after the header timeout, without an answer."""
    async with served(header_timeout_seconds=0.1) as connect:
        reader, writer = await connect()
        assert await reader.read() == b""
        writer.close()


async def test_a_head_that_trickles_is_closed():
    """Bytes of a head that come one by one do not prolong the header timeout."""
    async with served(header_timeout_seconds=0.2) as connect:
        reader, writer = await connect()
        closed = asyncio.create_task(reader.read())
        async with asyncio.timeout(60):
            for byte in itertools.chain(REQUEST[:-2], itertools.repeat(0x78)):
                if closed.done():
                    break
                writer.write(bytes([byte]))
                await asyncio.sleep(0.01)
        with suppress(ConnectionResetError):  # bytes that were still on their way
            assert await closed == b""
        writer.close()


async def test_a_further_request_on_a_connection_has_the_same_time():
    """The head of a second request that stops half way closes the connection."""
    async with served(header_timeout_seconds=0.2) as connect:
        reader, writer = await connect()
        writer.write(REQUEST + REQUEST[:20])
        assert b"200 OK" in await answer_to(reader)
        rest = await reader.read()
        assert b"HTTP/1.1" not in rest
        writer.close()


async def test_a_head_without_an_end_is_refused():
    """A head over the limit is answered with 400."""
    async with served() as connect:
        reader, writer = await connect()
        writer.write(REQUEST[:-2] + b"X-Long: " + b"x" * (2 * MAX_HEAD_BYTES))
        assert b"400" in await answer_to(reader)
        writer.close()


async def test_connections_of_one_address_are_bounded():
    """A connection over the share of an address is closed, and a place that is left is taken."""
    async with served(max_connections_per_address=2) as connect:
        first, second = await connect(), await connect()
        reader, writer = await connect()
        assert await reader.read() == b""
        writer.close()
        first[1].close()
        await first[1].wait_closed()
        answered = b""
        while b"200 OK" not in answered:
            reader, writer = await connect()
            writer.write(REQUEST)
            answered = await answer_to(reader)
            writer.close()
        second[1].close()


async def test_connections_are_bounded():
    """A request on a connection over the limit is answered with 503."""
    async with served(max_connections=2) as connect:
        held = await connect()
        reader, writer = await connect()
        writer.write(REQUEST)
        assert b"503" in await answer_to(reader)
        writer.close()
        held[1].close()
