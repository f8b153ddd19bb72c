"""Flows of work: whose items wait, in which order, and who is paused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from hilum.domain.work import WorkItem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import timedelta

    from hilum.domain.work import Priority
    from hilum.domain.work_flow import WorkFlow

ItemT = TypeVar("ItemT", bound=WorkItem)


class WorkFlowRepository(Protocol):
    """Flows of one kind, see :mod:`hilum.domain.work_flow`.

    Methods that change a flow lock it until the commit.
    """

    def tagged(self, items: Sequence[ItemT]) -> Sequence[ItemT]:
        """Return items, which are not in the database yet, with their tags, given in this order.

        A flow that is not known is made, with the weight of its site. A site whose name is new gets
        its row.
        """
        ...

    def enqueue(self, items: Sequence[WorkItem]) -> None:
        """Give queued items, which are in the database, new tags, in this order."""
        ...

    def adopt(self, limit: int) -> int:
        """Give tags to queued items that have none, oldest first; how many got one.

        A release that knows no flows queued them.
        """
        ...

    def raise_aged(self, age: timedelta, most: int) -> Sequence[WorkItem]:
        """Let batch items that have waited for so long be routine, oldest first.

        They go behind what waits at their site by then. At most ``most`` items of that age wait at
        routine priority, so that a large batch does not stand before the routine work of its site.
        Where more do, one is raised, so that batch work goes on all the same.

        Returns:
            The items as they are now.
        """
        ...

    def all(self) -> Sequence[WorkFlow]:
        """Every flow, by priority and name."""
        ...

    def pause(self, priority: Priority, name: str, length: timedelta, reason: str) -> None:
        """Let no item of a flow be claimed for a while. A flow that is not known is made."""
        ...

    def resume(self, priority: Priority, name: str) -> bool:
        """End a pause; False where there was none."""
        ...

    def end_pauses(self) -> Sequence[WorkFlow]:
        """Resume the flows whose pause is over, and return them as they were."""
        ...

    def limit(self, name: str, max_running: int) -> None:
        """Let at most so many items of a flow run at the same time, of all priorities together.

        A flow that is not known is made.
        """
        ...

    def block(self, name: str, delay: Callable[[int], timedelta]) -> bool:
        """Let no item of a flow be claimed for a while, since what they need does not answer.

        It then counts one more failure. A flow that is blocked stays as it is.

        Args:
            name: Of the flow.
            delay: How long, by the number of failures before this one.

        Returns:
            Whether it was not blocked before.
        """
        ...

    def unblock(self, name: str) -> bool:
        """End a block and forget the failures; False where there were none."""
        ...
