"""Rows: the model versions that each site reads with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from hilum.domain.site_models import Promotion


class PromotionRepository(Protocol):
    """Promotions: added, and taken back at most once; never changed otherwise."""

    def of_sites(self, sites: Collection[str]) -> Sequence[Promotion]:
        """Of some sites, ordered by site, model and number; those rolled back too."""
        ...

    def all(self) -> Sequence[Promotion]:
        """Of every site, in the same order."""
        ...

    def add(self, promotion: Promotion) -> bool:
        """Add a promotion; False if the site has one with this number for the model.

        Safe against a concurrent transaction that adds the same: the later one waits.
        """
        ...

    def roll_back(self, promotion: Promotion, by: str, now: datetime) -> Promotion | None:
        """Take a promotion back; None if there is no such, or it was taken back already."""
        ...
