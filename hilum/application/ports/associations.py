"""Rows: associations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from hilum.domain.association import Association


class AssociationRepository(Protocol):
    """Associations of the recent past."""

    def add(self, association: Association) -> None:
        """Add an association that has ended."""
        ...

    def newest(
        self, limit: int, *, sites: frozenset[str] | None = None, accepted: bool | None = None
    ) -> Sequence[Association]:
        """Return associations, newest first.

        Args:
            limit: At most so many.
            sites: Those of peers of these sites. None: all, also of callers that nobody knows.
            accepted: True for those that were accepted, False for the others.
        """
        ...

    def remove_old(self, age: timedelta, most: int) -> int:
        """Remove associations that began so long ago by the database's clock; how many."""
        ...
