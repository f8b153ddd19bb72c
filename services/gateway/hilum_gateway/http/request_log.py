"""What the log lines of a request say of who asks, and about what."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from structlog.contextvars import bind_contextvars

from hilum.domain.principal import ALL_SITES

if TYPE_CHECKING:
    from starlette.requests import Request

    from hilum.domain.principal import Principal

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def note_principal(request: Request, principal: Principal) -> None:
    """Remember for the log whose request this is, and about which job or other thing."""
    request.state.key_id = principal.id
    about = {
        name: value
        for name, value in request.path_params.items()
        if name.endswith("_id") and _UUID.fullmatch(value)
    }
    bind_contextvars(principal=f"{principal.kind.value}:{principal.id}", **about)
    sites = {grant.site for grant in principal.grants}
    if len(sites) == 1 and ALL_SITES not in sites:
        note_site(request, *sites)


def note_site(request: Request, site: str) -> None:
    """Remember of which site a request is, for the log. Any thread of the request may know it."""
    # What a thread binds to its context is not seen by the line that ends the request.
    request.state.site = site
    bind_contextvars(site=site)
