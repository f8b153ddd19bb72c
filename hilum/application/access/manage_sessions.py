"""Sessions of people: opened at the sign-in, looked up with every request, ended on the server."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from hilum.domain.access import Session, digest_secret, new_session_id
from hilum.domain.errors import NotAuthenticated
from hilum.domain.principal import PrincipalKind

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from hilum.application.ports.clock import Clock
    from hilum.application.ports.unit_of_work import UnitOfWork
    from hilum.domain.principal import Principal

SESSION_LENGTH: Final = timedelta(hours=12)
"""A working day. It is counted from the sign-in, whatever happens in between."""


class ManageSessions:
    """The database holds digests: who reads it cannot take a session over."""

    def __init__(self, *, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    def open(self, principal: Principal) -> tuple[str, datetime]:
        """Open a session.

        Returns:
            Its id, which only the browser keeps, and the time when it ends.
        """
        session_id = new_session_id()
        now = self._clock.now()
        ends = now + SESSION_LENGTH
        digest = digest_secret(session_id)
        with self._unit_of_work.begin() as transaction:
            transaction.sessions.remove_expired(now)
            transaction.sessions.add(Session(digest, principal.kind, principal.id, now, ends))
        return session_id, ends

    def principal(self, session_id: str, former_key: str | None = None) -> Principal:
        """Return who signed in.

        Args:
            session_id: As in the cookie.
            former_key: Id of the key that a cookie of the previous release names. Such a session
                has no row until it is ended.

        Raises:
            NotAuthenticated: The session was ended, has expired or is unknown, or its key was
                revoked.
        """
        now = self._clock.now()
        with self._unit_of_work.begin(write=False) as transaction:
            session = transaction.sessions.get(digest_secret(session_id))
            key_id = former_key if session is None else None
            if session is not None and session.is_open(now):
                is_of_key = session.principal_kind is PrincipalKind.API_KEY
                key_id = session.principal_id if is_of_key else None
            key = transaction.api_keys.get(key_id) if key_id is not None else None
        if key is None or key.revoked_at is not None:
            raise NotAuthenticated("the session is over; sign in again")
        return key.principal

    def close(self, session_id: str) -> None:
        """End a session. A copy of its cookie is of no use from now on."""
        with self._unit_of_work.begin() as transaction:
            transaction.sessions.revoke(digest_secret(session_id), self._clock.now())

    def close_former(self, session_id: str, key_id: str, expires_at: datetime) -> None:
        """End a session of the previous release, which has no row yet."""
        now = self._clock.now()
        digest, kind = digest_secret(session_id), PrincipalKind.API_KEY
        with self._unit_of_work.begin() as transaction:
            transaction.sessions.add(Session(digest, kind, key_id, now, expires_at, now))

    def ended(self, held: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        """Return which of these are not in force any more.

        Args:
            held: Id of a key and digest of a session. The digest is empty where the request came
                with the key itself.
        """
        now = self._clock.now()
        with self._unit_of_work.begin(write=False) as transaction:
            keys = {key.id for key in transaction.api_keys.all() if key.revoked_at is None}
            digests = {digest for _, digest in held if digest}
            over = transaction.sessions.ended(digests, now) if digests else frozenset()
        return {(key_id, digest) for key_id, digest in held if key_id not in keys or digest in over}
