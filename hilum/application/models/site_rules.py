"""Decide the rules of sites."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilum.domain.audit import AuditEvent
from hilum.domain.errors import InvalidRequest
from hilum.domain.principal import Permission
from hilum.domain.site_rule import CHOICES, SiteRule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hilum.application.ports.clock import Clock
    from hilum.application.ports.unit_of_work import UnitOfWork
    from hilum.domain.principal import Principal


class ManageSiteRules:
    """Rules of sites, for an administrator."""

    def __init__(self, *, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    def all(self) -> Sequence[SiteRule]:
        """Return what was decided, by site and rule."""
        with self._unit_of_work.begin(write=False) as transaction:
            return transaction.site_rules.all()

    def decide(self, site: str, rule: str, value: str, principal: Principal) -> SiteRule:
        """Decide a rule for a site, and write the decision to the audit log.

        Raises:
            NotPermitted: The principal does not manage the site.
            InvalidRequest: No such rule, or it has no such value.
        """
        principal.require(Permission.MANAGE_SITE, site)
        if value not in CHOICES.get(rule, ()):
            raise InvalidRequest(f"{value} is no value of a rule {rule}")
        decided = SiteRule(site, rule, value, principal.id, self._clock.now())
        event = AuditEvent(
            actor=principal,
            action="site_rule.set",
            object_type="site",
            object_id=site,
            at=decided.set_at,
            details={"rule": rule, "value": value},
        )
        with self._unit_of_work.begin() as transaction:
            transaction.site_rules.put(decided)
            transaction.audit.append([event])
        return decided
