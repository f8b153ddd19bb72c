"""Watching the database for job changes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import anyio.to_thread
import pytest
from sse_starlette.sse import AppStatus

from hilum.domain.access import parse_key
from hilum.domain.errors import DatabaseUnavailable, InferenceFailed
from hilum.domain.principal import Role
from hilum_gateway.http.request_id import current_request_id
from hilum_gateway.live.job_changes import MAX_REPLAYED, OVERLAP
from hilum_gateway.live.subscription import MAX_WAITING, Subscription
from tests.fakes.clock import SettableClock
from tests.unit.gateway.api import Api, FakeGateway, fake_settings
from tests.unit.gateway.asgi import Exchange

pytestmark = pytest.mark.anyio


@pytest.fixture
def gateway() -> FakeGateway:
    """A gateway that looks for changes as fast as it can."""
    return FakeGateway(
        settings=fake_settings(events={"poll_seconds": 0.001, "key_check_seconds": 0.001})
    )


async def in_thread(call, *arguments: Any, **named: Any) -> Any:
    """Run what the test client does elsewhere: it has an event loop of its own."""
    return await anyio.to_thread.run_sync(partial(call, *arguments, **named))


def listen(gateway: FakeGateway, key: str, query: str = "", **headers: str) -> Exchange:
    """Open an event stream."""
    return Exchange(
        gateway.app, "GET", f"/v1/events{query}", authorization=f"Bearer {key}", **headers
    )


def watchers() -> list[asyncio.Task]:
    """The tasks that poll the database."""
    return [task for task in asyncio.all_tasks() if task.get_name() == "job changes"]


async def next_job(exchange: Exchange) -> dict[str, str]:
    """The next event of a job."""
    while (event := await exchange.event()) is not None:
        if event.get("event") == "job":
            return event
    raise AssertionError("the stream ended")


async def test_a_listener_is_told_of_a_new_job_and_of_its_end(api: Api, gateway: FakeGateway):
    """With the job as the list shows it."""
    async with listen(gateway, api.key) as exchange:
        assert await exchange.status() == 200
        assert "Research use only" in (await exchange.event() or {})["comment"]
        job_id = await in_thread(api.accepted)
        first = await next_job(exchange)
        assert job_id in first["data"]
        assert '"state":"queued"' in first["data"]
        gateway.clock.advance(timedelta(seconds=1))
        await in_thread(gateway.work)
        states = [(await next_job(exchange))["data"]]
        while '"state":"completed"' not in states[-1]:
            states.append((await next_job(exchange))["data"])
        assert all(job_id in state for state in states)


@pytest.mark.parametrize("ahead_s", [300, -300])
async def test_changes_are_told_by_a_gateway_whose_clock_is_wrong(
    api: Api, gateway: FakeGateway, ahead_s: int
):
    """They carry the time of the database, and so does the moment from which it looks."""
    database_clock = SettableClock(gateway.clock.now())
    gateway.unit_of_work.rows.now = database_clock.now
    gateway.clock.advance(timedelta(seconds=ahead_s))
    async with listen(gateway, api.key) as exchange:
        await exchange.status()
        for seed in range(2):
            job_id = await in_thread(api.accepted, seed)
            assert job_id in (await asyncio.wait_for(next_job(exchange), 5))["data"]
            database_clock.advance(OVERLAP * 2)


async def test_a_listener_bound_to_a_site_hears_of_that_site_alone(api: Api, gateway: FakeGateway):
    """Not even that the others have work."""
    north = await in_thread(Api, gateway, Role.VIEWER, "north")
    async with listen(gateway, north.key) as exchange:
        await exchange.status()
        await in_thread(api.accepted, 1, site="south")
        await in_thread(api.accepted, 2, site="north")
        assert '"site":"north"' in (await next_job(exchange))["data"]


async def test_a_listener_to_one_job_is_told_how_it_stands_at_once(api: Api, gateway: FakeGateway):
    """Also when it was over long before."""
    job_id = await in_thread(api.completed, 1)
    await in_thread(api.accepted, 2)
    gateway.clock.advance(OVERLAP * 10)
    async with listen(gateway, api.key, f"?job_id={job_id}") as exchange:
        await exchange.status()
        event = await next_job(exchange)
        assert job_id in event["data"]
        assert '"state":"completed"' in event["data"]


async def test_a_job_that_the_key_does_not_see_cannot_be_listened_to(
    api: Api, gateway: FakeGateway
):
    """A 404, not an endless silence."""
    job_id = await in_thread(api.accepted, 1, site="south")
    north = await in_thread(Api, gateway, Role.VIEWER, "north")
    async with listen(gateway, north.key, f"?job_id={job_id}") as exchange:
        assert await exchange.status() == 404


async def test_a_listener_that_comes_back_is_told_what_it_missed(api: Api, gateway: FakeGateway):
    """From the id of the last event that it saw."""
    async with listen(gateway, api.key) as exchange:
        await exchange.status()
        await in_thread(api.accepted, 1)
        seen = (await next_job(exchange))["id"]
    gateway.clock.advance(timedelta(hours=1))
    missed = await in_thread(api.accepted, 2)
    gateway.clock.advance(timedelta(hours=1))
    async with listen(gateway, api.key, last_event_id=seen) as exchange:
        await exchange.status()
        events = [await next_job(exchange), await next_job(exchange)]
        assert missed in events[1]["data"]
        assert int(events[1]["id"]) - int(seen) == 3600 * 1_000_000


@pytest.mark.parametrize("sent", ["x", "-1", "9" * 40, "٣"])
async def test_an_event_id_that_is_none_is_ignored(api: Api, gateway: FakeGateway, sent):
    """A new listener like any other."""
    async with listen(gateway, api.key, last_event_id=sent) as exchange:
        assert await exchange.status() == 200
        await in_thread(api.accepted)
        await next_job(exchange)


async def test_a_listener_that_missed_too_much_is_told_to_load_afresh(
    api: Api, gateway, monkeypatch
):
    """One event instead of a thousand."""
    monkeypatch.setattr("hilum_gateway.live.job_changes.MAX_REPLAYED", 2)
    for seed in range(3):
        await in_thread(api.accepted, seed)
    since = gateway.clock.now()
    gateway.clock.advance(OVERLAP * 3)
    sent = str(int(since.timestamp() * 1_000_000))
    async with listen(gateway, api.key, last_event_id=sent) as exchange:
        await exchange.status()
        await exchange.event()
        assert (await exchange.event() or {})["event"] == "reload"
    assert MAX_REPLAYED > 2


async def test_a_stream_ends_when_its_key_is_revoked(api: Api, gateway: FakeGateway):
    """And only that one."""
    viewer = await in_thread(Api, gateway, Role.VIEWER)
    async with listen(gateway, viewer.key) as theirs, listen(gateway, api.key) as ours:
        await theirs.status()
        await ours.status()
        parsed = parse_key(viewer.key)
        assert parsed is not None
        await in_thread(api.client.delete, f"/v1/keys/{parsed[0]}")
        gateway.clock.advance(timedelta(seconds=1))
        while await theirs.event() is not None:
            pass
        await in_thread(api.accepted)
        await next_job(ours)


async def test_every_stream_ends_when_the_server_stops(api: Api, gateway: FakeGateway):
    """Also one that is opened while it stops."""
    async with listen(gateway, api.key) as exchange:
        await exchange.status()
        await exchange.event()
        gateway.app.state.changes.close()
        assert await exchange.event() is None
    async with listen(gateway, api.key) as late:
        await late.status()
        await late.event()
        assert await late.event() is None


async def test_an_outage_of_the_database_is_survived(api: Api, gateway: FakeGateway):
    """What changed meanwhile is told afterwards."""
    async with listen(gateway, api.key) as exchange:
        await exchange.status()
        await in_thread(api.accepted, 1)
        await next_job(exchange)
        # The outage begins between two looks; a film that another gateway accepted shows later.
        read = gateway.container.read_jobs.changes
        failed = asyncio.Event()
        loop = asyncio.get_running_loop()

        def down(*arguments: Any):
            loop.call_soon_threadsafe(failed.set)
            gateway.unit_of_work.available = False
            try:
                return read(*arguments)
            finally:
                gateway.unit_of_work.available = True

        gateway.container.read_jobs.changes = down  # type: ignore[method-assign]
        await asyncio.wait_for(failed.wait(), 30)
        gateway.container.read_jobs.changes = read  # type: ignore[method-assign]
        second = await in_thread(api.accepted, 2)
        assert second in (await next_job(exchange))["data"]


async def test_the_watcher_is_of_no_request(api: Api, gateway: FakeGateway):
    """Its lines would have the id of the listener that came first, who may be gone."""
    read, looked = gateway.container.read_jobs.changes, []

    def look(*arguments: Any):
        looked.append(current_request_id())
        return read(*arguments)

    gateway.container.read_jobs.changes = look  # type: ignore[method-assign]
    async with listen(gateway, api.key) as exchange:
        await exchange.status()
        await in_thread(api.accepted)
        await next_job(exchange)
    assert {*looked} == {""}


async def test_what_changed_while_a_new_watcher_found_no_database_is_told(
    api: Api, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
):
    """It looks back to its beginning, whose time by the database it never learned."""
    began = gateway.clock.now()

    def elapsed_s() -> float:
        return (gateway.clock.now() - began).total_seconds()

    monkeypatch.setattr("hilum_gateway.live.job_changes.monotonic", elapsed_s)
    read, asked = gateway.container.read_jobs.changes, asyncio.Event()
    loop = asyncio.get_running_loop()

    def down(*_: Any):
        loop.call_soon_threadsafe(asked.set)
        raise DatabaseUnavailable("told to fail")

    gateway.container.read_jobs.changes = down  # type: ignore[method-assign]
    async with listen(gateway, api.key) as exchange:
        await exchange.status()
        await asyncio.wait_for(asked.wait(), 30)
        job_id = await in_thread(api.accepted)
        gateway.clock.advance(OVERLAP * 3)
        gateway.container.read_jobs.changes = read  # type: ignore[method-assign]
        assert job_id in (await asyncio.wait_for(next_job(exchange), 5))["data"]


async def test_nobody_polls_when_nobody_listens(api: Api, gateway: FakeGateway):
    """The last one to leave ends the watcher."""
    changes = gateway.app.state.changes
    async with listen(gateway, api.key) as exchange:
        await exchange.status()
        await exchange.event()
        assert changes.listeners == 1
        (watcher,) = watchers()
    await asyncio.wait_for(watcher, 30)
    assert changes.listeners == 0
    assert watchers() == []


async def test_a_second_listener_starts_from_the_same_few_seconds(api: Api, gateway: FakeGateway):
    """Nothing falls between a look at a job and the subscription."""
    async with listen(gateway, api.key) as first:
        await first.status()
        job_id = await in_thread(api.accepted)
        await next_job(first)
        async with listen(gateway, api.key) as second:
            await second.status()
            assert job_id in (await next_job(second))["data"]


async def test_a_slow_listener_gets_the_last_state_and_holds_bounded_memory(api: Api, gateway):
    """States in between are skipped; beyond the bound it loads afresh."""
    job_id = UUID(await in_thread(api.accepted))
    key = gateway.keys.authenticate(api.key)
    queued = gateway.container.read_jobs.job(job_id, key).job
    gateway.clock.advance(timedelta(seconds=1))
    await in_thread(gateway.work)
    done = gateway.container.read_jobs.job(job_id, key).job
    subscription = Subscription(key)
    for job in (queued, done, queued):
        subscription.offer([job])
    assert await subscription.take() == [done]
    subscription.offer([replace(done, id=uuid4()) for _ in range(MAX_WAITING + 1)])
    assert await subscription.take() == []
    assert subscription.overflowed


async def test_a_stream_of_a_session_ends_with_the_sign_out(gateway: FakeGateway):
    """A copied cookie hears no more either; a stream with the key itself goes on."""
    key = await in_thread(gateway.new_key)
    browser = gateway.visitor()
    await in_thread(browser.post, "/sign-in", data={"api_key": key})
    cookie = "; ".join(f"{one.name}={one.value}" for one in browser.cookies.jar)
    async with (
        Exchange(gateway.app, "GET", "/worklist/events", cookie=cookie) as page,
        listen(gateway, key) as other,
    ):
        assert await page.status() == 200
        assert await other.status() == 200
        await in_thread(browser.post, "/sign-out")
        gateway.clock.advance(timedelta(seconds=1))
        while (await page.message()).get("more_body"):
            pass
        await in_thread(Api(gateway).accepted)
        assert await next_job(other)


async def test_a_stop_ends_a_stream_and_does_not_break_it_off(
    api: Api, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
):
    """The signal may be seen before the changes are closed; the answer is whole all the same."""
    monkeypatch.setattr(AppStatus, "should_exit", True)
    async with listen(gateway, api.key) as exchange:
        await exchange.status()
        assert "Research use only" in (await exchange.event() or {})["comment"]
        gateway.app.state.changes.close()
        assert await exchange.event() is None


async def test_a_burst_beyond_one_query_is_told_whole(api: Api, gateway, monkeypatch):
    """More jobs than the first limit changed at one moment."""
    monkeypatch.setattr("hilum_gateway.live.job_changes._FIRST_LIMIT", 2)
    for seed in range(5):
        await in_thread(api.accepted, seed)
    async with listen(gateway, api.key) as exchange:
        await exchange.status()
        told = {(await next_job(exchange))["data"].split('"')[3] for _ in range(5)}
        assert len(told) == 5


async def test_a_parked_job_is_told_with_its_reason(api: Api, gateway: FakeGateway):
    """As the list shows it."""
    async with listen(gateway, api.key) as exchange:
        await exchange.status()
        await in_thread(api.parked, InferenceFailed("no"))
        while '"state":"failed"' not in (event := await next_job(exchange))["data"]:
            pass
        assert "inference_failed" in event["data"]
