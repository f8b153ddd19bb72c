"""API keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from hilum.adapters.postgres.execution import Statement
from hilum.adapters.postgres.insertion import insert
from hilum.adapters.postgres.tables import API_KEYS, ROLE_GRANTS
from hilum.domain.access import FIRST_ROLES, ApiKey
from hilum.domain.principal import PrincipalKind, Role

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

_KIND: Final = PrincipalKind.API_KEY.value
_STAND_IN: Final = Role.VIEWER.value
"""What the previous release takes a key for whose role it does not know."""

_GRANTED = (
    sa.select(sa.func.min(ROLE_GRANTS.c.role))
    .where(
        API_KEYS.c.role == _STAND_IN,
        ROLE_GRANTS.c.principal_kind == _KIND,
        ROLE_GRANTS.c.principal_id == API_KEYS.c.id,
        ROLE_GRANTS.c.site == API_KEYS.c.site,
        ROLE_GRANTS.c.revoked_at.is_(None),
    )
    .scalar_subquery()
)
_COLUMNS = (
    API_KEYS.c.id,
    API_KEYS.c.name,
    sa.func.coalesce(_GRANTED, API_KEYS.c.role),
    API_KEYS.c.site,
    API_KEYS.c.digest,
    API_KEYS.c.created_at,
    API_KEYS.c.revoked_at,
)
_GET = Statement(sa.select(*_COLUMNS).where(API_KEYS.c.id == sa.bindparam("wanted_id")))
_ALL = sa.select(*_COLUMNS).order_by(API_KEYS.c.created_at, API_KEYS.c.id)
_REVOKE = Statement(
    sa.update(API_KEYS)
    .where(API_KEYS.c.id == sa.bindparam("wanted_id"), API_KEYS.c.revoked_at.is_(None))
    .values(revoked_at=sa.bindparam("now", type_=API_KEYS.c.revoked_at.type))
    .returning(API_KEYS.c.id)
)


class SqlApiKeyRepository:
    """See :class:`hilum.application.ports.repositories.ApiKeyRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, key: ApiKey, *, granted_by: str) -> None:
        """Add a key. A role that the previous release does not know becomes a grant."""
        known = key.role in FIRST_ROLES
        row = {
            "id": key.id,
            "name": key.name,
            "role": key.role.value if known else _STAND_IN,
            "site": key.site,
            "digest": key.digest,
            "created_at": key.created_at,
            "revoked_at": key.revoked_at,
        }
        insert(self._connection, API_KEYS, [row])
        if not known:
            grant = {
                "principal_kind": _KIND,
                "principal_id": key.id,
                "role": key.role.value,
                "site": key.site,
                "granted_by": granted_by,
                "granted_at": key.created_at,
                "revoked_at": None,
            }
            insert(self._connection, ROLE_GRANTS, [grant])

    def get(self, key_id: str) -> ApiKey | None:
        """A key by its public id, revoked ones too."""
        row = _GET.first(self._connection, {"wanted_id": key_id})
        return _key(row) if row else None

    def all(self) -> Sequence[ApiKey]:
        """Every key, oldest first."""
        return [_key(row) for row in self._connection.execute(_ALL)]

    def revoke(self, key_id: str, now: datetime) -> ApiKey | None:
        """Revoke a key; None if there is no such key or it is revoked already."""
        revoked = _REVOKE.first(self._connection, {"wanted_id": key_id, "now": now})
        return self.get(key_id) if revoked else None


def _key(row: Sequence[Any]) -> ApiKey:
    key_id, name, role, site, digest, created_at, revoked_at = row
    return ApiKey(key_id, name, Role(role), site, digest, created_at, revoked_at)
