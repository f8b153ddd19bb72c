"""API keys: create, check, revoke."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilum.domain.access import (
    ALL_SITES,
    ApiKey,
    Role,
    digest_secret,
    format_key,
    new_key_text,
    parse_key,
)
from hilum.domain.audit import AuditEvent
from hilum.domain.errors import NotAuthenticated, NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hilum.application.ports.clock import Clock
    from hilum.application.ports.unit_of_work import UnitOfWork


class ManageKeys:
    """Keys are shown once, when they are made; the database holds digests."""

    def __init__(self, *, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    def create(
        self,
        name: str,
        role: Role,
        actor: str,
        *,
        site: str = ALL_SITES,
        only_if_none: bool = False,
    ) -> str | None:
        """Make a key.

        Args:
            name: For people.
            role: What it may do.
            actor: Who makes it, for the audit log.
            site: Site it is bound to; :data:`ALL_SITES` binds it to none.
            only_if_none: Make none, and return None, if there is a key that is not revoked.

        Returns:
            The key's text, to be shown once.
        """
        key_id, secret = new_key_text()
        now = self._clock.now()
        with self._unit_of_work.begin() as transaction:
            if only_if_none and any(k.revoked_at is None for k in transaction.api_keys.all()):
                return None
            transaction.api_keys.add(
                ApiKey(key_id, name, role, site, digest_secret(secret), created_at=now)
            )
            transaction.audit.append(
                [
                    AuditEvent(
                        actor=actor,
                        action="api_key.created",
                        object_type="api_key",
                        object_id=key_id,
                        at=now,
                        details={"name": name, "role": role.value, "site": site},
                    )
                ]
            )
        return format_key(key_id, secret)

    def authenticate(self, text: str) -> ApiKey:
        """The key behind a text.

        Raises:
            NotAuthenticated: Malformed, unknown or revoked; which of these is not told.
        """
        parsed = parse_key(text)
        key = None
        if parsed is not None:
            with self._unit_of_work.begin(write=False) as transaction:
                key = transaction.api_keys.get(parsed[0])
        if parsed is None or key is None or not key.matches(parsed[1]):
            raise NotAuthenticated("the API key is missing, unknown or revoked")
        return key

    def by_id(self, key_id: str) -> ApiKey:
        """The key that a session was opened with.

        Raises:
            NotAuthenticated: Unknown or revoked since.
        """
        with self._unit_of_work.begin(write=False) as transaction:
            key = transaction.api_keys.get(key_id)
        if key is None or key.revoked_at is not None:
            raise NotAuthenticated("the session's API key is unknown or revoked")
        return key

    def revoke(self, key_id: str, actor: str) -> ApiKey:
        """Revoke a key; it stops working with the next request.

        Raises:
            NotFound: No such key, or revoked already.
        """
        now = self._clock.now()
        with self._unit_of_work.begin() as transaction:
            key = transaction.api_keys.revoke(key_id, now)
            if key is None:
                raise NotFound(f"no key {key_id} that could be revoked")
            transaction.audit.append(
                [
                    AuditEvent(
                        actor=actor,
                        action="api_key.revoked",
                        object_type="api_key",
                        object_id=key_id,
                        at=now,
                    )
                ]
            )
        return key

    def all(self) -> Sequence[ApiKey]:
        """Every key, oldest first."""
        with self._unit_of_work.begin(write=False) as transaction:
            return transaction.api_keys.all()
