"""What sites read with, in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from hilum.domain.site_models import Promotion, SiteOperatingPoint
    from hilum.domain.site_rule import SiteRule
    from tests.fakes.repositories import Rows


class InMemoryOperatingPoints:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def of_sites(self, sites: Collection[str]) -> Sequence[SiteOperatingPoint]:
        return [point for point in self.all() if point.site in sites]

    def all(self) -> Sequence[SiteOperatingPoint]:
        held = self._rows.operating_points
        return [held[key] for key in sorted(held)]

    def put(self, points: Sequence[SiteOperatingPoint]) -> None:
        if points:
            self._rows.require_writable()
        for point in points:
            key = (point.site, point.model, point.version, *point.key)
            self._rows.operating_points[key] = point

    def remove(self, points: Sequence[SiteOperatingPoint]) -> None:
        if points:
            self._rows.require_writable()
        for point in points:
            self._rows.operating_points.pop(
                (point.site, point.model, point.version, *point.key), None
            )


class InMemorySiteRules:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def of_sites(self, sites: Collection[str]) -> Sequence[SiteRule]:
        return [rule for rule in self.all() if rule.site in sites]

    def all(self) -> Sequence[SiteRule]:
        held = self._rows.site_rules
        return [held[key] for key in sorted(held)]

    def put(self, rule: SiteRule) -> None:
        self._rows.require_writable()
        self._rows.site_rules[rule.site, rule.rule] = rule


class InMemoryPromotions:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def of_sites(self, sites: Collection[str]) -> Sequence[Promotion]:
        return [promotion for promotion in self.all() if promotion.site in sites]

    def all(self) -> Sequence[Promotion]:
        held = self._rows.promotions
        return [held[key] for key in sorted(held)]

    def add(self, promotion: Promotion) -> bool:
        self._rows.require_writable()
        key = (promotion.site, promotion.model, promotion.number)
        return self._rows.promotions.setdefault(key, promotion) is promotion

    def roll_back(self, promotion: Promotion, by: str, now: datetime) -> Promotion | None:
        self._rows.require_writable()
        key = (promotion.site, promotion.model, promotion.number)
        held = self._rows.promotions.get(key)
        if held is None or held.rolled_back_at is not None:
            return None
        taken_back = replace(held, rolled_back_by=by, rolled_back_at=now)
        self._rows.promotions[key] = taken_back
        return taken_back
