"""The worklist: every image that the person sees, newest first."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from hilum.application.ports.repositories import JobFilter
from hilum.domain.errors import InvalidRequest
from hilum.domain.job import JobState, Priority
from hilum.domain.principal import Principal
from hilum_gateway.http.cursor import decode_cursor, encode_cursor
from hilum_gateway.pages.local_path import HOME
from hilum_gateway.pages.page_route import PageRoute, is_fragment
from hilum_gateway.pages.parts import PageParts, Parts, SignedIn, permitted
from hilum_gateway.pages.rendering import render

router = APIRouter(route_class=PageRoute, include_in_schema=False)

ROWS = 25
"""Images on one page of the worklist."""

_PRIORITIES = [
    (Priority.STAT.value, "Stat, analysed first"),
    (Priority.ROUTINE.value, "Routine"),
    (Priority.BATCH.value, "Batch, when there is time"),
]
_SHOWN_STATES = [state for state in JobState if state is not JobState.RECEIVED]


@dataclass(frozen=True, slots=True)
class StateChoice:
    """One filter: its name, how many films it shows, its address, whether it is in force."""

    name: str
    count: int
    href: str
    current: bool


@router.get(HOME)
def worklist(
    request: Request,
    principal: SignedIn,
    parts: Parts,
    state: Annotated[str, Query()] = "",
    before: Annotated[str, Query()] = "",
) -> Response:
    """The page, or for htmx only its list."""
    wanted = _state(state)
    page = parts.container.read_jobs.page(
        JobFilter(state=wanted), decode_cursor(before) if before else None, ROWS, principal
    )
    return render(
        "fragments/worklist.html" if is_fragment(request) else "worklist.html",
        principal=principal,
        rows=parts.rows.rows(page.jobs, principal),
        choices=_choices(parts, principal, wanted),
        filtered=wanted is not None,
        here=_address(state=state, before=before),
        newest=_address(state=state) if before else None,
        older=_address(state=state, before=encode_cursor(page.next)) if page.next else None,
        priorities=_PRIORITIES,
        settings=parts.container.settings,
        **permitted(principal),
    )


def _state(text: str) -> JobState | None:
    try:
        return JobState(text) if text else None
    except ValueError:
        raise InvalidRequest("there is no such state") from None


def _choices(parts: PageParts, principal: Principal, wanted: JobState | None) -> list[StateChoice]:
    counts = parts.counts.of(principal)
    every = StateChoice("all", sum(counts.values()), HOME, wanted is None)
    return [every] + [
        StateChoice(state.value, counts.get(state, 0), _address(state=state.value), state is wanted)
        for state in _SHOWN_STATES
    ]


def _address(**query: str) -> str:
    given = {name: value for name, value in query.items() if value}
    return f"{HOME}?{urlencode(given)}" if given else HOME
