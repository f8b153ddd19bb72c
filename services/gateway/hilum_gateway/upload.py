"""From an HTTP request to the use case that takes films in.

The use case and its adapters are synchronous and run in a worker thread; the body arrives on the
event loop. The thread pulls: it asks for the next piece when the object store has taken the last
one, so a fast client cannot fill the memory and a slow one only holds its own thread.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import anyio.from_thread
import anyio.to_thread
from anyio.lowlevel import current_token

from hilum.domain.access import Permission
from hilum_gateway.multipart import MultipartDecoder
from hilum_gateway.request_body import RequestBody
from hilum_gateway.request_id import current_request_id
from hilum_gateway.submission_form import SubmissionForm

if TYPE_CHECKING:
    from starlette.requests import Request

    from hilum.application.submission import SubmittedStudy
    from hilum.domain.access import ApiKey
    from hilum_gateway.container import Container


async def submit_from_request(
    request: Request, container: Container, key: ApiKey
) -> SubmittedStudy:
    """Take the films of a multipart request in.

    Args:
        request: Its body has not been touched.
        container: Of this gateway.
        key: Who submits.

    Raises:
        HilumError: As :class:`hilum.application.use_cases.submit_study.SubmitStudy` does, and
            InvalidRequest and RequestTooLarge for the body itself.
        ClientDisconnect: The client went away; nothing was accepted.
    """
    key.require(Permission.SUBMIT)
    settings = container.settings
    decoder = MultipartDecoder(request.headers.get("content-type", ""))
    body = RequestBody(
        request, max_bytes=settings.max_request_bytes, stall_s=settings.upload_stall_s
    )
    # Most uploads fit into the first piece: those hold a thread only while it works.
    first = await body.read()
    pull = _Pull(body, first)
    form = SubmissionForm(decoder, pull)
    work = partial(container.submit_study, form.files(), form.fields, key, current_request_id())
    return await anyio.to_thread.run_sync(
        work, limiter=_upload_limiter(request, settings.upload_threads)
    )


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


def _upload_limiter(request: Request, threads: int) -> anyio.CapacityLimiter:
    """The threads for uploads: their own, so that slow senders never block a reader."""
    state = request.app.state
    if not hasattr(state, "upload_limiter"):
        state.upload_limiter = anyio.CapacityLimiter(threads)
    limiter: anyio.CapacityLimiter = state.upload_limiter
    return limiter
