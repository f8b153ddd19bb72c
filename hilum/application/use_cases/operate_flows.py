"""Pause and resume the work of a site."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hilum.domain.audit import AuditEvent
from hilum.domain.errors import InvalidRequest, TransitionNotAllowed
from hilum.domain.job import ANALYSIS
from hilum.domain.operation import OPERATION
from hilum.domain.principal import Permission

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from hilum.application.ports.clock import Clock
    from hilum.application.ports.unit_of_work import UnitOfWork
    from hilum.domain.principal import Principal
    from hilum.domain.work import Priority
    from hilum.domain.work_flow import WorkFlow

KINDS: Final = (ANALYSIS.kind, OPERATION.kind)
"""Kinds whose flows are sites."""


@dataclass(frozen=True, slots=True)
class FlowName:
    """Which flow."""

    kind: str
    priority: Priority
    site: str


class OperateFlows:
    """Flows of work, whose names are sites. A pause ends by itself.

    Every change needs the permission at the site, and is audited.
    """

    def __init__(self, *, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

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
        self, name: FlowName, length: timedelta, reason: str, principal: Principal, request_id: str
    ) -> None:
        """Let no item of a flow be claimed for a while. What runs is finished.

        Raises:
            NotPermitted: The principal may not operate at this site.
            InvalidRequest: No such kind of work.
        """
        _check(name, principal)
        details: dict[str, str | float] = {"reason": reason, "seconds": length.total_seconds()}
        with self._unit_of_work.begin() as transaction:
            transaction.flows(name.kind).pause(name.priority, name.site, length, reason)
            transaction.audit.append([self._event("pause", name, principal, request_id, details)])

    def resume(self, name: FlowName, principal: Principal, request_id: str) -> None:
        """End a pause.

        Raises:
            NotPermitted: The principal may not operate at this site.
            InvalidRequest: No such kind of work.
            TransitionNotAllowed: The flow is not paused.
        """
        _check(name, principal)
        with self._unit_of_work.begin() as transaction:
            if not transaction.flows(name.kind).resume(name.priority, name.site):
                raise TransitionNotAllowed(f"{name.kind} of {name.site} is not paused")
            transaction.audit.append([self._event("resume", name, principal, request_id, {})])

    def _event(
        self,
        act: str,
        name: FlowName,
        principal: Principal,
        request_id: str,
        details: dict[str, str | float],
    ) -> AuditEvent:
        return AuditEvent(
            actor=principal,
            action=f"flow.{act}",
            object_type="flow",
            object_id=f"{name.kind}/{name.priority.value}/{name.site}",
            at=self._clock.now(),
            request_id=request_id,
            details=details,
        )


def _check(name: FlowName, principal: Principal) -> None:
    principal.require(Permission.OPERATE_QUEUE, name.site)
    if name.kind not in KINDS:
        raise InvalidRequest(f"no kind of work {name.kind}")
