"""Flows of work: whose items wait, in which order, and who is paused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from hilum.domain.job import Job, Priority
    from hilum.domain.work_flow import WorkFlow


class WorkFlowRepository(Protocol):
    """See :mod:`hilum.domain.work_flow`. Methods that change a flow lock it until the commit."""

    def tagged(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """Return jobs, which are not in the database yet, with their tags, given in this order.

        A flow that is not known is made.
        """
        ...

    def adopt(self, limit: int) -> int:
        """Give tags to queued jobs that have none, oldest first; how many got one.

        A release that knows no flows queued them.
        """
        ...

    def all(self) -> Sequence[WorkFlow]:
        """Every flow, by priority and name."""
        ...

    def pause(self, priority: Priority, site: str, length: timedelta, reason: str) -> None:
        """Let no job of a site be claimed for a while. A flow that is not known is made."""
        ...

    def resume(self, priority: Priority, site: str) -> bool:
        """End a pause; False where there was none."""
        ...

    def end_pauses(self) -> int:
        """Resume the flows whose pause is over; how many."""
        ...
