"""Run one job: claim it, read the film, ask the models, write the result once.

Stages, whose milliseconds are kept with the job: ``wait`` (acceptance to claim), ``fetch``,
``decode``, ``infer`` (preprocessing, boxes and outlines included) and ``total`` (claim to commit,
the commit itself excluded).
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter, sleep
from typing import TYPE_CHECKING, Final

from hilum.application.read_film import read_film
from hilum.application.reading import gate_refusal
from hilum.application.use_cases.site_rules import read_for
from hilum.domain.audit import AuditEvent
from hilum.domain.errors import (
    DatabaseUnavailable,
    HilumError,
    InternalError,
    NotAFrontalChestXray,
    ObjectMissing,
    OutOfMemory,
    Permanent,
    Rejected,
    Transient,
)
from hilum.domain.finding import Analysis, GateRecord
from hilum.domain.job import Job, JobEvent, Reason
from hilum.domain.principal import worker

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator
    from uuid import UUID

    from hilum.application.ports.clock import Clock
    from hilum.application.ports.film_reader import FilmReader
    from hilum.application.ports.inference import InferenceEngine
    from hilum.application.ports.model_catalogue import ModelCatalogue
    from hilum.application.ports.object_store import ObjectStore
    from hilum.application.ports.unit_of_work import Transaction, UnitOfWork
    from hilum.application.use_cases.keep_leases import KeepLeases
    from hilum.domain.retry_policy import RetryPolicy
    from hilum.domain.study import Instance

_LOG = logging.getLogger(__name__)

_Notes = tuple[str, ...]

OUTCOME_PAUSES_S: Final = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Pauses between attempts to write an outcome: a restart of the database costs no film's work."""


