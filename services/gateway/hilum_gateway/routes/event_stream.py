"""Job changes as server-sent events (WHATWG HTML, section 9.2).

Events:
    ``job``: a job changed; the data is the job without its result, as in ``GET /v1/jobs``.
    ``reload``: more changed than is told one by one; load what you show afresh.

The id of an event is the time of its change, in microseconds since 1970. A client that comes back
with it in ``Last-Event-ID`` is told what it missed. Delivery is at least once. The stream ends when
its key is revoked and when the server stops; a browser comes back by itself.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import anyio.to_thread
from sse_starlette import EventSourceResponse, ServerSentEvent

from hilum_gateway import NOTICE
from hilum_gateway.schemas.jobs import JobSummaryBody
from hilum_gateway.wiring.dependencies import changes_of, container_of, metrics_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from uuid import UUID

    from starlette.requests import Request

    from hilum.domain.job import Job
    from hilum.domain.principal import Principal
    from hilum_gateway.live.job_changes import JobChanges
    from hilum_gateway.live.subscription import Subscription
    from hilum_gateway.wiring.metrics import Metrics

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_LATEST: Final = 4_102_444_800_000_000  # the year 2100
_COME_BACK_MS: Final = 2000
_SEND_TIMEOUT_S: Final = 30.0
LAST_WORDS_S: Final = 5.0
"""How long a stream may take to end by itself once the server was told to stop.

The response looks for the signal itself. Without this it may see it before the changes are closed,
and then breaks the stream off, so that the client gets an error instead of an end.
"""


async def event_stream(
    request: Request, principal: Principal, job_id: UUID | None = None
) -> EventSourceResponse:
    """The stream of changes of the jobs that a principal sees, or of one of them.

    Args:
        request: May carry ``Last-Event-ID``.
        principal: Already authenticated.
        job_id: Only this job; its present state is the first event.

    Raises:
        NotFound: No such job for this principal.
    """
    container = container_of(request)
    changes = changes_of(request)
    if job_id is not None:
        # Here, while the answer can still be a problem.
        await anyio.to_thread.run_sync(container.read_jobs.job, job_id, principal)
    since = _resumed(request.headers.get("last-event-id", ""))
    heartbeat = container.settings.events.heartbeat_seconds
    return EventSourceResponse(
        _events(changes, metrics_of(request), principal, job_id, since),
        ping=heartbeat,
        ping_message_factory=lambda: ServerSentEvent(comment="still here"),
        send_timeout=_SEND_TIMEOUT_S,
        shutdown_grace_period=LAST_WORDS_S,
    )


async def _events(
    changes: JobChanges,
    metrics: Metrics,
    principal: Principal,
    job_id: UUID | None,
    since: datetime | None,
) -> AsyncIterator[ServerSentEvent]:
    with (
        changes.subscribe(principal, job_id) as subscription,
        metrics.event_streams.track_inprogress(),
    ):
        # Sent at once, so that proxies and clients see that the stream is open.
        yield ServerSentEvent(comment=NOTICE, retry=_COME_BACK_MS)
        if job_id is not None:
            await changes.look_at(subscription, job_id)
        if since is not None:
            await changes.replay(subscription, since)
        async for event in _told(subscription):
            yield event


async def _told(subscription: Subscription) -> AsyncIterator[ServerSentEvent]:
    while (jobs := await subscription.take()) is not None:
        if subscription.overflowed:
            subscription.overflowed = False
            yield ServerSentEvent("{}", event="reload")
        for job in jobs:
            yield _job_event(job)


def _job_event(job: Job) -> ServerSentEvent:
    return ServerSentEvent(
        JobSummaryBody.of(job).model_dump_json(),
        event="job",
        id=str((job.updated_at - _EPOCH) // _MICROSECOND),
    )


def _resumed(last_event_id: str) -> datetime | None:
    """The moment that an event id stands for; None for one that is not ours."""
    if not (last_event_id.isascii() and last_event_id.isdecimal() and len(last_event_id) < 17):  # noqa: PLR2004
        return None
    return _EPOCH + min(int(last_event_id), _LATEST) * _MICROSECOND
