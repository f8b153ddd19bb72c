"""Operations, and how far they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from hilum.application.ports.work import WorkRepository
from hilum.domain.operation import Operation

if TYPE_CHECKING:
    from collections.abc import Sequence


class OperationRepository(WorkRepository[Operation], Protocol):
    """Operations, as work and as what people watch."""

    def progress(self, operation: Operation, cursor: str | None, *, done: int, failed: int) -> bool:
        """Store what a chunk did, in its transaction; False if the claim does not stand any more.

        An operation that was stopped meanwhile keeps it, too.
        """
        ...

    def newest(self, sites: frozenset[str] | None, limit: int) -> Sequence[Operation]:
        """Return operations of these sites, or of all, newest first."""
        ...
