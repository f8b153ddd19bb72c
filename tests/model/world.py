"""A whole small platform that moves one step at a time, whoever's turn it is.

One gateway, two workers, an operator and the reconciler share rows and a broker in memory, whose
contract suites hold for the real ones as well. The code of the queue is the product's own. A
worker stops at two places, so that others may act: after a claim, and before an outcome that could
not be written is written again.
"""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from greenlet import GreenletExit, getcurrent, greenlet

from hilum.application.intake.submission import SubmissionFields
from hilum.application.queue.breaker import BreakerState
from hilum.application.queue.drain import Drain
from hilum.application.queue.handler import Kind, Outcome
from hilum.application.queue.messages import QUEUES
from hilum.application.queue.run_next import RunNext
from hilum.domain.errors import (
    DatabaseUnavailable,
    HilumError,
    InferenceUnavailable,
    ObjectMissing,
    OutOfMemory,
    UnreadableFilm,
)
from hilum.domain.job import ANALYSIS, JobState, Priority
from hilum.domain.retry_policy import RetryPolicy
from tests.contract.samples import an_analysis
from tests.unit.application.stage import LEASE, FailingUnitOfWork, Stage, film, key

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from uuid import UUID

    from hilum.application.ports.unit_of_work import Transaction
    from hilum.application.queue.handler import Stopwatch
    from hilum.domain.job import Job

WORKERS: Final = ("a", "b")
IMAGES: Final = (("north", Priority.ROUTINE), ("south", Priority.STAT))
POLICY: Final = RetryPolicy(3, 2, timedelta(seconds=1), timedelta(seconds=4))
TICK: Final = LEASE * 0.6
"""A lease outlives one and not two."""

_ERRORS: Final = {"fail": OutOfMemory, "reject": UnreadableFilm, "lose file": ObjectMissing}


class Worker:
    """One slot of one process.

    Attributes:
        stopped_at: ``idle``, ``claimed`` or ``unwritten``.
        job: As it was claimed.
    """

    def __init__(self, world: World, name: str) -> None:
        self._world = world
        self._name = name
        self._slot: greenlet | None = None
        self._heard: Priority | None = None
        self.stopped_at = "idle"
        self.job: Job | None = None
        self.probes = world.stage._handler.probes  # noqa: SLF001 - the same
        self._start()

    def _start(self) -> None:
        """Begin as a process does that knows nothing of the one before."""
        stage = self._world.stage
        self.leases = stage.worker_leases(self._name)
        self.dependencies = stage.dependencies(slots=1)
        run_next = RunNext(
            unit_of_work=stage.unit_of_work,
            kinds={ANALYSIS.kind: Kind(self, POLICY)},
            leases=self.leases,
            dependencies=self.dependencies,
            chance=random.Random(3),  # noqa: S311 - a seed
            pause=lambda _: self._stop_at("unwritten"),
        )
        self._drain = Drain(run_next, stage.queue, list(Priority), clock=lambda: 0.0)

    def wake(self, heard: Priority | None) -> None:
        """Drain the queues until the first stop, with a wake-up or without the broker."""
        self._heard = heard
        self._slot = greenlet(lambda: self._drain(lambda *_: None))
        self._go_on(None)

    def proceed(self, decision: str) -> None:
        """Go on from a stop to the next. What a lost claim ends with changes nothing."""
        assert self.job is not None
        before = self._world.rows.rows.jobs[self.job.id]
        lost = _claim(before) != _claim(self.job)
        self._go_on(decision)
        after = self._world.rows.rows.jobs[before.id]
        claimed_anew = before.state is JobState.QUEUED and after.lease_owner == self._name
        if lost and after != before and not claimed_anew:
            self._world.wrong.append(f"a lost claim on {before.site} changed it")

    def crash(self) -> None:
        """End as with SIGKILL: nothing is written, and the broker has the wake-up again."""
        assert self._slot is not None
        self._slot.throw(GreenletExit)
        self._idle()
        if self._heard is not None and self._world.stage.queue.available:
            self._world.stage.queue.wake([self._heard])
        self._start()

    def load(self, _: Transaction, job: Job) -> None:
        """Nothing is needed from the database."""
        self._world.note_claim(job)

    def run(self, job: Job, _: None, __: Stopwatch) -> Outcome:
        """Do what the world decides."""
        self.job = job
        decision = self._stop_at("claimed")
        if decision in _ERRORS:
            raise _ERRORS[decision]("decided so")
        if not self._world.stage.engine.available:
            raise InferenceUnavailable("it is away")
        return Outcome(record=lambda transaction: transaction.results.add(an_analysis(job)))

    def _stop_at(self, place: str) -> str:
        self.stopped_at = place
        parent = getcurrent().parent
        assert parent is not None
        decision: str = parent.switch()
        return decision

    def _go_on(self, decision: str | None) -> None:
        assert self._slot is not None
        try:
            self._slot.switch(*(() if decision is None else (decision,)))
        except HilumError:
            # As the consumer does: what was not written stays with the reconciler.
            self._idle()
        if self._slot.dead:
            self._idle()

    def _idle(self) -> None:
        self.stopped_at, self.job = "idle", None


