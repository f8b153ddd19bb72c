"""Claim the next item, run it, write its outcome once.

Stages, whose milliseconds are kept with the item: ``wait`` (acceptance to claim), those of the
handler, and ``total`` (claim to commit, the commit itself excluded).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import nullcontext
from itertools import count
from threading import BoundedSemaphore
from time import sleep
from typing import TYPE_CHECKING, Any, Final

from hilum.application.queue.handler import Outcome, Stopwatch
from hilum.domain.attempt import Attempt
from hilum.domain.audit import AuditEvent
from hilum.domain.errors import (
    DatabaseUnavailable,
    DependencyUnavailable,
    DestinationUnavailable,
    HilumError,
    InternalError,
    Permanent,
    Rejected,
    Transient,
)
from hilum.domain.job import ANALYSIS
from hilum.domain.principal import worker
from hilum.domain.work import AttemptOutcome, Priority, Reason, WorkEvent, WorkItem

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    from hilum.application.ports.unit_of_work import Transaction, UnitOfWork
    from hilum.application.queue.dependencies import Admission, Dependencies
    from hilum.application.queue.handler import Kind
    from hilum.application.queue.leases import KeepLeases

_LOG = logging.getLogger(__name__)

OUTCOME_PAUSES_S: Final = (0.2, 0.5, 1.0, 2.0, *([4.0] * 14))
"""Pauses between attempts to write an outcome, 60 s together: a database may fail over."""

OTHERS_FIRST: Final = 10
"""Every tenth claim asks the kinds in the other order, so that endless images stop no operation."""

_ENDS: Final = {
    WorkEvent.REJECT: AttemptOutcome.REJECTED,
    WorkEvent.PARK: AttemptOutcome.FAILED,
}

Tell = Callable[[WorkItem, WorkItem | None], object]


class RunNext:
    """Runs items; safe to call from several threads."""

    def __init__(  # noqa: PLR0913 - what a run meets; keyword-only, so readable
        self,
        *,
        unit_of_work: UnitOfWork,
        kinds: Mapping[str, Kind],
        leases: KeepLeases,
        dependencies: Dependencies,
        chance: random.Random,
        pause: Callable[[float], None] = sleep,
        around: Callable[[WorkItem], AbstractContextManager[object]] = lambda _: nullcontext(),
        wake: Callable[[Sequence[WorkItem]], object] = lambda _: None,
    ) -> None:
        """Prepare a runner.

        Args:
            unit_of_work: Holds the rows.
            kinds: The kinds of work that it runs, by name, in the order in which they are asked.
            leases: Of this process.
            dependencies: Of this process.
            chance: Of backoffs.
            pause: Waits a number of seconds.
            around: Surrounds each run, to name the item in logs.
            wake: Is called with what the end of an item queued, of a kind that is not run here.
        """
        self._unit_of_work = unit_of_work
        self._kinds = kinds
        self._leases = leases
        self._dependencies = dependencies
        self._chance = chance
        self._pause = pause
        self._around = around
        self._wake = wake
        self._turns = count(1)
        self._rooms = {
            name: BoundedSemaphore(kind.max_slots)
            for name, kind in kinds.items()
            if kind.max_slots is not None
        }

    def __call__(self, priorities: Sequence[Priority], tell: Tell) -> bool:
        """Run the next item.

        Whatever goes wrong with the item is written to it. Only a database that is down is passed
        on, and only if it stays down for longer than :data:`OUTCOME_PAUSES_S` together: the lease
        expires then, and the reconciler requeues the item.

        Args:
            priorities: Those of jobs that may be claimed. Of other kinds every item may.
            tell: Is called with the item as it was claimed and as this call left it, the latter
                None if the lease was lost meanwhile.

        Returns:
            Whether there was anything to claim, and nothing that it needs is down.

        Raises:
            DatabaseUnavailable: The claim or the outcome could not be written.
        """
        kinds = list(self._kinds.items())
        if next(self._turns) % OTHERS_FIRST == 0:
            kinds.reverse()
        return any(self._run_one(name, kind, priorities, tell) for name, kind in kinds)

    def _run_one(self, name: str, kind: Kind, priorities: Sequence[Priority], tell: Tell) -> bool:
        """Run the next item of a kind, unless something that it needs is down."""
        room = self._rooms.get(name)
        if room is None:
            return self._run_in_room(name, kind, priorities, tell)
        if not room.acquire(blocking=False):
            return False
        try:
            return self._run_in_room(name, kind, priorities, tell)
        finally:
            room.release()

    def _run_in_room(
        self, name: str, kind: Kind, priorities: Sequence[Priority], tell: Tell
    ) -> bool:
        with self._dependencies.admit(kind.handler.probes) as admission:
            claimed = self._claim(name, kind, priorities) if admission is not None else None
            if admission is None or claimed is None:
                return False
            item, loaded = claimed
            with self._around(item):
                with self._leases.hold(item):
                    left = self._run(item, loaded, admission)
                if left is not None:
                    self._leases.left(left)
                tell(item, left)
        return True

    def _claim(
        self, name: str, kind: Kind, priorities: Sequence[Priority]
    ) -> tuple[WorkItem, Any] | None:
        served = priorities if name == ANALYSIS.kind else tuple(Priority)
        with self._unit_of_work.begin() as transaction:
            item: WorkItem | None = transaction.work(name).claim(
                served, self._leases.owner, self._leases.lease
            )
            if item is None:
                return None
            try:
                return item, kind.handler.load(transaction, item)
            except Permanent as error:
                # The claim stands, and the item fails: rolled back, it would be claimed for ever.
                return item, error

    def _run(self, item: WorkItem, loaded: object, admission: Admission) -> WorkItem | None:
        claimed_at = item.started_at or item.created_at
        waited = (claimed_at - item.created_at).total_seconds() * 1000
        watch = Stopwatch({"wait": max(0.0, waited)})
        if isinstance(loaded, Permanent):
            return self._end(item, Outcome(WorkEvent.PARK, _reason(loaded)), watch)
        admission.ran = True
        outcome: Outcome | None = None
        try:
            with watch.stage("total"):
                outcome = self._kinds[item.life.kind].handler.run(item, loaded, watch)
            return self._end(item, outcome, watch)
        except Transient as error:
            if outcome is not None:  # which could not be written
                raise
            outage = self._is_outage(error, admission)
            return self._release(item, error, watch, outage=outage)
        except Rejected as error:
            return self._end(item, Outcome(WorkEvent.REJECT, _reason(error)), watch)
        except Permanent as error:
            return self._end(item, Outcome(WorkEvent.PARK, _reason(error)), watch)
        except Exception as error:  # noqa: BLE001 - a defect fails one item, not the worker
            facts = {"kind": item.life.kind, "work_id": str(item.id)}
            _LOG.exception("attempt.crashed", extra=facts)
            told = f"{type(error).__name__}, see the log of {item.life.noun} {item.id}"
            return self._end(item, Outcome(WorkEvent.PARK, _reason(InternalError(told))), watch)

    def _is_outage(self, error: Transient, admission: Admission) -> bool:
        # A destination has no probe: its flow is its breaker, and is tried with one item.
        if isinstance(error, DestinationUnavailable):
            return True
        return isinstance(error, DependencyUnavailable) and self._dependencies.is_outage(
            error.dependency, admission
        )

    def _end(self, item: WorkItem, outcome: Outcome, watch: Stopwatch) -> WorkItem | None:
        queued: list[WorkItem] = []

        def write(transaction: Transaction) -> WorkItem | None:
            queued.clear()
            work = transaction.work(item.life.kind)
            if outcome.event is WorkEvent.RELEASE:
                left = work.release(item, AttemptOutcome.DONE, backoff=outcome.pause)
                if left is not None:
                    # What goes on waits behind what came meanwhile.
                    transaction.flows(item.life.kind).enqueue([left])
            else:
                left = work.finish(
                    item,
                    outcome.event,
                    reason=outcome.reason,
                    timings_ms=watch.milliseconds,
                    notes=outcome.notes,
                )
            if left is not None:
                if outcome.record is not None:
                    outcome.record(transaction)
                if outcome.event is not WorkEvent.RELEASE:
                    ended = _ENDS.get(outcome.event, AttemptOutcome.DONE)
                    self._keep_attempt(transaction, item, ended, outcome.reason, watch)
                    queued.extend(self._kinds[item.life.kind].ended(transaction, left))
                    transaction.audit.append([self._event(left, ended, outcome.reason)])
            return left

        left = self._write(item, write)
        self._awake(queued)
        return left

    def _awake(self, queued: Sequence[WorkItem]) -> None:
        """Wake a slot elsewhere for what this process does not run; its own slots look anyway."""
        if others := [item for item in queued if item.life.kind not in self._kinds]:
            self._wake(others)

    def _release(
        self, item: WorkItem, error: Transient, watch: Stopwatch, *, outage: bool
    ) -> WorkItem | None:
        """Requeue the item, or dead-letter it when its attempts are used up.

        An outage takes no attempt of it and knows no backoff: the breaker waits for all items.
        """
        reason, kind = _reason(error), self._kinds[item.life.kind]
        policy = kind.policy
        ended = AttemptOutcome.OUTAGE if outage else AttemptOutcome.FAILED
        queued: list[WorkItem] = []

        def write(transaction: Transaction) -> WorkItem | None:
            queued.clear()
            work = transaction.work(item.life.kind)
            spent = not outage and policy.exhausted(item.attempts, item.losses)
            if spent or policy.expired(transaction.now - item.tried_since):
                left = work.park(item, reason=reason, lost=False)
            else:
                delay = policy.delay(item.attempts, self._chance)
                left = work.release(item, ended, reason=reason, backoff=delay)
            if left is not None:
                kind.released(transaction, left, error)
                if left.finished_at is not None:
                    queued.extend(kind.ended(transaction, left))
                self._keep_attempt(transaction, item, ended, reason, watch)
                transaction.audit.append([self._event(left, ended, reason)])
            return left

        left = self._write(item, write)
        self._awake(queued)
        return left

    def _keep_attempt(
        self,
        transaction: Transaction,
        item: WorkItem,
        outcome: AttemptOutcome,
        reason: Reason | None,
        watch: Stopwatch,
    ) -> None:
        transaction.attempts.add(
            attempt_of(
                item, outcome, reason, release=self._leases.release, timings_ms=watch.milliseconds
            )
        )

    def _write(
        self, item: WorkItem, write: Callable[[Transaction], WorkItem | None]
    ) -> WorkItem | None:
        """Write an outcome in one transaction; safe to repeat, since it needs a running item."""
        for pause in (*OUTCOME_PAUSES_S, None):
            try:
                with self._unit_of_work.begin() as transaction:
                    left = write(transaction)
            except DatabaseUnavailable as error:
                if pause is None:
                    raise
                facts = {"kind": item.life.kind, "work_id": str(item.id), "error": error.sentence}
                _LOG.warning("outcome.delayed", extra=facts)
                self._pause(pause)
            else:
                if left is None:
                    facts = {"kind": item.life.kind, "work_id": str(item.id)}
                    _LOG.warning("lease.lost", extra=facts)
                return left
        raise AssertionError("the last attempt returns or raises")

    def _event(self, item: WorkItem, outcome: AttemptOutcome, reason: Reason | None) -> AuditEvent:
        notes = getattr(item, "notes", ())
        return AuditEvent(
            actor=worker(self._leases.owner),
            action=action_of(item, outcome),
            object_type=item.life.noun,
            object_id=str(item.id),
            at=item.updated_at,
            details={
                "attempts": item.attempts,
                "reason": reason.code if reason else None,
                **({"notes": ",".join(notes)} if notes else {}),
            },
        )


def action_of(left: WorkItem, outcome: AttemptOutcome) -> str:
    """Return what the audit log calls the end of an attempt, which left an item so.

    A job that is queued again keeps the name ``job.queued``, which older releases gave it.
    """
    queued = left.state is left.life.source(WorkEvent.CLAIM)
    named = queued and left.life is not ANALYSIS
    return f"{left.life.noun}.{f'attempt_{outcome.value}' if named else left.state.value}"


def attempt_of(
    item: WorkItem,
    outcome: AttemptOutcome,
    reason: Reason | None,
    *,
    release: str = "",
    timings_ms: Mapping[str, float] | None = None,
) -> Attempt:
    """Return the attempt that a claimed item shows, which has ended."""
    return Attempt(
        work_id=item.id,
        kind=item.life.kind,
        owner=item.lease_owner or "",
        release=release,
        started_at=item.started_at or item.created_at,
        outcome=outcome,
        code=reason.code if reason else None,
        timings_ms=timings_ms or {},
        # 00-<trace id>-<span id>-<flags>
        trace_id=item.traceparent.split("-")[1] if item.traceparent else None,
    )


def _reason(error: HilumError) -> Reason:
    return Reason(error.code, error.detail)
