"""Rows: the rules of sites."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from hilum.domain.site_rule import SiteRule


class SiteRuleRepository(Protocol):
    """Rules as they are decided. Former decisions are in the audit log."""

    def of_sites(self, sites: Collection[str]) -> Sequence[SiteRule]:
        """Return the rules of some sites, ordered by site and rule."""
        ...

    def all(self) -> Sequence[SiteRule]:
        """Return the rules of every site, in the same order."""
        ...

    def put(self, rule: SiteRule) -> None:
        """Add a rule, or put it in the place of the one with its site and name."""
        ...
