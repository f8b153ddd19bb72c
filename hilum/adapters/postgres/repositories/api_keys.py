"""API keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

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
_ADD = sa.insert(API_KEYS)
_GET = sa.select(*_COLUMNS).where(API_KEYS.c.id == sa.bindparam("wanted_id"))
_ALL = sa.select(*_COLUMNS).order_by(API_KEYS.c.created_at, API_KEYS.c.id)
_REVOKE = (
    sa.update(API_KEYS)
    .where(API_KEYS.c.id == sa.bindparam("wanted_id"), API_KEYS.c.revoked_at.is_(None))
    .values(revoked_at=sa.bindparam("now"))
    .returning(*_COLUMNS)
)


class SqlApiKeyRepository:
    """See :class:`hilum.application.ports.repositories.ApiKeyRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, key: ApiKey) -> None:
        """Add a key."""
        self._connection.execute(
            _ADD,
            {
                "id": key.id,
                "name": key.name,
                "role": key.role.value,
                "site": key.site,
                "digest": key.digest,
                "created_at": key.created_at,
                "revoked_at": key.revoked_at,
            },
        )

    def get(self, key_id: str) -> ApiKey | None:
        """A key by its public id, revoked ones too."""
        row = self._connection.execute(_GET, {"wanted_id": key_id}).one_or_none()
        return _key(row) if row else None

    def all(self) -> Sequence[ApiKey]:
        """Every key, oldest first."""
        return [_key(row) for row in self._connection.execute(_ALL)]

    def revoke(self, key_id: str, now: datetime) -> ApiKey | None:
        """Revoke a key; None if there is no such key or it is revoked already."""
        row = self._connection.execute(_REVOKE, {"wanted_id": key_id, "now": now}).one_or_none()
        return _key(row) if row else None


def _key(row: Sequence[Any]) -> ApiKey:
    key_id, name, role, site, digest, created_at, revoked_at = row
    return ApiKey(key_id, name, Role(role), site, digest, created_at, revoked_at)
