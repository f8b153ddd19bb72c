"""API keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from hilum.adapters.postgres.execution import Statement
from hilum.adapters.postgres.insertion import insert
from hilum.adapters.postgres.tables import API_KEYS
from hilum.domain.access import ApiKey, Role

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

_COLUMNS = (
    API_KEYS.c.id,
    API_KEYS.c.name,
    API_KEYS.c.role,
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
    .returning(*_COLUMNS)
)


class SqlApiKeyRepository:
    """See :class:`hilum.application.ports.repositories.ApiKeyRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, key: ApiKey) -> None:
        """Add a key."""
        row = {
            "id": key.id,
            "name": key.name,
            "role": key.role.value,
            "site": key.site,
            "digest": key.digest,
            "created_at": key.created_at,
            "revoked_at": key.revoked_at,
        }
        insert(self._connection, API_KEYS, [row])

    def get(self, key_id: str) -> ApiKey | None:
        """A key by its public id, revoked ones too."""
        row = _GET.first(self._connection, {"wanted_id": key_id})
        return _key(row) if row else None

    def all(self) -> Sequence[ApiKey]:
        """Every key, oldest first."""
        return [_key(row) for row in self._connection.execute(_ALL)]

    def revoke(self, key_id: str, now: datetime) -> ApiKey | None:
        """Revoke a key; None if there is no such key or it is revoked already."""
        row = _REVOKE.first(self._connection, {"wanted_id": key_id, "now": now})
        return _key(row) if row else None


def _key(row: Sequence[Any]) -> ApiKey:
    key_id, name, role, site, digest, created_at, revoked_at = row
    return ApiKey(key_id, name, Role(role), site, digest, created_at, revoked_at)
