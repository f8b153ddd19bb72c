"""The cookie of a signed-in person.

It holds a random id, whose digest the database keeps. A session ends on the server: by sign-out,
after its time, or with its API key. A copy of the cookie ends with it.

For one release the cookie is also what the previous release expects, the signed id of a key and
the time when it ends, so that a person may meet gateways of both in turn during an upgrade
(docs/adr/0022).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from itsdangerous import BadData, URLSafeSerializer

from hilum.application.access.manage_sessions import SESSION_LENGTH
from hilum.domain.access import digest_secret
from hilum.domain.errors import NotAuthenticated

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection
    from starlette.responses import Response

    from hilum.application.access.manage_sessions import ManageSessions
    from hilum.application.ports.clock import Clock
    from hilum.domain.principal import Principal

_NAME: Final = "hilum_session"
_SECURE_NAME: Final = "__Host-hilum_session"
"""The prefix makes a browser refuse the cookie from another host or over HTTP (RFC 6265bis)."""


@dataclass(frozen=True, slots=True)
class _Cookie:
    """What a cookie says; its id is empty in one of the previous release."""

    key_id: str
    ends: float
    id: str

    @property
    def session_id(self) -> str:
        return self.id or f"{self.key_id} until {self.ends:.0f}"


class Sessions:
    """Opens, reads and closes sessions."""

    def __init__(
        self, *, secret: str, sessions: ManageSessions, clock: Clock, secure: bool
    ) -> None:
        """Prepares sessions.

        Args:
            secret: Signs the cookies.
            sessions: Keeps the sessions.
            clock: The time.
            secure: Cookies for HTTPS only, even where a request came in over HTTP (from a proxy).
        """
        self._serializer = URLSafeSerializer(
            secret, salt="hilum.session", signer_kwargs={"digest_method": hashlib.sha256}
        )
        self._sessions = sessions
        self._clock = clock
        self._secure = secure

    def open(self, request: HTTPConnection, response: Response, principal: Principal) -> None:
        """Open a session and put it into a response. Asks the database."""
        session_id, ends = self._sessions.open(principal)
        secure = self._is_secure(request)
        content = {"key": principal.id, "ends": int(ends.timestamp()), "id": session_id}
        response.set_cookie(
            _SECURE_NAME if secure else _NAME,
            self._serializer.dumps(content),
            max_age=int(SESSION_LENGTH.total_seconds()),
            path="/",
            secure=secure,
            httponly=True,
            samesite="strict",
        )

    def principal(self, request: HTTPConnection) -> tuple[Principal, str]:
        """Return who signed in, and the digest of the session. Asks the database.

        Raises:
            NotAuthenticated: No session, an ended or a forged one, or its key was revoked.
        """
        cookie = self._read(request)
        if self._clock.now().timestamp() >= cookie.ends:
            raise NotAuthenticated("the session is over; sign in again")
        former = None if cookie.id else cookie.key_id
        found = self._sessions.principal(cookie.session_id, former)
        return found, digest_secret(cookie.session_id)

    def close(self, request: HTTPConnection, response: Response) -> None:
        """End the session, if there is one, and take it out of the browser. Asks the database."""
        try:
            cookie = self._read(request)
        except NotAuthenticated:
            pass
        else:
            if cookie.id:
                self._sessions.close(cookie.session_id)
            else:
                ends = datetime.fromtimestamp(cookie.ends, UTC)
                self._sessions.close_former(cookie.session_id, cookie.key_id, ends)
        secure = self._is_secure(request)
        response.delete_cookie(
            _SECURE_NAME if secure else _NAME,
            path="/",
            secure=secure,
            httponly=True,
            samesite="strict",
        )

    def _read(self, request: HTTPConnection) -> _Cookie:
        text = request.cookies.get(_SECURE_NAME if self._is_secure(request) else _NAME)
        if text is None:
            raise NotAuthenticated("nobody is signed in")
        try:
            content: dict[str, Any] = self._serializer.loads(text)
            return _Cookie(
                str(content["key"]), float(content["ends"]), str(content.get("id") or "")
            )
        except (BadData, AttributeError, KeyError, TypeError, ValueError) as error:
            raise NotAuthenticated("the session cannot be read; sign in again") from error

    def _is_secure(self, request: HTTPConnection) -> bool:
        return self._secure or request.url.scheme == "https"
