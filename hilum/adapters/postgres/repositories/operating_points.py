"""Operating points of sites."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from hilum.adapters.postgres.insertion import upsert
from hilum.adapters.postgres.tables import OPERATING_POINTS
from hilum.domain.model import OperatingPoint
from hilum.domain.site_models import Origin, SiteOperatingPoint

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy.engine import Connection

_C: Final = OPERATING_POINTS.c
_COLUMNS: Final = (
    _C.site,
    _C.model,
    _C.version,
    _C.panel,
    _C.label,
    _C.threshold,
    _C.sensitivity,
    _C.specificity,
    _C.fitted_on,
    _C.origin,
    _C.set_by,
    _C.set_at,
    _C.evidence,
    _C.child_threshold,
    _C.beyond_scope,
)
_ALL: Final = sa.select(*_COLUMNS).order_by(*OPERATING_POINTS.primary_key.columns)
_OF_SITES: Final = _ALL.where(_C.site.in_(sa.bindparam("sites", expanding=True)))
_REMOVE: Final = sa.delete(OPERATING_POINTS).where(
    *(column == sa.bindparam(f"of_{column.name}") for column in OPERATING_POINTS.primary_key)
)


class SqlOperatingPointRepository:
    """See :class:`hilum.application.ports.operating_points.OperatingPointRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of_sites(self, sites: Collection[str]) -> Sequence[SiteOperatingPoint]:
        """Of some sites, ordered by site, model, version, panel and label."""
        rows = self._connection.execute(_OF_SITES, {"sites": sorted(sites)})
        return [_point(row) for row in rows]

    def all(self) -> Sequence[SiteOperatingPoint]:
        """Of every site, in the same order."""
        return [_point(row) for row in self._connection.execute(_ALL)]

    def put(self, points: Sequence[SiteOperatingPoint]) -> None:
        """Add each, or put it in the place of the one with its site, version and label."""
        if points:
            statement = upsert(self._connection.dialect.name, OPERATING_POINTS)
            self._connection.execute(statement, [_row(point) for point in points])

    def remove(self, points: Sequence[SiteOperatingPoint]) -> None:
        """Remove those with these sites, versions and labels; what is not there is left out."""
        if points:
            self._connection.execute(_REMOVE, [_key(point) for point in points])


def _key(point: SiteOperatingPoint) -> dict[str, str]:
    return {
        "of_site": point.site,
        "of_model": point.model,
        "of_version": point.version,
        "of_panel": point.panel,
        "of_label": point.point.label,
    }


def _row(point: SiteOperatingPoint) -> dict[str, Any]:
    return {
        "site": point.site,
        "model": point.model,
        "version": point.version,
        "panel": point.panel,
        "label": point.point.label,
        "threshold": point.point.threshold,
        "sensitivity": point.point.sensitivity,
        "specificity": point.point.specificity,
        "fitted_on": point.point.fitted_on,
        "origin": point.origin.value,
        "set_by": point.set_by,
        "set_at": point.set_at,
        "evidence": dict(point.evidence),
        "child_threshold": point.point.child_threshold,
        "beyond_scope": list(point.point.beyond_scope),
    }


def _point(row: Any) -> SiteOperatingPoint:
    return SiteOperatingPoint(
        site=row.site,
        model=row.model,
        version=row.version,
        panel=row.panel,
        point=OperatingPoint(
            label=row.label,
            threshold=row.threshold,
            sensitivity=row.sensitivity,
            specificity=row.specificity,
            fitted_on=row.fitted_on,
            beyond_scope=tuple(row.beyond_scope or ()),
            child_threshold=row.child_threshold,
        ),
        origin=Origin(row.origin),
        set_by=row.set_by,
        set_at=row.set_at,
        evidence=row.evidence,
    )
