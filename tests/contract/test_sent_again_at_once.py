"""The same image is sent by several at once while something happens to its job."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from threading import Barrier
from time import sleep
from typing import TYPE_CHECKING

import pytest

from hilum.adapters.postgres.repositories.submissions import SqlSubmissionRepository
from hilum.application.intake.submission import AcceptedFile, SubmissionAnswer, SubmissionFields
from hilum.application.intake.submission_rows import age
from hilum.application.ports.repositories import JobFilter
from hilum.application.retention.expire_films import ExpireFilms, RetentionRule
from hilum.domain.errors import TransitionNotAllowed
from hilum.domain.job import JobState, Priority
from hilum.domain.sent_again import Outcome
from hilum.domain.work import WorkEvent
from tests.fakes.clock import SettableClock
from tests.unit.application.stage import ME, Stage, film, key

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from hilum.application.ports.unit_of_work import UnitOfWork
    from hilum.domain.job import Job
    from hilum.domain.study import Instance

ROUNDS = 6
WAITS_S = 0.3
FORCED = SubmissionFields(force=True)
STAT, ROUTINE = SubmissionFields(Priority.STAT), SubmissionFields(Priority.ROUTINE)


class Round(Stage):
    """A stage of which each round has images and jobs of its own."""

    def __init__(self, unit_of_work: UnitOfWork) -> None:
        super().__init__(unit_of_work=unit_of_work)
        self.retention_clock = SettableClock()
        self.expire = ExpireFilms(
            unit_of_work=unit_of_work, store=self.store, clock=self.retention_clock
        )
        self.number = -1
        self.before: set[object] = set()
        self.lost: set[str] = set()

    def images(self) -> list[bytes]:
        """Three images that nobody has sent before."""
        self.before = {job.id for job in self.all_jobs()}
        self.number += 1
        return [film(3 * self.number + each) for each in range(3)]

    def all_jobs(self) -> list[Job]:
        with self.unit_of_work.begin(write=False) as transaction:
            return list(transaction.jobs.page(JobFilter(), None, 200))

    def jobs(self) -> list[Job]:
        """The jobs of this round."""
        return [job for job in self.all_jobs() if job.id not in self.before]

    def holders(self) -> list[Job]:
        """Those of them that answer for their images."""
        return [job for job in self.jobs() if not job.idempotency_key.startswith("ended ")]

    def analysed(self, *images: bytes) -> list[Job]:
        jobs = [self.queued(image) for image in images]
        for job in jobs:
            self.analyse(job.id)
        return [self.job(job.id) for job in jobs]

    def failed_without_file(self, *images: bytes) -> list[Job]:
        jobs = [self.queued(image) for image in images]
        for job in jobs:
            with self.unit_of_work.begin(write=False) as transaction:
                instance = transaction.submissions.instance(job.instance_id)
            assert instance is not None
            self.store.delete(instance.object_key)
            self.lost.add(instance.object_key)
            self.analyse(job.id)
        return [self.job(job.id) for job in jobs]

    def sends(
        self, *images: bytes, fields: SubmissionFields | None = None
    ) -> Callable[[], SubmissionAnswer]:
        return lambda: self.send(*images, fields=fields, gateway=self.gateway())

    def settled(self, told: Sequence[object]) -> list[AcceptedFile]:
        """The answers of all submissions, which are kept as they were told.

        Each job that may show its image has its object, unless that was lost before, and there is
        no other object.
        """
        answers = [answer for answer in told if isinstance(answer, SubmissionAnswer)]
        with self.unit_of_work.begin(write=False) as transaction:
            for answer in answers:
                kept = transaction.submissions.get(answer.submission_id)
                assert kept is not None
                assert [(item.outcome, item.job_id) for item in kept.items] == [
                    (file.outcome, file.job.id) for file in answer.accepted
                ]
            shown = [job for job in self.all_jobs() if job.film_expired_at is None]
            instances = [transaction.submissions.instance(job.instance_id) for job in shown]
            assert transaction.film_retention.to_remove(1) == []
        named = {one.object_key for one in instances if one}
        assert set(self.store.objects) == named - self.lost
        return [file for answer in answers for file in answer.accepted]


@pytest.fixture
def stage(unit_of_work: UnitOfWork) -> Round:
    return Round(unit_of_work)


def at_once(*acts: Callable[[], object]) -> list[object]:
    """What each gives. None begins before all are ready."""
    ready = Barrier(len(acts))

    def act(one: Callable[[], object]) -> object:
        ready.wait()
        return one()

    with ThreadPoolExecutor(len(acts)) as threads:
        return [told.result() for told in [threads.submit(act, one) for one in acts]]


def test_a_job_whose_object_is_gone_is_queued_once(stage: Round) -> None:
    """One sender's bytes are kept, and it is told so. The others know the job."""
    for _ in range(ROUNDS):
        image, *_ = stage.images()
        (job,) = stage.failed_without_file(image)
        files = stage.settled(at_once(*[stage.sends(image)] * 4))
        (holder,) = stage.jobs()
        assert (holder.id, holder.state) == (job.id, JobState.QUEUED)
        outcomes = Counter(file.outcome for file in files)
        assert outcomes == {Outcome.REQUEUED: 1, Outcome.KNOWN: 3}


