"""Associations of DICOM peers."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import sqlalchemy as sa

from hilum.adapters.postgres.database_clock import database_later
from hilum.adapters.postgres.insertion import insert
from hilum.adapters.postgres.tables import ASSOCIATIONS
from hilum.domain.association import Association, AssociationOutcome

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from sqlalchemy.engine import Connection


class SqlAssociationRepository:
    """See :class:`hilum.application.ports.associations.AssociationRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, association: Association) -> None:
        """Add an association that has ended."""
        row = asdict(association) | {"outcome": association.outcome.value}
        insert(self._connection, ASSOCIATIONS, [row])

    def newest(
        self, limit: int, *, sites: frozenset[str] | None = None, accepted: bool | None = None
    ) -> Sequence[Association]:
        """Return associations, newest first."""
        query = sa.select(ASSOCIATIONS)
        if sites is not None:
            query = query.where(ASSOCIATIONS.c.site.in_(sorted(sites)))
        if accepted is not None:
            is_accepted = ASSOCIATIONS.c.outcome == AssociationOutcome.ACCEPTED.value
            query = query.where(is_accepted if accepted else ~is_accepted)
        order = (ASSOCIATIONS.c.began_at.desc(), ASSOCIATIONS.c.id.desc())
        rows = self._connection.execute(query.order_by(*order).limit(limit)).mappings()
        return [
            Association(**{**row, "outcome": AssociationOutcome(row["outcome"])}) for row in rows
        ]

    def remove_old(self, age: timedelta, most: int) -> int:
        """Remove associations that began so long ago by the database's clock; how many."""
        old = (
            sa.select(ASSOCIATIONS.c.id)
            .where(ASSOCIATIONS.c.began_at < database_later("ago_s"))
            .order_by(ASSOCIATIONS.c.began_at, ASSOCIATIONS.c.id)
            .limit(most)
        )
        gone = sa.delete(ASSOCIATIONS).where(ASSOCIATIONS.c.id.in_(old))
        return self._connection.execute(gone, {"ago_s": -age.total_seconds()}).rowcount
