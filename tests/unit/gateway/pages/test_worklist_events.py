"""What an open worklist is told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from hilum.domain.principal import Role
from hilum_gateway.pages.worklist_events import change_events
from tests.unit.gateway.pages.browsing import FakeGateway, send

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sse_starlette import ServerSentEvent

    from hilum.domain.principal import Principal


@pytest.fixture
def gateway() -> FakeGateway:
    return FakeGateway()


def key_of(gateway: FakeGateway, site: str) -> Principal:
    return gateway.keys.authenticate(gateway.new_key(Role.VIEWER, site))


def stream(
    gateway: FakeGateway, key: Principal, *, came_back: bool = False
) -> AsyncIterator[ServerSentEvent]:
    state = gateway.app.state
    return change_events(state.changes, state.metrics, key, "", came_back=came_back)


def test_an_open_worklist_is_told_that_a_film_came_in(gateway):
    """A film that is sent causes an event for those who may see it."""

    async def listen() -> str | None:
        events = stream(gateway, key_of(gateway, "north"))
        assert (await anext(events)).comment == "open"
        await asyncio.to_thread(send, gateway.person(Role.SUBMITTER, "north"), "film.pgm")
        told = await asyncio.wait_for(anext(events), 60)
        await events.aclose()
        return told.event

    assert asyncio.run(listen()) == "changed"


def test_a_worklist_of_another_site_is_told_nothing(gateway):
    """A film of one site causes no event at another: the stream ends without one."""

    async def listen() -> list[ServerSentEvent]:
        north = stream(gateway, key_of(gateway, "north"))
        south = stream(gateway, key_of(gateway, "south"))
        await anext(north)
        await anext(south)
        await asyncio.to_thread(send, gateway.person(Role.SUBMITTER, "north"), "film.pgm")
        await asyncio.wait_for(anext(north), 60)
        gateway.app.state.changes.close()
        return [event async for event in south]

    assert asyncio.run(listen()) == []


def test_a_browser_that_comes_back_is_told_at_once(gateway):
    """What changed while a browser was away is not lost: it asks for the list again."""

    async def listen() -> str | None:
        events = stream(gateway, key_of(gateway, "*"), came_back=True)
        first = await anext(events)
        await events.aclose()
        return first.event

    assert asyncio.run(listen()) == "changed"


def test_a_stream_without_a_session_is_refused_in_a_line(gateway):
    """An event stream is no page: it gets 401 and no redirect."""
    answer = gateway.visitor().get("/worklist/events", headers={"Accept": "text/event-stream"})
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("text/plain")
