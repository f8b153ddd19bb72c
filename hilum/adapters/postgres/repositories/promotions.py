"""Promotions of models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from hilum.adapters.postgres.execution import Statement
from hilum.adapters.postgres.insertion import insert_absent
from hilum.adapters.postgres.tables import MODEL_PROMOTIONS
from hilum.domain.site_models import Promotion

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

_C: Final = MODEL_PROMOTIONS.c
_COLUMNS: Final = (
    _C.site,
    _C.model,
    _C.number,
    _C.version,
    _C.promoted_by,
    _C.promoted_at,
    _C.rolled_back_by,
    _C.rolled_back_at,
)
_ALL: Final = sa.select(*_COLUMNS).order_by(*MODEL_PROMOTIONS.primary_key.columns)
_OF_SITES: Final = _ALL.where(_C.site.in_(sa.bindparam("sites", expanding=True)))
_ROLL_BACK: Final = Statement(
    sa.update(MODEL_PROMOTIONS)
    .where(
        _C.site == sa.bindparam("wanted_site"),
        _C.model == sa.bindparam("wanted_model"),
        _C.number == sa.bindparam("wanted_number"),
        _C.rolled_back_at.is_(None),
    )
    .values(
        rolled_back_by=sa.bindparam("actor"),
        rolled_back_at=sa.bindparam("now", type_=_C.rolled_back_at.type),
    )
    .returning(*_COLUMNS)
)


class SqlPromotionRepository:
    """See :class:`hilum.application.ports.promotions.PromotionRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of_sites(self, sites: Collection[str]) -> Sequence[Promotion]:
        """Of some sites, ordered by site, model and number; those rolled back too."""
        rows = self._connection.execute(_OF_SITES, {"sites": sorted(sites)})
        return [Promotion(*row) for row in rows]

    def all(self) -> Sequence[Promotion]:
        """Of every site, in the same order."""
        return [Promotion(*row) for row in self._connection.execute(_ALL)]

    def add(self, promotion: Promotion) -> bool:
        """Add a promotion; False if the site has one with this number for the model."""
        row: dict[str, Any] = {
            "site": promotion.site,
            "model": promotion.model,
            "number": promotion.number,
            "version": promotion.version,
            "promoted_by": promotion.promoted_by,
            "promoted_at": promotion.promoted_at,
            "rolled_back_by": promotion.rolled_back_by,
            "rolled_back_at": promotion.rolled_back_at,
        }
        return bool(insert_absent(self._connection, _C.number, [row]))

    def roll_back(self, promotion: Promotion, by: str, now: datetime) -> Promotion | None:
        """Take a promotion back; None if there is no such, or it was taken back already."""
        row = _ROLL_BACK.first(
            self._connection,
            {
                "wanted_site": promotion.site,
                "wanted_model": promotion.model,
                "wanted_number": promotion.number,
                "actor": by,
                "now": now,
            },
        )
        return None if row is None else Promotion(*row)
