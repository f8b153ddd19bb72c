"""Rules of sites."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from hilum.adapters.postgres.insertion import upsert
from hilum.adapters.postgres.tables import SITE_RULES
from hilum.domain.site_rule import SiteRule

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy.engine import Connection

_ALL: Final = sa.select(SITE_RULES).order_by(*SITE_RULES.primary_key.columns)
_OF_SITES: Final = _ALL.where(SITE_RULES.c.site.in_(sa.bindparam("sites", expanding=True)))


class SqlSiteRuleRepository:
    """See :class:`hilum.application.ports.site_rules.SiteRuleRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of_sites(self, sites: Collection[str]) -> Sequence[SiteRule]:
        """Return the rules of some sites, ordered by site and rule."""
        rows = self._connection.execute(_OF_SITES, {"sites": sorted(sites)})
        return [SiteRule(*row) for row in rows]

    def all(self) -> Sequence[SiteRule]:
        """Return the rules of every site, in the same order."""
        return [SiteRule(*row) for row in self._connection.execute(_ALL)]

    def put(self, rule: SiteRule) -> None:
        """Add a rule, or put it in the place of the one with its site and name."""
        put = upsert(self._connection.dialect.name, SITE_RULES)
        self._connection.execute(put, [asdict(rule)])
