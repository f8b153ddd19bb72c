"""What happens around every request: its id, its line in the log, its time, its headers.

Plain ASGI: Starlette's ``BaseHTTPMiddleware`` costs a task and a memory stream a request, and
buffers what should stream.
"""

from __future__ import annotations

import logging
from time import perf_counter
from typing import TYPE_CHECKING, Final

from starlette.requests import ClientDisconnect

from hilum_gateway import NOTICE
from hilum_gateway.http.problems import unforeseen
from hilum_gateway.http.request_id import HEADER, adopt_request_id
from hilum_gateway.http.unread_body import BodyWatch

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from hilum_gateway.wiring.metrics import Metrics

_LOG: Final = logging.getLogger("hilum_gateway.access")
_ERRORS: Final = logging.getLogger("hilum_gateway.errors")

QUIET_ROUTES: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked every few seconds by machines; logged at DEBUG."""

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)

SECURITY_HEADERS: Final = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
    (b"hilum-notice", NOTICE.encode()),
)
"""On every answer, unless the route sets its own."""

_NOT_STORED: Final = (b"cache-control", b"no-store")


class AroundRequests:
    """Outermost layer: nothing leaves without an id, a log line and the security headers."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})
        sent = next((v for k, v in scope["headers"] if k == HEADER.encode()), None)
        watch = BodyWatch(scope, receive)
        exchange = _Exchange(scope, send, watch, adopt_request_id(sent))
        try:
            await self._app(scope, watch.receive, exchange.send)
        except ClientDisconnect:
            pass  # nobody is there to be answered; the log shows status 0
        except Exception:
            facts = {"method": scope["method"], "path": scope["path"]}
            _ERRORS.exception("request.crashed", extra=facts)
            if exchange.status:  # too late to say so; the broken answer must not look whole
                raise
            await unforeseen(scope["path"])(scope, receive, exchange.send)
        finally:
            self._note(exchange)

    def _note(self, exchange: _Exchange) -> None:
        scope = exchange.scope
        method, route = scope["method"], route_template(scope)
        seconds = perf_counter() - exchange.begun
        self._metrics.observe_request(method, route, exchange.status, seconds)
        level = logging.DEBUG if route in QUIET_ROUTES else logging.INFO
        if not _LOG.isEnabledFor(level):
            return
        client = scope.get("client")
        # Neither the query nor a header: both can hold what belongs in no log.
        facts = {
            "method": method,
            "path": scope["path"],
            "route": route,
            "status": exchange.status,
            "ms": round(seconds * 1000, 2),
            "bytes_out": exchange.bytes_out,
            "client": client[0] if client else None,
            "key": scope["state"].get("key_id"),
            "site": scope["state"].get("site"),
        }
        _LOG.log(level, "request.ended", extra=facts)


class _Exchange:
    """One request and what has been answered so far; status 0 while nothing was."""

    def __init__(self, scope: Scope, send: Send, watch: BodyWatch, request_id: str) -> None:
        self.scope = scope
        self.begun = perf_counter()
        self.status = 0
        self.bytes_out = 0
        self._send = send
        self._watch = watch
        self._request_id = request_id

    async def send(self, message: Message) -> None:
        """Pass an ASGI message on, with the headers added."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = list(message["headers"])
            names = {name.lower() for name, _ in headers}
            headers += [header for header in SECURITY_HEADERS if header[0] not in names]
            if _NOT_STORED[0] not in names and self.scope["path"].startswith("/v1/"):
                headers.append(_NOT_STORED)
            headers.append((HEADER.encode(), self._request_id.encode()))
            if not await self._watch.settle():
                headers.append((b"connection", b"close"))
            message = {**message, "headers": headers}
        else:
            self.bytes_out += len(message.get("body", b""))
        await self._send(message)


def route_template(scope: Scope) -> str:
    """The route's template, e.g. ``/v1/jobs/{job_id}``: few values, whatever clients ask for."""
    included = scope.get("fastapi", {}).get("effective_route_context")
    route = included or scope.get("route")
    path: str | None = getattr(route, "path", None)
    if path is not None:
        return path
    return "static" if scope.get("endpoint") is not None else "unmatched"
