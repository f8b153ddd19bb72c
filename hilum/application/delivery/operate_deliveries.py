"""Deliveries as operators see them: list, send again, give up."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from hilum.domain.audit import AuditEvent
from hilum.domain.delivery import DELIVERY
from hilum.domain.errors import BrokerUnavailable, NotFound, TransitionNotAllowed
from hilum.domain.principal import Permission
from hilum.domain.work import Reason, WorkEvent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from hilum.application.ports.deliveries import DeliveryFilter
    from hilum.application.ports.task_queue import TaskQueue
    from hilum.application.ports.unit_of_work import Transaction, UnitOfWork
    from hilum.domain.delivery import Delivery
    from hilum.domain.principal import Principal

_LOG = logging.getLogger(__name__)

DISCARDED = "discarded_by_operator"
"""Code of the reason of a delivery that an operator gave up."""


class OperateDeliveries:
    """Deliveries. A delivery of another site does not exist for a principal."""

    def __init__(self, *, unit_of_work: UnitOfWork, queue: TaskQueue | None) -> None:
        """Prepare.

        Args:
            unit_of_work: Holds the rows.
            queue: Gets wake-ups; None where the reconciler is to find what is queued.
        """
        self._unit_of_work = unit_of_work
        self._queue = queue

    def newest(
        self,
        which: DeliveryFilter,
        principal: Principal,
        after: tuple[datetime, UUID] | None = None,
        limit: int = 50,
    ) -> Sequence[Delivery]:
        """Return deliveries, newest first, of the sites at which the principal may read jobs.

        Raises:
            NotPermitted: It may read jobs nowhere.
        """
        principal.require(Permission.READ_JOBS)
        seen = principal.sites(Permission.READ_JOBS)
        if which.sites is not None and seen is not None:
            seen &= which.sites
        which = replace(which, sites=which.sites if seen is None else seen)
        with self._unit_of_work.begin(write=False) as transaction:
            return transaction.deliveries.newest(which, after, limit)

    def get(self, delivery_id: UUID, principal: Principal) -> Delivery:
        """Return a delivery.

        Raises:
            NotFound: No such delivery for this principal.
        """
        with self._unit_of_work.begin(write=False) as transaction:
            return _visible(transaction, delivery_id, principal, Permission.READ_JOBS)

    def retry(self, delivery_id: UUID, principal: Principal, request_id: str = "") -> Delivery:
        """Queue a dead letter again: what the destination has not taken is sent.

        Raises:
            NotPermitted: The principal may not operate at its site.
            NotFound: No such delivery for this principal.
            TransitionNotAllowed: It is no dead letter.
        """
        queued = self._change(delivery_id, WorkEvent.RETRY, principal, request_id)
        if self._queue is not None:
            try:
                self._queue.wake([queued.priority], DELIVERY.kind)
            except BrokerUnavailable as error:
                _LOG.warning("wakeup.failed", extra={"error": error.sentence})
        return queued

    def discard(
        self, delivery_id: UUID, why: str, principal: Principal, request_id: str = ""
    ) -> Delivery:
        """End a delivery that waits or is a dead letter for good.

        Raises:
            NotPermitted: The principal may not operate at its site.
            NotFound: No such delivery for this principal.
            TransitionNotAllowed: It runs, or was sent.
        """
        reason = Reason(DISCARDED, why)
        return self._change(delivery_id, WorkEvent.DISCARD, principal, request_id, reason)

    def _change(
        self,
        delivery_id: UUID,
        event: WorkEvent,
        principal: Principal,
        request_id: str,
        reason: Reason | None = None,
    ) -> Delivery:
        with self._unit_of_work.begin() as transaction:
            delivery = _visible(transaction, delivery_id, principal, Permission.OPERATE_QUEUE)
            changed = transaction.deliveries.change(delivery, event, reason)
            if changed is None:
                raise TransitionNotAllowed(f"delivery {delivery_id} was changed just now")
            if event is WorkEvent.RETRY:
                transaction.flows(DELIVERY.kind).enqueue([changed])
            transaction.audit.append(
                [
                    AuditEvent(
                        actor=principal,
                        action=f"delivery.{event.value}",
                        object_type="delivery",
                        object_id=str(delivery_id),
                        at=transaction.now,
                        request_id=request_id,
                        details={} if reason is None else {"reason": reason.detail},
                    )
                ]
            )
        return changed


def _visible(
    transaction: Transaction, delivery_id: UUID, principal: Principal, permission: Permission
) -> Delivery:
    principal.require(permission)
    found = transaction.deliveries.get(delivery_id)
    if found is None or not principal.holds(Permission.READ_JOBS, found.site):
        raise NotFound(f"no delivery {delivery_id}")
    principal.require(permission, found.site)
    return found
