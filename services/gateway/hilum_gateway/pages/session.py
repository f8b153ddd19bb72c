"""The session of a signed-in person: a signed cookie that names an API key.

The cookie holds the key's public id and the moment when it ends, never the secret. The key is
looked up with every request, so that revoking it ends its sessions at once.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from itsdangerous import BadData, URLSafeSerializer

from hilum.domain.errors import NotAuthenticated

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection
    from starlette.responses import Response

    from hilum.application.ports.clock import Clock
    from hilum.application.use_cases.manage_keys import ManageKeys
    from hilum.domain.access import ApiKey

SESSION_LENGTH: Final = timedelta(hours=12)
"""A working day; counted from sign-in, whatever happens in between."""

_NAME: Final = "hilum_session"
_SECURE_NAME: Final = "__Host-hilum_session"
"""The prefix makes a browser refuse the cookie from another host or over HTTP (RFC 6265bis)."""


class Sessions:
    """Opens, reads and closes sessions."""

    def __init__(self, *, secret: str, keys: ManageKeys, clock: Clock, secure: bool) -> None:
        """Prepares sessions.

        Args:
            secret: Signs the cookies.
            keys: Knows which keys are in force.
            clock: The time.
            secure: Cookies for HTTPS only, even where a request came in over HTTP (from a proxy).
        """
        self._serializer = URLSafeSerializer(
            secret, salt="hilum.session", signer_kwargs={"digest_method": hashlib.sha256}
        )
        self._keys = keys
        self._clock = clock
        self._secure = secure

    def open(self, request: HTTPConnection, response: Response, key: ApiKey) -> None:
        """Put a fresh session into a response."""
        ends = int((self._clock.now() + SESSION_LENGTH).timestamp())
        secure = self._is_secure(request)
        response.set_cookie(
            _SECURE_NAME if secure else _NAME,
            self._serializer.dumps({"key": key.id, "ends": ends}),
            max_age=int(SESSION_LENGTH.total_seconds()),
            path="/",
            secure=secure,
            httponly=True,
            samesite="strict",
        )

    def key(self, request: HTTPConnection) -> ApiKey:
        """The key that the request's session was opened with. Asks the database.

        Raises:
            NotAuthenticated: No session, an ended or a forged one, or its key was revoked.
        """
        text = request.cookies.get(_SECURE_NAME if self._is_secure(request) else _NAME)
        if text is None:
            raise NotAuthenticated("nobody is signed in")
        try:
            content: dict[str, Any] = self._serializer.loads(text)
            key_id, ends = str(content["key"]), float(content["ends"])
        except (BadData, KeyError, TypeError, ValueError) as error:
            raise NotAuthenticated("the session cannot be read; sign in again") from error
        if self._clock.now().timestamp() >= ends:
            raise NotAuthenticated("the session is over; sign in again")
        return self._keys.by_id(key_id)

    def close(self, request: HTTPConnection, response: Response) -> None:
        """Take the session out of the browser."""
        secure = self._is_secure(request)
        response.delete_cookie(
            _SECURE_NAME if secure else _NAME,
            path="/",
            secure=secure,
            httponly=True,
            samesite="strict",
        )

    def _is_secure(self, request: HTTPConnection) -> bool:
        return self._secure or request.url.scheme == "https"