def _claim(job: Job) -> object:
    return job.state is JobState.RUNNING and (job.lease_owner, job.started_at)


class World:
    """Everything, with what was seen of each job so far.

    Attributes:
        stage: Use cases, rows, broker and clock.
        wrong: What broke a law, in words.
    """

    def __init__(self) -> None:
        self.stage = Stage(policy=POLICY)
        self.workers = {name: Worker(self, name) for name in WORKERS}
        self.wrong: list[str] = []
        self._returned_at = self.stage.clock.now()
        self.stage.clock.advance(LEASE)  # so that the reconciler trusts what it sees
        self._ended: dict[UUID, JobState] = {}
        self._raised: set[UUID] = set()

    @property
    def rows(self) -> FailingUnitOfWork:
        """What holds the rows, and can lose commits."""
        unit_of_work = self.stage.unit_of_work
        assert isinstance(unit_of_work, FailingUnitOfWork)
        return unit_of_work

    @property
    def jobs(self) -> list[Job]:
        """In the order of their acceptance."""
        return sorted(self.rows.rows.jobs.values(), key=lambda job: (job.created_at, job.site))

    def actions(self) -> dict[str, Callable[[], object]]:
        """What may happen next without a fault, by name."""
        stage, found = self.stage, dict[str, "Callable[[], object]"]()
        sent = {job.site for job in self.jobs}
        for shade, (site, priority) in enumerate(IMAGES):
            if site not in sent:
                found[f"{site} sends"] = lambda a=(shade, site, priority): self._send(*a)
        heard = next((one for one in QUEUES if self._waiting(one)), None)
        for name, worker in self.workers.items():
            if worker.stopped_at == "idle":
                if heard is not None:
                    found[f"{name} hears"] = lambda w=worker: w.wake(stage.queue.hear())
                elif not stage.queue.available:
                    found[f"{name} looks alone"] = lambda w=worker: w.wake(None)
            else:
                found[f"{name} goes on"] = lambda w=worker: w.proceed("complete")
                found[f"{name} beats"] = worker.leases.beat
            if any(
                one.state is not BreakerState.CLOSED
                for one in worker.dependencies.breakers.values()
            ):
                found[f"{name} probes"] = worker.dependencies.look
        found["reconcile"] = self._reconcile
        found["time passes"] = lambda: stage.clock.advance(TICK)
        return found

    def faults(self) -> dict[str, Callable[[], object]]:
        """What goes wrong, or what a person does, by name."""
        found = dict[str, "Callable[[], object]"]()
        for name, worker in self.workers.items():
            if worker.stopped_at == "claimed":
                for error in _ERRORS:
                    found[f"{name}: {error}"] = lambda w=worker, e=error: w.proceed(e)
            if worker.stopped_at != "idle":
                found[f"{name} crashes"] = worker.crash
                for loss in ("fail_before", "fail_after"):
                    found[f"{name}: {loss}"] = lambda w=worker, e=loss: self._lose(w, e)
        if any(worker.stopped_at == "claimed" for worker in self.workers.values()):
            found["an outage that the reconciler did not see"] = self._outage
        queue = self.stage.queue
        for priority in QUEUES:
            if self._waiting(priority):
                found[f"a doubled {priority}"] = lambda p=priority: queue.wake([p])
                found["messages are lost"] = queue.flush
        found["the broker goes or comes"] = self._toggle_broker
        return found | self._of_people()

    def rare(self) -> dict[str, Callable[[], object]]:
        """What long histories have besides, by name."""
        stage, found = self.stage, dict[str, "Callable[[], object]"]()
        sent, operate = {job.site for job in self.jobs}, stage.operate
        for loss in ("fail_before", "fail_after"):
            for shade, (site, priority) in enumerate(IMAGES):
                if site not in sent:
                    found[f"{site} sends: {loss}"] = lambda a=(shade, site, priority), e=loss: (
                        self._without_answer(e, lambda: self._send(*a))
                    )
            found[f"reconcile: {loss}"] = lambda e=loss: self._without_answer(e, self._reconcile)
            for name, worker in self.workers.items():
                heard = next((one for one in QUEUES if self._waiting(one)), None)
                if worker.stopped_at == "idle" and heard is not None:
                    found[f"{name} hears: {loss}"] = lambda w=worker, e=loss: self._without_answer(
                        e, lambda: w.wake(stage.queue.hear())
                    )
        for shade, (site, _) in enumerate(IMAGES):
            if site in sent:
                again = (shade, site, Priority.STAT)
                found[f"{site} sends urgently"] = lambda a=again: self._send(*a)
        for job in self.jobs:
            if job.state is JobState.QUEUED:
                found[f"{job.site}: cancel"] = lambda i=job.id: operate.cancel(i, "so", key(), "r")
                found[f"{job.site}: expedite"] = lambda i=job.id: operate.expedite(i, key(), "r")
        found["the clock jumps"] = lambda: stage.clock.advance(10 * LEASE)
        found["inference goes or comes"] = self._toggle_inference
        return found

    def _of_people(self) -> dict[str, Callable[[], object]]:
        found = dict[str, "Callable[[], object]"]()
        operate = self.stage.operate
        for shade, (site, priority) in enumerate(IMAGES):
            own = [job for job in self.jobs if job.site == site]
            if own:
                found[f"{site} sends again"] = lambda a=(shade, site, priority): self._send(*a)
                flow = self.rows.rows.work_flows.get((priority, site))
                paused = flow is not None and flow.paused_until is not None
                act = self._resume if paused else self._pause
                found[f"{act.__name__.strip('_')} {site}"] = lambda a=(priority, site), f=act: f(*a)
            for job in own:
                if job.state is JobState.FAILED:
                    found[f"{site}: retry"] = lambda i=job.id: operate.retry(i, key(), "r")
                    found[f"{site}: discard"] = lambda i=job.id: operate.discard(i, key(), "r")
        return found

    def settle(self) -> None:
        """Let everything heal and run on, without a fault, for as long as a healthy site needs."""
        stage = self.stage
        stage.queue.available = stage.engine.available = True
        for site, priority in IMAGES:
            self._resume(priority, site)
        for worker in self.workers.values():
            while worker.stopped_at != "idle":
                worker.proceed("complete")
        for _ in range(2 * POLICY.max_attempts):
            stage.clock.advance(2 * TICK)
            stage.reconcile()
            worker = self.workers[WORKERS[0]]
            worker.dependencies.look()
            while (heard := stage.queue.hear()) is not None:
                worker.wake(heard)
                while worker.stopped_at != "idle":
                    worker.proceed("complete")

    def note_claim(self, job: Job) -> None:
        """Look at a claim: whoever is more urgent and may run would have been taken."""
        rows, now = self.rows.rows, self.stage.clock.now()
        for other in rows.jobs.values():
            flow = rows.work_flows.get((other.priority, other.site))
            free = other.not_before is None or other.not_before <= now
            open_flow = flow is not None and flow.paused_until is None
            more_urgent = list(Priority).index(other.priority) < list(Priority).index(job.priority)
            if other.state is JobState.QUEUED and free and open_flow and more_urgent:
                self.wrong.append(f"{job.site} was claimed before {other.site}")

    def check(self) -> None:
        """Hold the rows to the laws; what breaks one is added to ``wrong``."""
        rows = self.rows.rows
        ends = [
            record.event.object_id
            for record in rows.audit
            if record.event.action in {"job.completed", "job.rejected", "job.discard", "job.cancel"}
        ]
        for job in rows.jobs.values():
            final = job.state in {JobState.COMPLETED, JobState.REJECTED, JobState.DISCARDED}
            laws = {
                "one audited end": ends.count(str(job.id)) == final,
                "a result where it completed": (job.id in rows.results)
                == (job.state is JobState.COMPLETED),
                "a lease while it runs": (job.lease_owner is not None)
                == (job.state is JobState.RUNNING),
                "its budgets": job.attempts <= POLICY.max_attempts
                and job.losses <= POLICY.max_losses,
                "its end for good": self._ended.get(job.id, job.state) is job.state,
                # One that was raised while it ran gets its tag when it is queued again.
                "a tag": job.fair_tag > 0 or job.id in self._raised,
                "a file": rows.instances[job.instance_id].object_key in self.stage.store.objects,
            }
            self.wrong += [f"{job.site} lacks {law}" for law, holds in laws.items() if not holds]
            if final:
                self._ended[job.id] = job.state

    def _send(self, shade: int, site: str, priority: Priority) -> None:
        fields = SubmissionFields(priority, site=site)
        answer = self.stage.send(film(shade), fields=fields)
        self._raised |= {file.job.id for file in answer.accepted if file.raised}

    def _reconcile(self) -> None:
        now = self.stage.clock.now()
        held = [_claim(worker.job) for worker in self.workers.values() if worker.job is not None]
        safe = [
            job
            for job in self.jobs
            if job.lease_expires_at is not None
            and (job.lease_expires_at > now or (_claim(job) in held and now < self.grace_until))
        ]
        self.stage.reconcile()
        taken = [job for job in safe if self.rows.rows.jobs[job.id] != job]
        self.wrong += [f"{job.site} was taken from a healthy worker" for job in taken]

    def _lose(self, worker: Worker, loss: str) -> None:
        setattr(self.rows, loss, 1)
        worker.proceed("complete")
        self.rows.fail_before = self.rows.fail_after = 0

    def _without_answer(self, loss: str, act: Callable[[], object]) -> None:
        """Act while a commit fails, or its answer is lost."""
        setattr(self.rows, loss, 1)
        with suppress(DatabaseUnavailable):
            act()
        self.rows.fail_before = self.rows.fail_after = 0

    @property
    def grace_until(self) -> datetime:
        """Until when a worker may renew what ran out in an outage of the database."""
        return self._returned_at + LEASE

    def _outage(self) -> None:
        """Nobody reaches the database for so long, and then a new worker is the first."""
        self._returned_at = self.stage.clock.advance(2 * TICK)
        self.stage.reconcile = self.stage.reconciler()
        self._reconcile()

    def _toggle_inference(self) -> None:
        self.stage.engine.available = not self.stage.engine.available

    def _toggle_broker(self) -> None:
        self.stage.queue.available = not self.stage.queue.available

    def _pause(self, priority: Priority, site: str) -> None:
        with self.rows.begin() as transaction:
            transaction.work_flows.pause(priority, site, timedelta(days=1), "decided so")

    def _resume(self, priority: Priority, site: str) -> None:
        with self.rows.begin() as transaction:
            transaction.work_flows.resume(priority, site)

    def _waiting(self, priority: Priority) -> int:
        return self.stage.queue.waiting(priority) if self.stage.queue.available else 0
