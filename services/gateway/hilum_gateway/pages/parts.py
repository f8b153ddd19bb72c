"""What the page routes share, and who is signed in."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool

from hilum.domain.access import PERMISSIONS, ApiKey, Permission
from hilum_gateway.authentication import note_key
from hilum_gateway.container import Container
from hilum_gateway.pages.failed_sign_ins import FailedSignIns
from hilum_gateway.pages.same_origin import require_same_origin
from hilum_gateway.pages.session import Sessions
from hilum_gateway.pages.state_counts import StateCounts
from hilum_gateway.pages.worklist_row import WorklistRows

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
                keys=container.manage_keys,
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


async def signed_in(request: Request, parts: Annotated[PageParts, Depends(page_parts)]) -> ApiKey:
    """The key of the person who asks.

    Raises:
        NotAuthenticated: Nobody is signed in, or not any more.
    """
    key = await run_in_threadpool(parts.sessions.key, request)
    note_key(request, key)
    return key


def permitted(key: ApiKey) -> "Mapping[str, bool]":
    """For the templates: what the key may do. The use cases decide, this only hides buttons."""
    allowed = PERMISSIONS[key.role]
    return {
        "may_submit": Permission.SUBMIT in allowed,
        "may_operate": Permission.OPERATE in allowed,
    }


Parts = Annotated[PageParts, Depends(page_parts)]
SignedIn = Annotated[ApiKey, Depends(signed_in)]
OwnForm = Depends(require_same_origin)
