"""What the page routes share, and who is signed in."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool

from hilum.domain.principal import Permission, Principal
from hilum_gateway.http.request_log import note_principal
from hilum_gateway.pages.failed_sign_ins import FailedSignIns
from hilum_gateway.pages.same_origin import require_same_origin
from hilum_gateway.pages.session import Sessions
from hilum_gateway.pages.state_counts import StateCounts
from hilum_gateway.pages.worklist_row import WorklistRows
from hilum_gateway.wiring.container import Container

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class PageParts:
    """The parts of the web pages of one gateway; ``app.state.pages``."""

    container: Container
    sessions: Sessions
    failed_sign_ins: FailedSignIns
    rows: WorklistRows
    counts: StateCounts

    @classmethod
    def of(cls, container: Container) -> "PageParts":
        """The parts over a gateway's container."""
        settings = container.settings
        return cls(
            container=container,
            sessions=Sessions(
                secret=settings.session.secret.get_secret_value(),
                sessions=container.manage_sessions,
                clock=container.clock,
                secure=settings.cookies_need_tls,
            ),
            failed_sign_ins=FailedSignIns(container.clock),
            rows=WorklistRows(container.read_jobs),
            counts=StateCounts(container.read_jobs),
        )


def page_parts(request: Request) -> PageParts:
    """The parts of the gateway that serves this request."""
    parts: PageParts = request.app.state.pages
    return parts


async def signed_in(
    request: Request, parts: Annotated[PageParts, Depends(page_parts)]
) -> Principal:
    """Return the person who asks.

    Raises:
        NotAuthenticated: Nobody is signed in, or not any more.
    """
    principal, request.state.session = await run_in_threadpool(parts.sessions.principal, request)
    note_principal(request, principal)
    return principal


def permitted(principal: Principal) -> "Mapping[str, bool]":
    """Return what the principal may do. The use cases decide, this only hides buttons."""
    return {
        "may_submit": principal.holds(Permission.SUBMIT_IMAGES),
        "may_operate": principal.holds(Permission.OPERATE_QUEUE),
    }


Parts = Annotated[PageParts, Depends(page_parts)]
SignedIn = Annotated[Principal, Depends(signed_in)]
OwnForm = Depends(require_same_origin)
