"""Pause and resume the work of a site."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from hilum.domain.audit import AuditEvent
from hilum.domain.errors import InvalidRequest, TransitionNotAllowed
from hilum.domain.job import ANALYSIS
from hilum.domain.operation import OPERATION
from hilum.domain.principal import Permission

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from hilum.application.ports.unit_of_work import UnitOfWork
    from hilum.domain.principal import Principal
    from hilum.domain.work_flow import WorkFlow

KINDS: Final = (ANALYSIS.kind, OPERATION.kind)
"""Kinds whose flows are sites."""


class OperateFlows:
    """Flows of work, whose names are sites. A pause ends by itself.

    Every change needs the permission at the site, and is audited.
    """

    def __init__(self, *, unit_of_work: UnitOfWork) -> None:
        self._unit_of_work = unit_of_work

    def all(self, principal: Principal) -> Sequence[WorkFlow]:
        """Return the flows of the sites where the principal may read jobs.

        Raises:
            NotPermitted: It may read jobs nowhere.
        """
        principal.require(Permission.READ_JOBS)
        with self._unit_of_work.begin(write=False) as transaction:
            found = [flow for kind in KINDS for flow in transaction.flows(kind).all()]
        return [flow for flow in found if principal.holds(Permission.READ_JOBS, flow.flow)]

    def pause(
        self, flow: WorkFlow, length: timedelta, reason: str, principal: Principal, request_id: str
    ) -> None:
        """Let no item of a flow be claimed for a while. What runs is finished.

        Raises:
            NotPermitted: The principal may not operate at this site.
            InvalidRequest: No such kind of work.
        """
        _check(flow, principal)
        details: dict[str, str | float] = {"reason": reason, "seconds": length.total_seconds()}
        with self._unit_of_work.begin() as transaction:
            transaction.flows(flow.kind).pause(flow.priority, flow.flow, length, reason)
            event = _event("pause", flow, principal, request_id, transaction.now)
            transaction.audit.append([replace(event, details=details)])

    def resume(self, flow: WorkFlow, principal: Principal, request_id: str) -> None:
        """End a pause.

        Raises:
            NotPermitted: The principal may not operate at this site.
            InvalidRequest: No such kind of work.
            TransitionNotAllowed: The flow is not paused.
        """
        _check(flow, principal)
        with self._unit_of_work.begin() as transaction:
            if not transaction.flows(flow.kind).resume(flow.priority, flow.flow):
                raise TransitionNotAllowed(f"{flow.kind} of {flow.flow} is not paused")
            transaction.audit.append(
                [_event("resume", flow, principal, request_id, transaction.now)]
            )


def _event(
    act: str, flow: WorkFlow, principal: Principal, request_id: str, now: datetime
) -> AuditEvent:
    return AuditEvent(principal, f"flow.{act}", "flow", flow.name, now, request_id)


def _check(flow: WorkFlow, principal: Principal) -> None:
    principal.require(Permission.OPERATE_QUEUE, flow.flow)
    if flow.kind not in KINDS:
        raise InvalidRequest(f"no kind of work {flow.kind}")
