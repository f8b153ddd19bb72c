"""Tells an open worklist that it is out of date.

The page then asks for its list again: one place renders rows, and what a browser missed while it
slept needs no bookkeeping.
"""

from collections.abc import AsyncIterator
from typing import Final

import anyio
from fastapi import APIRouter, Request
from sse_starlette import EventSourceResponse, ServerSentEvent

from hilum.domain.principal import Principal
from hilum_gateway.live.job_changes import JobChanges
from hilum_gateway.pages.page_route import PageRoute
from hilum_gateway.pages.parts import Parts, SignedIn
from hilum_gateway.routes.event_stream import LAST_WORDS_S
from hilum_gateway.wiring.dependencies import ChangesOf, MetricsOf
from hilum_gateway.wiring.metrics import Metrics

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_AT_MOST_EVERY_S: Final = 1.0
"""However many jobs change, a page asks for its list no more often than this."""

_SEND_TIMEOUT_S: Final = 30.0


@router.get("/worklist/events")
async def worklist_events(
    request: Request, principal: SignedIn, parts: Parts, changes: ChangesOf, metrics: MetricsOf
) -> EventSourceResponse:
    """Server-sent events named ``changed``, without content."""
    came_back = "last-event-id" in request.headers
    return EventSourceResponse(
        change_events(changes, metrics, principal, request.state.session, came_back=came_back),
        ping=parts.container.settings.events.heartbeat_seconds,
        ping_message_factory=lambda: ServerSentEvent(comment="still here"),
        send_timeout=_SEND_TIMEOUT_S,
        shutdown_grace_period=LAST_WORDS_S,
        sep="\n",
    )


async def change_events(
    changes: JobChanges,
    metrics: Metrics,
    principal: Principal,
    session: str,
    *,
    came_back: bool,
) -> AsyncIterator[ServerSentEvent]:
    """One event for the changes since the last one, for as long as the session is in force.

    Args:
        changes: The watcher.
        metrics: Counts the streams.
        principal: Whose worklist it is; changes that it may not see cause no event.
        session: Digest of the session.
        came_back: The browser listened before, and may have missed something meanwhile.
    """
    with (
        changes.subscribe(principal, session=session) as subscription,
        metrics.event_streams.track_inprogress(),
    ):
        if came_back:
            yield _CHANGED
        else:
            yield ServerSentEvent(comment="open")  # so that proxies and clients see it is
        while await subscription.take() is not None:
            subscription.overflowed = False
            yield _CHANGED
            await anyio.sleep(_AT_MOST_EVERY_S)


_CHANGED: Final = ServerSentEvent("{}", event="changed", id="changed")
