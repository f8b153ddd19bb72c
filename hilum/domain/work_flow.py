"""Fair order between sites: start-time fair queueing, computed when an item is queued.

A *flow* is what shares are counted for: the site whose images wait. Every queued item carries a
fair tag, and of items that are equally urgent the one with the smallest tag runs next. Goyal, Vin
and Cheng, "Start-time Fair Queueing" (1996), prove the bound: while two flows wait, what was
served of each, divided by its weight, differs by at most ``1 / w1 + 1 / w2``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from hilum.domain.work import Priority


@dataclass(frozen=True, slots=True)
class WorkFlow:
    """A flow of one kind of work at one priority.

    Attributes:
        kind: Kind of work, e.g. ``analysis``.
        priority: Items of different priorities never compete by tag.
        flow: Whose items these are: a site.
        weight: Its share compared with other flows.
        last_tag: Tag of the item that was queued last.
        tag_offset: Is added to a tag when flows are compared. A pause moves it.
        paused_until: No item is claimed before this time.
        pause_reason: Why, for people.
        max_running: Items that may run at the same time; None for no limit.
        blocked_until: What its items need does not answer: none is claimed before this time.
        failures: How often that was so in a row. While it is above 0, one item runs at a time.
    """

    kind: str
    priority: Priority
    flow: str
    weight: float = 1.0
    last_tag: float = 0.0
    tag_offset: float = 0.0
    paused_until: datetime | None = None
    pause_reason: str = ""
    max_running: int | None = None
    blocked_until: datetime | None = None
    failures: int = 0

    @property
    def name(self) -> str:
        """Its name among the flows of every kind, for the audit log."""
        return f"{self.kind}/{self.priority.value}/{self.flow}"

    def enqueue(self, number: int, virtual_time: float) -> tuple[Sequence[float], WorkFlow]:
        """Return the tags of items that join the queue, and the flow after them.

        An idle flow earns no credit, because its next tag follows the virtual time.

        Args:
            number: How many items.
            virtual_time: See :func:`virtual_time`. A paused flow ignores it.
        """
        paused = self.paused_until is not None
        start = self.last_tag if paused else max(self.last_tag, virtual_time - self.tag_offset)
        tags = [start + place / self.weight for place in range(1, number + 1)]
        return tags, replace(self, last_tag=tags[-1] if tags else self.last_tag)

    def with_weight(self, weight: float) -> WorkFlow:
        """Return the flow whose next items have another weight.

        Nothing else changes. A tag is a point of the virtual time up to which its flow was served,
        and no number of items. So ``last_tag`` means the same under every weight, and the next item
        begins there. Items that wait keep their tags, since the others were ordered by them.

        The bound then counts each item as ``1 / weight`` of the weight under which it was queued.
        While two flows wait, these sums over what was served of each differ by at most the largest
        item of one and of the other.
        """
        return replace(self, weight=weight)

    def resume(self, first_tag: float | None, virtual_time: float) -> WorkFlow:
        """Return the flow after its pause. It gets no credit for the time in which it stood.

        Args:
            first_tag: Tag of its first queued item, or None where none waits.
            virtual_time: Of the other flows.
        """
        offset = self.tag_offset
        if first_tag is not None:
            offset = max(offset, virtual_time - first_tag)
        return replace(self, paused_until=None, pause_reason="", tag_offset=offset)


def virtual_time(waiting: Sequence[float], last: Sequence[float]) -> float:
    """Return how far the service of a kind and priority has come.

    Args:
        waiting: Effective tag (tag and offset) of each unpaused flow's first item that was never
            tried. An item that was tried keeps an old tag, which says nothing of the present.
        last: Effective last tag of each flow.
    """
    return min(waiting) if waiting else max(last, default=0.0)
