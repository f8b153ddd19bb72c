"""Rows: sites and their weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hilum.domain.site import Site


class SiteRepository(Protocol):
    """Sites. A row appears with the first flow of a site, or with its weight."""

    def all(self) -> Sequence[Site]:
        """Return every site, by name."""
        ...

    def set_weight(self, site: str, weight: float) -> None:
        """Let items of a site that are queued from now on weigh so much, whatever their kind.

        The site's flows are locked until the commit. Items that wait keep their tags, see
        :meth:`hilum.domain.work_flow.WorkFlow.with_weight`.
        """
        ...
