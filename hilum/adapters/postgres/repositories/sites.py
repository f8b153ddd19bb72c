"""Sites and their weights."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import sqlalchemy as sa

from hilum.adapters.postgres.insertion import upsert
from hilum.adapters.postgres.repositories.kinds import KINDS
from hilum.adapters.postgres.repositories.work_flows import SqlWorkFlowRepository
from hilum.adapters.postgres.tables import SITES
from hilum.domain.site import Site

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection


class SqlSiteRepository:
    """See :class:`hilum.application.ports.sites.SiteRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> Sequence[Site]:
        """Return every site, by name."""
        rows = self._connection.execute(sa.select(*SITES.c).order_by(SITES.c.id))
        return [Site(*row) for row in rows]

    def set_weight(self, site: str, weight: float) -> None:
        """Write the weight of a site and of its flows."""
        put = upsert(self._connection.dialect.name, SITES)
        self._connection.execute(put, [asdict(Site(site, weight))])
        for _, kind in sorted(KINDS.items()):
            if kind.work.work.flows_are_sites:
                SqlWorkFlowRepository(self._connection, kind.flows).set_weight(site, weight)
