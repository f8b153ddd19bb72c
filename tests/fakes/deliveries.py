"""Destinations and deliveries in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hilum.application.ports.deliveries import DestinationDepth
from hilum.domain.delivery import DELIVERY, DeliveryState, ObjectState
from tests.fakes.work import InMemoryWork

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime, timedelta
    from uuid import UUID

    from hilum.application.ports.deliveries import DeliveryFilter
    from hilum.domain.delivery import DeliveredObject, Delivery
    from hilum.domain.destination import Destination
    from tests.fakes.repositories import Rows


class InMemoryDestinations:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def add(self, destination: Destination) -> bool:
        self._rows.require_writable()
        return self._rows.destinations.setdefault(destination.id, destination) is destination

    def change(self, destination: Destination) -> bool:
        self._rows.require_writable()
        if destination.id not in self._rows.destinations:
            return False
        self._rows.destinations[destination.id] = destination
        return True

    def remove(self, destination_id: str) -> bool:
        self._rows.require_writable()
        return self._rows.destinations.pop(destination_id, None) is not None

    def get(self, destination_id: str) -> Destination | None:
        return self._rows.destinations.get(destination_id)

    def all(self) -> Sequence[Destination]:
        return sorted(self._rows.destinations.values(), key=lambda one: (one.site, one.id))

    def of_site(self, site: str) -> Sequence[Destination]:
        return [one for one in self.all() if one.site == site and one.enabled]


class InMemoryDeliveryContexts:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def wanted(self, job_ids: Collection[UUID]) -> Collection[UUID]:
        unsettled = {
            DeliveryState.RECEIVED,
            DeliveryState.QUEUED,
            DeliveryState.RUNNING,
            DeliveryState.FAILED,
        }
        return {
            one.job_id
            for one in self._rows.deliveries.values()
            if one.job_id in job_ids
            and (
                one.state in unsettled
                or (one.state is DeliveryState.SENT and one.transaction_uid is not None)
            )
        }

    def keep(self, job_id: UUID, document: bytes, key_id: str) -> None:
        self._rows.require_writable()
        self._rows.delivery_contexts[job_id] = (document, key_id)

    def get(self, job_id: UUID) -> bytes | None:
        return self._rows.delivery_contexts.get(job_id, (None,))[0]

    def drop_settled(self) -> int:
        self._rows.require_writable()
        known = self._rows.delivery_contexts
        gone = known.keys() - set(self.wanted(set(known)))
        for job_id in gone:
            del known[job_id]
        return len(gone)


class InMemoryDeliveries(InMemoryWork):
    def __init__(self, rows: Rows) -> None:
        super().__init__(rows, DELIVERY)

    def progress(
        self,
        delivery: Delivery,
        objects: Sequence[DeliveredObject],
        transaction_uid: str | None = None,
    ) -> bool:
        self._rows.require_writable()
        known = self._rows.deliveries.get(delivery.id)
        running = known is not None and known.state is DeliveryState.RUNNING
        if known is None or not running or known.started_at != delivery.started_at:
            return False
        self._rows.deliveries[known.id] = replace(
            known, objects=tuple(objects), transaction_uid=transaction_uid
        )
        return True

    def keep(
        self, delivery_id: UUID, objects: Sequence[DeliveredObject], transaction_uid: str | None
    ) -> None:
        self._rows.require_writable()
        self._rows.deliveries[delivery_id] = replace(
            self._rows.deliveries[delivery_id],
            objects=tuple(objects),
            transaction_uid=transaction_uid,
        )

    def newest(
        self, which: DeliveryFilter, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[Delivery]:
        found = [
            one
            for one in self._rows.deliveries.values()
            if (which.sites is None or one.site in which.sites)
            and (which.states is None or one.state in which.states)
            and which.destination_id in {None, one.destination_id}
            and which.job_id in {None, one.job_id}
            and (after is None or (one.created_at, one.id) < after)
        ]
        return sorted(found, key=lambda one: (one.created_at, one.id), reverse=True)[:limit]

    def sent_of_image(self, delivery: Delivery) -> Collection[str]:
        def image(one: Delivery) -> str | None:
            job = self._rows.jobs[one.job_id]
            return self._rows.instances[job.instance_id].sop_instance_uid

        return {
            item.sop_instance_uid
            for one in self._rows.deliveries.values()
            if one.id != delivery.id
            and one.destination_id == delivery.destination_id
            and image(one) == image(delivery)
            for item in one.objects
            if item.state is ObjectState.SENT
        }

    def of_transaction(self, transaction_uid: str) -> Delivery | None:
        known = self._rows.deliveries.values()
        return next((one for one in known if one.transaction_uid == transaction_uid), None)

    def silent(self, age: timedelta, limit: int) -> Sequence[Delivery]:
        until = self._rows.now() - age
        found = [
            (one.sent_at, one.id, one)
            for one in self._rows.deliveries.values()
            if one.state is DeliveryState.SENT
            and one.transaction_uid is not None
            and one.sent_at is not None
            and one.sent_at <= until
        ]
        return [one for *_, one in sorted(found, key=lambda entry: entry[:2])[:limit]]

    def by_destination(self) -> Mapping[str, DestinationDepth]:
        waits = {DeliveryState.QUEUED, DeliveryState.RUNNING}
        depths = {}
        for name in {one.destination_id for one in self._rows.deliveries.values()}:
            own = [one for one in self._rows.deliveries.values() if one.destination_id == name]
            waiting = [one.queued_at for one in own if one.state in waits]
            failed = sum(one.state is DeliveryState.FAILED for one in own)
            if waiting or failed:
                depths[name] = DestinationDepth(len(waiting), min(waiting, default=None), failed)
        return depths