class AnalyseFilm:
    """Runs jobs; safe to call from several threads."""

    def __init__(  # noqa: PLR0913 - one parameter a port
        self,
        *,
        unit_of_work: UnitOfWork,
        store: ObjectStore,
        reader: FilmReader,
        engine: InferenceEngine,
        catalogue: ModelCatalogue,
        clock: Clock,
        leases: KeepLeases,
        policy: RetryPolicy,
        chance: random.Random,
        pause: Callable[[float], None] = sleep,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._store = store
        self._reader = reader
        self._engine = engine
        self._catalogue = catalogue
        self._clock = clock
        self._leases = leases
        self._policy = policy
        self._chance = chance
        self._pause = pause

    def __call__(self, job_id: UUID) -> Job | None:
        """Run a job if it is there to be claimed.

        Whatever goes wrong with the film is written to the job. Only a database that is down is
        passed on, and only if it stays down for longer than :data:`OUTCOME_PAUSES_S` together: the
        job's lease runs out and the reconciler takes it from there.

        Returns:
            The job as this call left it, or None if there was nothing to claim or the lease was
            lost meanwhile.

        Raises:
            DatabaseUnavailable: The claim or the outcome could not be written.
        """
        claimed = self._claim(job_id)
        if claimed is None:
            return None
        job, instance = claimed
        with self._leases.hold(job.id):
            watch = _Stopwatch(
                {"wait": (self._clock.now() - job.created_at).total_seconds() * 1000}
            )
            try:
                with watch.stage("total"):
                    read, notes = self._analyse(job, instance, watch)
                return self._conclude(job, read, notes, watch)
            except DatabaseUnavailable:
                raise
            except Rejected as error:
                return self._end(job, JobEvent.REJECT, error, watch)
            except Transient as error:
                return self._release(job, error)
            except Permanent as error:
                return self._end(job, JobEvent.PARK, error, watch)
            except Exception as error:  # noqa: BLE001 - a defect parks one film, not the worker
                _LOG.exception("job %s: unforeseen", job.id)
                parked = InternalError(f"{type(error).__name__}, see the log of job {job.id}")
                return self._end(job, JobEvent.PARK, parked, watch)

    def _claim(self, job_id: UUID) -> tuple[Job, Instance] | None:
        with self._unit_of_work.begin() as transaction:
            job = transaction.jobs.claim(
                job_id, self._leases.owner, self._clock.now(), self._leases.lease
            )
            if job is None:
                return None
            instance = transaction.studies.instance(job.instance_id)
        if instance is None:  # the schema forbids it
            raise InternalError(f"job {job_id} has no instance")
        return job, instance

    def _analyse(
        self, job: Job, instance: Instance, watch: _Stopwatch
    ) -> tuple[Analysis | GateRecord, _Notes]:
        """The result, or what the gate said of a film that it did not let through; and notes."""
        with watch.stage("fetch"):
            content = self._store.get(instance.object_key)
        if len(content) != instance.size_bytes:
            raise ObjectMissing(
                f"{instance.object_key} has {len(content)} bytes, accepted {instance.size_bytes}"
            )
        models = self._catalogue.of_site(job.site)
        try:
            with watch.stage("decode"):
                film = read_for(job.site, self._reader, content, self._unit_of_work)
            with watch.stage("infer"):
                read = read_film(film, models, self._engine)
        except MemoryError as error:
            raise OutOfMemory("the worker has no memory left") from error
        now = self._clock.now()
        notes = tuple(sorted(read.notes))
        if read.gate is not None and not read.passed:
            return GateRecord(job.id, models.version, read.gate, now), notes
        analysis = Analysis(
            job_id=job.id,
            model_set=models.version,
            panels=read.panels,
            heatmaps=read.heatmaps,
            rows=film.pixels.shape[0],
            columns=film.pixels.shape[1],
            created_at=now,
            inverted=read.inverted,
            gate=read.gate,
            structures=read.structures,
            impression=read.impression,
            pixel_aspect=film.header.pixel_aspect,
        )
        return analysis, notes

    def _conclude(
        self, job: Job, read: Analysis | GateRecord, notes: _Notes, watch: _Stopwatch
    ) -> Job | None:
        if isinstance(read, Analysis):
            return self._complete(job, read, notes, watch)
        refusal = NotAFrontalChestXray(gate_refusal(read.reading))
        return self._end(job, JobEvent.REJECT, refusal, watch, read, notes)

    def _complete(
        self, job: Job, analysis: Analysis, notes: _Notes, watch: _Stopwatch
    ) -> Job | None:
        def outcome(transaction: Transaction) -> Job | None:
            now = self._clock.now()
            done = transaction.jobs.finish(
                job.id,
                self._leases.owner,
                JobEvent.COMPLETE,
                now,
                timings_ms=watch.milliseconds,
                notes=notes,
            )
            if done is not None:
                transaction.results.add(analysis)
                transaction.audit.append([self._event(done, None)])
            return done

        return self._write(job, outcome)

    def _end(
        self,
        job: Job,
        event: JobEvent,
        error: HilumError,
        watch: _Stopwatch,
        gate: GateRecord | None = None,
        notes: _Notes = (),
    ) -> Job | None:
        reason = Reason(error.code, error.detail)

        def outcome(transaction: Transaction) -> Job | None:
            ended = transaction.jobs.finish(
                job.id,
                self._leases.owner,
                event,
                self._clock.now(),
                reason=reason,
                timings_ms=watch.milliseconds,
                notes=notes,
            )
            if ended is not None:
                if gate is not None:
                    transaction.results.add_gate(gate)
                transaction.audit.append([self._event(ended, reason)])
            return ended

        return self._write(job, outcome)

    def _release(self, job: Job, error: Transient) -> Job | None:
        """Back to the queue with a backoff, or parked when the attempts are used up."""
        reason = Reason(error.code, error.detail)

        def outcome(transaction: Transaction) -> Job | None:
            now = self._clock.now()
            if self._policy.exhausted(job.attempts, job.losses):
                left = transaction.jobs.park(job, now, reason=reason, lost=False)
            else:
                delay = self._policy.delay(job.attempts, self._chance)
                left = transaction.jobs.release(
                    job, now, reason=reason, not_before=now + delay, lost=False
                )
            if left is not None:
                transaction.audit.append([self._event(left, reason)])
            return left

        return self._write(job, outcome)

    def _write(self, job: Job, outcome: Callable[[Transaction], Job | None]) -> Job | None:
        """Write an outcome in one transaction; safe to repeat, since it needs a running job."""
        for pause in (*OUTCOME_PAUSES_S, None):
            try:
                with self._unit_of_work.begin() as transaction:
                    left = outcome(transaction)
            except DatabaseUnavailable as error:
                if pause is None:
                    raise
                _LOG.warning("job %s: outcome not written yet: %s", job.id, error)
                self._pause(pause)
            else:
                if left is None:
                    _LOG.warning("job %s is not this worker's any more", job.id)
                return left
        raise AssertionError("the last attempt returns or raises")

    def _event(self, job: Job, reason: Reason | None) -> AuditEvent:
        return AuditEvent(
            actor=worker(self._leases.owner),
            action=f"job.{job.state.value}",
            object_type="job",
            object_id=str(job.id),
            at=job.updated_at,
            details={
                "attempts": job.attempts,
                "reason": reason.code if reason else None,
                **({"notes": ",".join(job.notes)} if job.notes else {}),
            },
        )


@dataclass(slots=True)
class _Stopwatch:
    """Milliseconds by stage."""

    milliseconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a block, also one that raises."""
        begun = perf_counter()
        try:
            yield
        finally:
            self.milliseconds[name] = round((perf_counter() - begun) * 1000, 3)
