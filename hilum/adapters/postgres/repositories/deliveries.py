"""Deliveries, and how far their objects are."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from hilum.adapters.postgres.database_clock import database_later, database_now
from hilum.adapters.postgres.execution import Statement
from hilum.adapters.postgres.repositories.work import SqlWorkRepository, WorkStatements
from hilum.adapters.postgres.repositories.work_table import WorkTable
from hilum.adapters.postgres.tables import DELIVERIES, INSTANCES, JOBS
from hilum.application.ports.deliveries import DeliveryFilter, DestinationDepth
from hilum.domain.delivery import (
    DELIVERY,
    DeliveredObject,
    Delivery,
    DeliveryState,
    ObjectState,
)
from hilum.domain.destination import ObjectKind
from hilum.domain.work import WorkEvent

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime, timedelta
    from uuid import UUID

    from sqlalchemy.engine import Connection

_COLUMN: Final = DELIVERIES.c
_FIELDS: Final = tuple(each.name for each in fields(DeliveredObject))


def _document(objects: Iterable[DeliveredObject]) -> list[dict[str, Any]]:
    return [{**asdict(one), "kind": one.kind.value, "state": one.state.value} for one in objects]


def _objects(document: Iterable[Mapping[str, Any]]) -> tuple[DeliveredObject, ...]:
    known = [{name: one[name] for name in _FIELDS if name in one} for one in document]
    return tuple(
        DeliveredObject(
            **{**one, "kind": ObjectKind(one["kind"]), "state": ObjectState(one["state"])}
        )
        for one in known
    )


_AGAIN: Final = {"queued_at": database_now(), "sent_at": None, "transaction_uid": None}

DELIVERY_STATEMENTS: Final = WorkStatements(
    WorkTable(
        DELIVERIES,
        DELIVERY,
        Delivery,
        flow="destination_id",
        limited=True,
        readers={"objects": _objects},
        writers={"objects": _document},
    ),
    {
        WorkEvent.DELIVER: {"sent_at": database_now()},
        WorkEvent.RETRY: _AGAIN,
        WorkEvent.DENY: _AGAIN,
    },
)
_COLUMNS: Final = DELIVERY_STATEMENTS.work.columns
_NEW: Final = {
    "objects": sa.bindparam("new_objects", type_=_COLUMN.objects.type),
    "transaction_uid": sa.bindparam("new_uid", type_=sa.Text),
}
_KEPT: Final = Statement(
    sa.update(DELIVERIES)
    .where(_COLUMN.id == sa.bindparam("wanted_id"))
    .values(_NEW)
    .returning(_COLUMN.id)
)
_PROGRESS: Final = Statement(
    sa.update(DELIVERIES)
    .where(
        _COLUMN.id == sa.bindparam("wanted_id"),
        _COLUMN.started_at == sa.bindparam("claimed_at", type_=_COLUMN.started_at.type),
        _COLUMN.state == DeliveryState.RUNNING.value,
    )
    .values(_NEW)
    .returning(_COLUMN.id)
)
_OF_TRANSACTION: Final = Statement(
    sa.select(*_COLUMNS).where(_COLUMN.transaction_uid == sa.bindparam("wanted"))
)
_SILENT: Final = (
    sa.select(*_COLUMNS)
    .where(
        _COLUMN.state == sa.literal_column(f"'{DeliveryState.SENT.value}'"),
        _COLUMN.transaction_uid.is_not(None),
        _COLUMN.sent_at <= database_later("minus_age_s"),
    )
    .order_by(_COLUMN.sent_at, _COLUMN.id)
    .limit(sa.bindparam("at_most", type_=sa.Integer))
)
_UNSETTLED: Final = (DeliveryState.QUEUED, DeliveryState.RUNNING, DeliveryState.FAILED)
_BY_DESTINATION: Final = (
    sa.select(
        _COLUMN.destination_id, _COLUMN.state, sa.func.count(), sa.func.min(_COLUMN.queued_at)
    )
    .where(_COLUMN.state.in_([state.value for state in _UNSETTLED]))
    .group_by(_COLUMN.destination_id, _COLUMN.state)
)


class SqlDeliveryRepository(SqlWorkRepository[Delivery]):
    """See :class:`hilum.application.ports.deliveries.DeliveryRepository`."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, DELIVERY_STATEMENTS)

    def progress(
        self,
        delivery: Delivery,
        objects: Sequence[DeliveredObject],
        transaction_uid: str | None = None,
    ) -> bool:
        """Store the state of the objects; False if the claim is over."""
        values = {
            "wanted_id": delivery.id,
            "claimed_at": delivery.started_at,
            "new_objects": _document(objects),
            "new_uid": transaction_uid,
        }
        return _PROGRESS.first(self._connection, values) is not None

    def keep(
        self, delivery_id: UUID, objects: Sequence[DeliveredObject], transaction_uid: str | None
    ) -> None:
        """Store the state of the objects in the transaction that ended the run."""
        new = {"new_objects": _document(objects), "new_uid": transaction_uid}
        _KEPT.first(self._connection, {"wanted_id": delivery_id, **new})

    def newest(
        self, which: DeliveryFilter, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[Delivery]:
        """Return deliveries, newest first."""
        query = sa.select(*_COLUMNS)
        if which.sites is not None:
            query = query.where(_COLUMN.site.in_(sorted(which.sites)))
        if which.states is not None:
            query = query.where(_COLUMN.state.in_(sorted(each.value for each in which.states)))
        if which.destination_id is not None:
            query = query.where(_COLUMN.destination_id == which.destination_id)
        if which.job_id is not None:
            query = query.where(_COLUMN.job_id == which.job_id)
        if after is not None:
            at, last = after
            place = sa.tuple_(
                sa.literal(at, _COLUMN.created_at.type), sa.literal(last, _COLUMN.id.type)
            )
            query = query.where(sa.tuple_(_COLUMN.created_at, _COLUMN.id) < place)
        return self._some(query.order_by(_COLUMN.created_at.desc(), _COLUMN.id.desc()).limit(limit))

    def sent_of_image(self, delivery: Delivery) -> Collection[str]:
        """Return what the destination took of results of the same image."""
        own = sa.select(INSTANCES.c.sop_instance_uid).join(
            JOBS, sa.and_(JOBS.c.instance_id == INSTANCES.c.id, JOBS.c.id == delivery.job_id)
        )
        query = (
            sa.select(_COLUMN.objects)
            .join(JOBS, JOBS.c.id == _COLUMN.job_id)
            .join(INSTANCES, INSTANCES.c.id == JOBS.c.instance_id)
            .where(
                INSTANCES.c.sop_instance_uid == own.scalar_subquery(),
                _COLUMN.destination_id == delivery.destination_id,
                _COLUMN.id != delivery.id,
            )
        )
        return {
            one.sop_instance_uid
            for document in self._connection.execute(query).scalars()
            for one in _objects(document)
            if one.state is ObjectState.SENT
        }

    def of_transaction(self, transaction_uid: str) -> Delivery | None:
        """Return the delivery for which a storage commitment was asked under this UID."""
        return self._one(_OF_TRANSACTION, wanted=transaction_uid)

    def silent(self, age: timedelta, limit: int) -> Sequence[Delivery]:
        """Return sent deliveries whose commitment was asked for so long ago and never came."""
        return self._some(_SILENT, minus_age_s=-age.total_seconds(), at_most=limit)

    def by_destination(self) -> Mapping[str, DestinationDepth]:
        """Return what waits and what failed, by destination."""
        found: dict[str, DestinationDepth] = {}
        for name, state, number, oldest in self._connection.execute(_BY_DESTINATION):
            depth = found.get(name, DestinationDepth(0, None, 0))
            if state == DeliveryState.FAILED.value:
                found[name] = DestinationDepth(depth.waiting, depth.oldest_waiting_at, number)
                continue
            known = depth.oldest_waiting_at
            first = oldest if known is None else min(oldest, known)
            found[name] = DestinationDepth(depth.waiting + number, first, depth.failed)
        return found
