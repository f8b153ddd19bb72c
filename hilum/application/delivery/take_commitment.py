"""What storage commitment says of deliveries, and what its silence says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from hilum.domain.audit import AuditEvent
from hilum.domain.delivery import DELIVERY, DeliveryState, ObjectState
from hilum.domain.errors import NotFound, TransitionNotAllowed
from hilum.domain.principal import RECONCILER
from hilum.domain.work import WorkEvent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hilum.application.ports.unit_of_work import Transaction, UnitOfWork
    from hilum.domain.delivery import Delivery
    from hilum.domain.principal import Principal

SILENCE: Final = timedelta(days=1)
"""A destination that did not report for so long gets its objects again."""

MOST_SILENT: Final = 100


def take_commitment(
    unit_of_work: UnitOfWork,
    transaction_uid: str,
    failed: Mapping[str, int],
    principal: Principal,
) -> Delivery:
    """Take the report of a storage commitment: confirmed, or everything is sent again.

    Args:
        unit_of_work: Holds the rows.
        transaction_uid: Under which it was asked for.
        failed: Failure Reason (0008,1197) by SOP Instance UID of what the peer does not keep.
        principal: The peer that reports.

    Returns:
        The delivery as it is now.

    Raises:
        NotFound: Nothing was asked of this peer's site under this UID.
        TransitionNotAllowed: The request is not even recorded as sent yet. To be asked again.
    """
    with unit_of_work.begin() as transaction:
        delivery = transaction.deliveries.of_transaction(transaction_uid)
        if delivery is None or not _may_report(principal, delivery.site):
            raise NotFound("no commitment was asked for under this Transaction UID")
        if delivery.state is DeliveryState.CONFIRMED:  # it reports once more
            return delivery
        if delivery.state is not DeliveryState.SENT:
            raise TransitionNotAllowed(f"a {delivery.state.value} delivery awaits no commitment")
        if failed:
            objects = [
                replace(one, state=ObjectState.WAITING, status=failed[one.sop_instance_uid])
                if one.sop_instance_uid in failed
                else one
                for one in delivery.objects
            ]
            return _deny(transaction, replace(delivery, objects=tuple(objects)), principal)
        changed = transaction.deliveries.change(delivery, WorkEvent.CONFIRM)
        if changed is None:
            raise TransitionNotAllowed("the delivery was changed just now")
        _audit(transaction, changed, "delivery.confirmed", principal)
        return changed


def deny_silent(transaction: Transaction) -> Sequence[Delivery]:
    """Queue again what was sent a day ago and whose commitment never came."""
    silent = transaction.deliveries.silent(SILENCE, MOST_SILENT)
    return [_deny(transaction, delivery, RECONCILER) for delivery in silent]


def _deny(transaction: Transaction, delivery: Delivery, principal: Principal) -> Delivery:
    changed = transaction.deliveries.change(delivery, WorkEvent.DENY)
    if changed is None:
        raise TransitionNotAllowed("the delivery was changed just now")
    transaction.flows(DELIVERY.kind).enqueue([changed])
    transaction.deliveries.keep(changed.id, delivery.objects, None)
    _audit(transaction, changed, "delivery.denied", principal)
    return replace(changed, objects=delivery.objects)


def _may_report(principal: Principal, site: str) -> bool:
    """Return whether a principal acts for a site at all: what a peer of it may do is submit."""
    return any(grant.site == site for grant in principal.grants)


def _audit(transaction: Transaction, delivery: Delivery, action: str, principal: Principal) -> None:
    event = AuditEvent(principal, action, "delivery", str(delivery.id), transaction.now)
    transaction.audit.append([event])
