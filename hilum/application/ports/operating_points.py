"""Rows: the operating points that each site reads with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from hilum.domain.site_models import SiteOperatingPoint


class OperatingPointRepository(Protocol):
    """Operating points in force; who changed them and how stands in the audit log."""

    def of_sites(self, sites: Collection[str]) -> Sequence[SiteOperatingPoint]:
        """Of some sites, ordered by site, model, version, panel and label."""
        ...

    def all(self) -> Sequence[SiteOperatingPoint]:
        """Of every site, in the same order."""
        ...

    def put(self, points: Sequence[SiteOperatingPoint]) -> None:
        """Add each, or put it in the place of the one with its site, version and label."""
        ...

    def remove(self, points: Sequence[SiteOperatingPoint]) -> None:
        """Remove those with these sites, versions and labels; what is not there is left out."""
        ...