def test_bytes_that_come_while_a_job_is_looked_up_are_not_replaced(
    stage: Round, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second sender sees that the first was served between its reads, and knows the job."""
    image, *_ = stage.images()
    stage.failed_without_file(image)
    first: list[SubmissionAnswer] = []
    read = SqlSubmissionRepository.instance

    def after_another_sender(self: SqlSubmissionRepository, instance_id: UUID) -> Instance | None:
        monkeypatch.setattr(SqlSubmissionRepository, "instance", read)
        # SQLite lets no other write begin.
        if self._connection.dialect.name == "postgresql":
            first.append(stage.send(image, gateway=stage.gateway()))
        return read(self, instance_id)

    monkeypatch.setattr(SqlSubmissionRepository, "instance", after_another_sender)
    answer = stage.send(image)
    told = [*first, answer] if first else [answer, stage.send(image)]
    outcomes = [file.outcome for file in stage.settled(told)]
    assert outcomes == [Outcome.REQUEUED, Outcome.KNOWN]


def test_jobs_are_queued_whatever_their_order_in_a_submission(stage: Round) -> None:
    """Also beside an operator who retries them. No two wait for each other."""
    for _ in range(ROUNDS):
        images = stage.images()
        jobs = stage.failed_without_file(*images)

        def retry(jobs: list[Job] = jobs) -> None:
            for job in jobs:
                with suppress(TransitionNotAllowed):  # it was queued first
                    stage.operate.retry(job.id, key(), "r")

        senders = (images, images[::-1], images[1:2])
        files = stage.settled(at_once(retry, *[stage.sends(*some) for some in senders]))
        assert {file.job.id for file in files} == {job.id for job in jobs}
        assert {(job.id, job.state) for job in stage.jobs()} == {
            (job.id, JobState.QUEUED) for job in jobs
        }


def test_a_sender_that_waits_for_a_job_holds_no_flow(stage: Round) -> None:
    """An operator who has changed that job can give it a place in its flow."""
    images = stage.images()[:2]
    older, newer = sorted(stage.failed_without_file(*images), key=age)
    with ThreadPoolExecutor(1) as threads:
        with stage.unit_of_work.begin() as transaction:
            retried = transaction.jobs.change(older, WorkEvent.RETRY)
            assert retried is not None
            sent = threads.submit(stage.send, *images)
            sleep(WAITS_S)
            transaction.work_flows.enqueue([retried])
        outcomes = {file.job.id: file.outcome for file in sent.result().accepted}
    assert outcomes == {older.id: Outcome.RESTORED, newer.id: Outcome.REQUEUED}
    assert stage.settled([sent.result()])


@pytest.mark.parametrize("kept", [True, False], ids=["failed", "no file"])
def test_a_job_that_is_discarded_meanwhile_has_one_successor(stage: Round, *, kept: bool) -> None:
    """Each sender is told of it, or of the former job before its end."""
    for _ in range(ROUNDS):
        image, *_ = stage.images()
        job = stage.parked(image) if kept else stage.failed_without_file(image)[0]

        def discard(job: Job = job) -> None:
            with suppress(TransitionNotAllowed):  # it was queued first
                stage.operate.discard(job.id, key(), "r")

        told = at_once(discard, *[stage.sends(image)] * 3, stage.sends(image, image))
        if not stage.holders():  # all came before
            told.append(stage.send(image))
        files = stage.settled(told)
        (holder,) = stage.holders()
        assert len(stage.jobs()) == (1 if holder.id == job.id else 2)
        assert {file.job.id for file in files} <= {job.id, holder.id}
        assert [file.job.id for file in files if file.queued] == [holder.id]
        assert holder.state is JobState.QUEUED


def test_a_job_has_the_highest_priority_of_all_submissions(stage: Round) -> None:
    """A lower one that is written later does not take it away."""
    for _ in range(ROUNDS):
        image, *_ = stage.images()
        job = stage.queued(image, Priority.BATCH)
        wanted = (ROUTINE, STAT, ROUTINE, STAT)
        files = stage.settled(at_once(*[stage.sends(image, fields=each) for each in wanted]))
        assert {file.outcome for file in files} == {Outcome.KNOWN}
        (holder,) = stage.jobs()
        assert (holder.id, holder.priority) == (job.id, Priority.STAT)
        assert holder.fair_tag > 0
        assert stage.claim(job.id, "w") is not None


def test_a_job_that_operators_replace_has_one_successor_at_a_time(stage: Round) -> None:
    """Each new job replaces the one before it. A sender without force knows one of them."""
    for _ in range(ROUNDS):
        images = stage.images()
        former = stage.analysed(*images)
        files = stage.settled(
            at_once(
                stage.sends(*images, fields=FORCED),
                stage.sends(*images[::-1], fields=FORCED),
                stage.sends(*images, fields=STAT),
                stage.sends(images[1], fields=ROUTINE),
            )
        )
        jobs = stage.jobs()
        assert len(stage.holders()) == len(images)
        replaced = Counter(job.replaces_job_id for job in jobs if job.replaces_job_id)
        assert set(replaced) >= {job.id for job in former}
        assert set(replaced.values()) == {1}
        new = [file.job.id for file in files if file.outcome is Outcome.NEW]
        assert sorted(new) == sorted({job.id for job in jobs} - {job.id for job in former})


def test_an_image_that_expires_meanwhile_has_its_object_if_that_was_told(stage: Round) -> None:
    """Retention, operators and senders do not wait for each other."""
    rule = RetentionRule(days=1)
    for _ in range(ROUNDS):
        images = stage.images()
        former = stage.analysed(*images)
        # What has ended until now is due, and what is sent again from now on is not.
        stage.retention_clock.set(datetime.now(UTC) + timedelta(days=rule.days))
        told = at_once(
            lambda: stage.expire(rule, ME),
            stage.sends(*images),
            stage.sends(*images[::-1]),
            stage.sends(*images[:2], fields=FORCED),
            stage.sends(images[2]),
        )
        stage.expire(rule, ME)
        for file in stage.settled(told):
            if file.outcome is Outcome.RESTORED:
                assert stage.job(file.job.id).film_expired_at is None
        assert all(stage.result(job.id) is not None for job in former)
        assert len(stage.holders()) == len(images)
