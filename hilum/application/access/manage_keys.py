"""API keys: create, check, revoke."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilum.domain.access import ApiKey, digest_secret, format_key, new_key_text, parse_key
from hilum.domain.audit import AuditEvent
from hilum.domain.errors import NotAuthenticated, NotFound
from hilum.domain.principal import ALL_SITES, Permission, Principal, Role

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from hilum.application.ports.clock import Clock
    from hilum.application.ports.unit_of_work import UnitOfWork


class ManageKeys:
    """Keys are shown once, when they are made; the database holds digests.

    A principal that manages access at one site rules over the keys of that site alone.
    """

    def __init__(self, *, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    def create(
        self,
        name: str,
        role: Role,
        principal: Principal,
        *,
        site: str = ALL_SITES,
        only_if_none: bool = False,
    ) -> str | None:
        """Make a key.

        Args:
            name: For people.
            role: What it may do.
            principal: Who makes it.
            site: Site it is bound to; :data:`ALL_SITES` binds it to none.
            only_if_none: Make none, and return None, if there is a key that is not revoked.

        Returns:
            The key's text, to be shown once.

        Raises:
            NotPermitted: The principal does not manage access at this site.
        """
        principal.require(Permission.MANAGE_ACCESS, site)
        key_id, secret = new_key_text()
        now = self._clock.now()
        with self._unit_of_work.begin() as transaction:
            if only_if_none and any(k.revoked_at is None for k in transaction.api_keys.all()):
                return None
            transaction.api_keys.add(
                ApiKey(key_id, name, role, site, digest_secret(secret), created_at=now),
                granted_by=principal.id,
            )
            details = {"name": name, "role": role.value, "site": site}
            transaction.audit.append([_event("api_key.created", key_id, principal, now, details)])
        return format_key(key_id, secret)

    def authenticate(self, text: str) -> Principal:
        """Return who acts with a key.

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
        return key.principal

    def revoke(self, key_id: str, principal: Principal) -> ApiKey:
        """Revoke a key; it stops working with the next request.

        Raises:
            NotPermitted: The principal manages access nowhere.
            NotFound: No such key where it does, or revoked already.
        """
        principal.require(Permission.MANAGE_ACCESS)
        now = self._clock.now()
        with self._unit_of_work.begin() as transaction:
            key = transaction.api_keys.get(key_id)
            revoked = None
            if key is not None and principal.holds(Permission.MANAGE_ACCESS, key.site):
                revoked = transaction.api_keys.revoke(key_id, now)
            if revoked is None:
                raise NotFound(f"no key {key_id} that could be revoked")
            transaction.audit.append([_event("api_key.revoked", key_id, principal, now)])
        return revoked

    def all(self, principal: Principal) -> Sequence[ApiKey]:
        """Return every key of the sites where the principal manages access, oldest first.

        Raises:
            NotPermitted: It manages access nowhere.
        """
        principal.require(Permission.MANAGE_ACCESS)
        with self._unit_of_work.begin(write=False) as transaction:
            found = transaction.api_keys.all()
        return [key for key in found if principal.holds(Permission.MANAGE_ACCESS, key.site)]


def _event(
    action: str,
    key_id: str,
    principal: Principal,
    at: datetime,
    details: Mapping[str, str] | None = None,
) -> AuditEvent:
    return AuditEvent(
        actor=principal,
        action=action,
        object_type="api_key",
        object_id=key_id,
        at=at,
        details=details or {},
    )
