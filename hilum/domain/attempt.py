"""An attempt at an item of work, and the worker that makes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from hilum.domain.work import AttemptOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try at an item, from its claim to its end. It is written once.

    Attributes:
        work_id: The item.
        kind: Kind of work.
        number: From 1 on. Numbers go on when a person retries the item.
        owner: Worker that made it.
        release: Release of whoever wrote the end.
        server_id: Inference server that answered, where it is known.
        started_at: The claim.
        ended_at: The end; None in an attempt that is not written yet.
        outcome: How it ended.
        code: Why it did not end well.
        timings_ms: Milliseconds by stage.
        trace_id: Trace of the request that queued the item.
    """

    work_id: UUID
    kind: str
    number: int = 0
    owner: str
    release: str
    server_id: str | None = None
    started_at: datetime
    ended_at: datetime | None = None
    outcome: AttemptOutcome
    code: str | None = None
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    trace_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """A worker process as it was at its last beat.

    Attributes:
        name: Owner of its leases.
        host: Machine.
        release: Of Hilum.
        queues: Those that it serves.
        slots: Items that it runs at once.
        busy: Items that it runs now.
        last_beat_at: By the database's clock; None in a beat that is not written yet.
        last_claim_at: When it took an item.
        last_finish_at: When it left one.
        clock_offset_ms: Its clock less the database's, as measured at the beat before.
        breakers: State by dependency.
        draining: It takes no more items.
    """

    name: str
    host: str
    release: str
    queues: tuple[str, ...]
    slots: int
    busy: int = 0
    last_beat_at: datetime | None = None
    last_claim_at: datetime | None = None
    last_finish_at: datetime | None = None
    clock_offset_ms: float | None = None
    breakers: Mapping[str, str] = field(default_factory=dict)
    draining: bool = False
