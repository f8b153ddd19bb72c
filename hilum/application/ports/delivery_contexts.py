"""Rows: what deliveries need of images that retention took, sealed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection
    from uuid import UUID


class DeliveryContextRepository(Protocol):
    """Sealed contexts, one for each job whose image went before its deliveries were settled.

    A delivery is settled when it was sent and no storage commitment is awaited, confirmed or
    discarded.
    """

    def wanted(self, job_ids: Collection[UUID]) -> Collection[UUID]:
        """Return those of the jobs that have a delivery which is not settled."""
        ...

    def keep(self, job_id: UUID, document: bytes, key_id: str) -> None:
        """Keep the context of a job; one that is there is replaced.

        Args:
            job_id: The job.
            document: Sealed.
            key_id: The key that sealed it.
        """
        ...

    def get(self, job_id: UUID) -> bytes | None:
        """Return the sealed context of a job."""
        ...

    def drop_settled(self) -> int:
        """Remove the contexts of jobs whose deliveries are settled; how many."""
        ...
