"""Keep what became of associations, and show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilum.domain.principal import Permission

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hilum.application.ports.unit_of_work import UnitOfWork
    from hilum.domain.association import Association
    from hilum.domain.principal import Principal


class RecordAssociations:
    """Associations of the recent past. Reconciliation removes old ones."""

    def __init__(self, *, unit_of_work: UnitOfWork) -> None:
        self._unit_of_work = unit_of_work

    def record(self, association: Association) -> None:
        """Keep an association that has ended.

        Raises:
            DatabaseUnavailable: It may be kept or not.
        """
        with self._unit_of_work.begin() as transaction:
            transaction.associations.add(association)

    def newest(
        self, principal: Principal, limit: int, *, accepted: bool | None = None
    ) -> Sequence[Association]:
        """Return associations, newest first. A caller that nobody knows belongs to no site.

        Args:
            principal: Who asks. Whoever manages one site sees those of that site.
            limit: At most so many.
            accepted: True for those that were accepted, False for the others.

        Raises:
            NotPermitted: The principal manages no site.
        """
        principal.require(Permission.MANAGE_SITE)
        sites = principal.sites(Permission.MANAGE_SITE)
        with self._unit_of_work.begin(write=False) as transaction:
            return transaction.associations.newest(limit, sites=sites, accepted=accepted)
