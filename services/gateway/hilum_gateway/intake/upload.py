"""From an HTTP request to the use case that takes films in.

The use case and its adapters are synchronous and run in a worker thread; the body arrives on the
event loop. The thread pulls: it asks for the next piece when the object store has taken the last
one, so a fast client cannot fill the memory and a slow one only holds its own thread. Threads are
shared out by key and by address, see ``upload_slots``.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import anyio.from_thread
import anyio.to_thread
from anyio.lowlevel import current_token

from hilum.domain.principal import Permission
from hilum.domain.submission import Source
from hilum.runtime.tracing import current_traceparent
from hilum_gateway.http.multipart import MultipartDecoder
from hilum_gateway.http.request_body import RequestBody
from hilum_gateway.http.request_id import current_request_id
from hilum_gateway.http.request_log import note_site
from hilum_gateway.intake.submission_form import SubmissionForm
from hilum_gateway.intake.upload_slots import UploadSlots

if TYPE_CHECKING:
    from starlette.requests import Request

    from hilum.application.intake.submission import SubmissionAnswer, SubmissionFields
    from hilum.domain.principal import Principal
    from hilum_gateway.wiring.container import Container
    from hilum_gateway.wiring.settings import Settings


async def submit_from_request(
    request: Request, container: Container, principal: Principal, source: Source = Source.API
) -> SubmissionAnswer:
    """Take the films of a multipart request in.

    Args:
        request: Its body has not been touched.
        container: Of this gateway.
        principal: Who submits.
        source: The way by which the images come.

    Raises:
        HilumError: As :class:`hilum.application.intake.submit_images.SubmitImages` does, and
            InvalidRequest, UploadTooSlow and RequestTooLarge for the body itself.
        ClientDisconnect: The client went away; nothing was accepted.
    """
    principal.require(Permission.SUBMIT_IMAGES)
    settings = container.settings
    decoder = MultipartDecoder(request.headers.get("content-type", ""))
    body = RequestBody(
        request,
        max_bytes=settings.upload.max_bytes,
        stall_s=settings.upload.stall_seconds,
        least_rate=settings.upload.min_bytes_per_second,
    )
    # Most uploads fit into the first piece: those hold a slot only while it works. And a sender
    # that stalls before it is complete holds none.
    first = await body.read()
    pull = _Pull(body, first)
    form = SubmissionForm(decoder, pull)
    traceparent = current_traceparent()

    def fields() -> SubmissionFields:
        told = form.fields()
        note_site(request, principal.site_for(Permission.SUBMIT_IMAGES, told.site))
        return told

    work = partial(
        container.submit_images,
        form.files(),
        fields,
        principal,
        current_request_id(),
        traceparent,
        source,
    )
    address = request.client.host if request.client else ""
    slots = _slots(request, settings)
    async with slots.hold(principal.id, address):
        return await anyio.to_thread.run_sync(work, limiter=anyio.CapacityLimiter(1))


class _Pull:
    """Gives the pieces of a body to a thread, whichever thread asks."""

    def __init__(self, body: RequestBody, first: bytes) -> None:
        self._body = body
        self._first: bytes | None = first
        self._token = current_token()

    def __call__(self) -> bytes:
        first, self._first = self._first, None
        if first is not None:
            return first
        if self._body.ended:
            return b""
        return anyio.from_thread.run(self._body.read, token=self._token)


def _slots(request: Request, settings: Settings) -> UploadSlots:
    """The slots of uploads: threads of their own, so that slow senders never block a reader."""
    state = request.app.state
    if not hasattr(state, "upload_slots"):
        state.upload_slots = UploadSlots(
            settings.upload.max_threads,
            settings.upload.max_threads_per_key,
            settings.upload.max_threads_per_address,
        )
    slots: UploadSlots = state.upload_slots
    return slots
