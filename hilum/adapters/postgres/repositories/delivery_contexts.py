"""Sealed contexts of deliveries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from hilum.adapters.postgres.database_clock import database_now
from hilum.adapters.postgres.tables import DELIVERIES, DELIVERY_CONTEXTS
from hilum.domain.delivery import DeliveryState

if TYPE_CHECKING:
    from collections.abc import Collection
    from uuid import UUID

    from sqlalchemy.engine import Connection

_UNSETTLED: Final = sa.or_(
    DELIVERIES.c.state.in_(
        [
            state.value
            for state in (
                DeliveryState.RECEIVED,
                DeliveryState.QUEUED,
                DeliveryState.RUNNING,
                DeliveryState.FAILED,
            )
        ]
    ),
    sa.and_(
        DELIVERIES.c.state == DeliveryState.SENT.value, DELIVERIES.c.transaction_uid.is_not(None)
    ),
)


class SqlDeliveryContextRepository:
    """Contexts in the database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def wanted(self, job_ids: Collection[UUID]) -> Collection[UUID]:
        """Return the jobs with a delivery that is not settled."""
        query = sa.select(DELIVERIES.c.job_id).distinct()
        of_these = query.where(DELIVERIES.c.job_id.in_(list(job_ids)), _UNSETTLED)
        return set(self._connection.execute(of_these).scalars())

    def keep(self, job_id: UUID, document: bytes, key_id: str) -> None:
        """Keep the context of a job."""
        own = DELIVERY_CONTEXTS.c.job_id == job_id
        self._connection.execute(sa.delete(DELIVERY_CONTEXTS).where(own))
        row = {"job_id": job_id, "document": document, "key_id": key_id}
        self._connection.execute(
            sa.insert(DELIVERY_CONTEXTS).values(**row, created_at=database_now())
        )

    def get(self, job_id: UUID) -> bytes | None:
        """Return the context of a job."""
        own = DELIVERY_CONTEXTS.c.job_id == job_id
        query = sa.select(DELIVERY_CONTEXTS.c.document).where(own)
        document: bytes | None = self._connection.execute(query).scalar()
        return document

    def drop_settled(self) -> int:
        """Remove what no delivery needs any more."""
        needed = sa.select(DELIVERIES.c.id).where(
            DELIVERIES.c.job_id == DELIVERY_CONTEXTS.c.job_id, _UNSETTLED
        )
        gone = sa.delete(DELIVERY_CONTEXTS).where(~needed.exists())
        return self._connection.execute(gone).rowcount
