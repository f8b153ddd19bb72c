"""Sessions of people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from hilum.adapters.postgres.execution import Statement
from hilum.adapters.postgres.insertion import insert_absent
from hilum.adapters.postgres.tables import SESSIONS
from hilum.domain.access import Session
from hilum.domain.principal import PrincipalKind

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy.engine import Connection

_NOW = sa.bindparam("now", type_=SESSIONS.c.expires_at.type)
_GET = Statement(sa.select(*SESSIONS.c).where(SESSIONS.c.id_digest == sa.bindparam("wanted")))
_REVOKE = (
    sa.update(SESSIONS)
    .where(SESSIONS.c.id_digest == sa.bindparam("wanted"), SESSIONS.c.revoked_at.is_(None))
    .values(revoked_at=_NOW)
)
_ENDED = sa.select(SESSIONS.c.id_digest).where(
    SESSIONS.c.id_digest.in_(sa.bindparam("digests", expanding=True)),
    sa.or_(SESSIONS.c.revoked_at.is_not(None), SESSIONS.c.expires_at <= _NOW),
)
_REMOVE = sa.delete(SESSIONS).where(SESSIONS.c.expires_at <= _NOW)


class SqlSessionRepository:
    """See :class:`hilum.application.ports.sessions.SessionRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, session: Session) -> None:
        """Add a session, unless there is one with its digest."""
        row = {
            "id_digest": session.id_digest,
            "principal_kind": session.principal_kind.value,
            "principal_id": session.principal_id,
            "created_at": session.created_at,
            "expires_at": session.expires_at,
            "revoked_at": session.revoked_at,
        }
        insert_absent(self._connection, SESSIONS.c.id_digest, [row])

    def get(self, id_digest: str) -> Session | None:
        """Return a session, ended ones too, or None."""
        row = _GET.first(self._connection, {"wanted": id_digest})
        return Session(row[0], PrincipalKind(row[1]), *row[2:]) if row else None

    def revoke(self, id_digest: str, now: datetime) -> None:
        """End a session that is not ended yet."""
        self._connection.execute(_REVOKE, {"wanted": id_digest, "now": now})

    def ended(self, digests: Collection[str], now: datetime) -> frozenset[str]:
        """Return which of these were ended or have expired. One without a row is none of them."""
        rows = self._connection.execute(_ENDED, {"digests": sorted(digests), "now": now})
        return frozenset(rows.scalars())

    def remove_expired(self, now: datetime) -> None:
        """Remove sessions that have expired."""
        self._connection.execute(_REMOVE, {"now": now})
