"""Show sites and set their weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilum.domain.audit import AuditEvent
from hilum.domain.errors import InvalidRequest
from hilum.domain.principal import Permission
from hilum.domain.site import LEAST_WEIGHT, MOST_WEIGHT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hilum.application.ports.clock import Clock
    from hilum.application.ports.unit_of_work import UnitOfWork
    from hilum.domain.principal import Principal
    from hilum.domain.site import Site


class ManageSites:
    """Sites whose name was used, and what their work weighs."""

    def __init__(self, *, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    def all(self, principal: Principal) -> Sequence[Site]:
        """Return the sites that the principal manages, by name.

        Raises:
            NotPermitted: It manages none.
        """
        principal.require(Permission.MANAGE_SITE)
        with self._unit_of_work.begin(write=False) as transaction:
            sites = transaction.sites.all()
        return [site for site in sites if principal.holds(Permission.MANAGE_SITE, site.id)]

    def set_weight(self, site: str, weight: float, principal: Principal, request_id: str) -> None:
        """Let what a site queues from now on weigh so much. A site that is not known is made.

        Raises:
            NotPermitted: The principal does not manage this site.
            InvalidRequest: No such weight.
        """
        principal.require(Permission.MANAGE_SITE, site)
        if not LEAST_WEIGHT <= weight <= MOST_WEIGHT:
            raise InvalidRequest(f"a weight is {LEAST_WEIGHT:g} to {MOST_WEIGHT:g}")
        event = AuditEvent(
            actor=principal,
            action="site.weight",
            object_type="site",
            object_id=site,
            at=self._clock.now(),
            request_id=request_id,
            details={"weight": weight},
        )
        with self._unit_of_work.begin() as transaction:
            transaction.sites.set_weight(site, weight)
            transaction.audit.append([event])
