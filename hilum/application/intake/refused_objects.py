"""How a sender is told of an object that a site has no use for, by the rule of the site."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilum.domain.principal import DEFAULT_SITE
from hilum.domain.site_rule import SUCCESS, Rule, value_at

if TYPE_CHECKING:
    from hilum.application.ports.unit_of_work import UnitOfWork


def answers_refusals_with_success(unit_of_work: UnitOfWork, site: str) -> bool:
    """Return whether a C-STORE of such an object is answered as if it had been taken.

    Raises:
        DatabaseUnavailable: It is down.
    """
    with unit_of_work.begin(write=False) as transaction:
        decided = transaction.site_rules.of_sites({site, DEFAULT_SITE})
    return value_at(site, Rule.NOT_FOR_US, decided) == SUCCESS
