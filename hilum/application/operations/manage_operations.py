"""Start, watch and stop operations."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from uuid import uuid4

from hilum.domain.audit import AuditEvent
from hilum.domain.errors import (
    BrokerUnavailable,
    InvalidRequest,
    NotFound,
    TransitionNotAllowed,
)
from hilum.domain.operation import OPERATION, Operation, OperationState
from hilum.domain.principal import ALL_SITES, Permission, Principal
from hilum.domain.work import Priority, WorkEvent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from hilum.application.operations.run_operation import OperationKind
    from hilum.application.ports.task_queue import TaskQueue
    from hilum.application.ports.unit_of_work import Transaction, UnitOfWork

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WantedOperation:
    """What is asked for.

    Attributes:
        does: Name of what is done.
        purpose: Why, for people.
        site: Where; None for every site of the principal.
        arguments: Of what is done.
        rate: Most items a second; None for no limit.
    """

    does: str
    purpose: str
    site: str | None = None
    arguments: Mapping[str, str] = field(default_factory=dict)
    rate: float | None = None


class ManageOperations:
    """Operations, for who may do to one item what they do to many."""

    def __init__(
        self,
        *,
        unit_of_work: UnitOfWork,
        queue: TaskQueue,
        kinds: Mapping[str, OperationKind],
    ) -> None:
        self._unit_of_work = unit_of_work
        self._queue = queue
        self._kinds = kinds

    def start(
        self,
        wanted: WantedOperation,
        principal: Principal,
        request_id: str,
        traceparent: str | None = None,
    ) -> Operation:
        """Queue an operation. The trace context of the request is kept with it.

        Raises:
            InvalidRequest: No such operation, or not with these arguments.
            NotPermitted: The principal may not do this at the site.
            DatabaseUnavailable: Nothing is known to be queued.
        """
        kind = self._kinds.get(wanted.does)
        if kind is None:
            raise InvalidRequest(f"no operation {wanted.does}")
        everywhere = principal.sites(kind.permission) is None
        site = wanted.site or (ALL_SITES if everywhere else None)
        site = principal.site_for(kind.permission, site)
        # What a caller may name as it likes comes first: it replaces none of the facts.
        details: dict[str, str | float] = {
            **wanted.arguments,
            "does": wanted.does,
            "site": site,
            "reason": wanted.purpose,
        }
        if wanted.rate is not None:
            details["rate"] = wanted.rate
        with self._unit_of_work.begin() as transaction:
            operation = _new(wanted, site, principal, transaction.now)
            operation = replace(
                operation,
                total=_total(kind, transaction, operation),
                traceparent=traceparent,
                request_id=request_id or None,
            )
            transaction.operations.add(transaction.flows(OPERATION.kind).tagged([operation]))
            transaction.audit.append([_event(operation, "queued", principal, request_id, details)])
        self._wake(operation)
        return operation

    def get(self, operation_id: UUID, principal: Principal) -> Operation:
        """Return an operation with its progress.

        Raises:
            NotFound: No such operation at a site where the principal may read jobs.
        """
        with self._unit_of_work.begin(write=False) as transaction:
            return _visible(transaction, operation_id, principal)

    def all(self, principal: Principal, limit: int) -> Sequence[Operation]:
        """Return the newest operations of the sites where the principal may read jobs."""
        sites = principal.sites(Permission.READ_JOBS)
        with self._unit_of_work.begin(write=False) as transaction:
            return transaction.operations.newest(sites, limit)

    def stop(self, operation_id: UUID, principal: Principal, request_id: str) -> Operation:
        """End an operation after its present chunk.

        Raises:
            NotPermitted: The principal may not do what it does at its site.
            NotFound: No such operation for this principal.
            TransitionNotAllowed: It has ended.
        """
        return self._change(operation_id, WorkEvent.STOP, principal, request_id)

    def retry(self, operation_id: UUID, principal: Principal, request_id: str) -> Operation:
        """Queue a failed operation again. It goes on at its cursor.

        Raises:
            NotPermitted: The principal may not do what it does at its site.
            NotFound: No such operation for this principal.
            TransitionNotAllowed: It has not failed.
        """
        operation = self._change(operation_id, WorkEvent.RETRY, principal, request_id)
        self._wake(operation)
        return operation

    def _change(
        self, operation_id: UUID, event: WorkEvent, principal: Principal, request_id: str
    ) -> Operation:
        principal.require(Permission.OPERATE_QUEUE)
        with self._unit_of_work.begin() as transaction:
            operation = _visible(transaction, operation_id, principal)
            kind = self._kinds.get(operation.does)
            needed = Permission.OPERATE_QUEUE if kind is None else kind.permission
            principal.require(needed, operation.site)
            changed = transaction.operations.change(operation, event)
            if changed is None:
                raise TransitionNotAllowed(
                    f"operation {operation_id} was changed by somebody else just now"
                )
            if event is WorkEvent.RETRY:
                transaction.flows(OPERATION.kind).enqueue([changed])
            transaction.audit.append([_event(changed, event.value, principal, request_id)])
        return changed

    def _wake(self, operation: Operation) -> None:
        try:
            self._queue.wake([operation.priority], OPERATION.kind)
        except BrokerUnavailable as error:
            facts = {"operation_id": str(operation.id), "error": error.sentence}
            _LOG.warning("wakeup.failed", extra=facts)


def _new(wanted: WantedOperation, site: str, principal: Principal, now: datetime) -> Operation:
    return Operation(
        id=uuid4(),
        site=site,
        state=OPERATION.after(OperationState.RECEIVED, WorkEvent.ENQUEUE),
        priority=Priority.ROUTINE,
        created_at=now,
        updated_at=now,
        does=wanted.does,
        arguments=dict(wanted.arguments),
        principal=f"{principal.kind.value}:{principal.id}",
        purpose=wanted.purpose,
        rate=wanted.rate,
    )


def _total(kind: OperationKind, transaction: Transaction, operation: Operation) -> int:
    try:
        return kind.total(transaction, operation)
    except (KeyError, ValueError) as error:
        raise InvalidRequest(f"{operation.does} cannot be done with these arguments") from error


def _visible(transaction: Transaction, operation_id: UUID, principal: Principal) -> Operation:
    operation = transaction.operations.get(operation_id)
    if operation is None or not principal.holds(Permission.READ_JOBS, operation.site):
        raise NotFound(f"no operation {operation_id}")
    return operation


def _event(
    operation: Operation,
    what: str,
    principal: Principal,
    request_id: str,
    details: Mapping[str, str | float] | None = None,
) -> AuditEvent:
    return AuditEvent(
        actor=principal,
        action=f"operation.{what}",
        object_type="operation",
        object_id=str(operation.id),
        at=operation.updated_at,
        request_id=request_id,
        details=dict(details or {}),
    )
