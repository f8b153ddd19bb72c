"""Submissions that wait at the same moment share one transaction, on each kind of database."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from hilum.application.intake.group_commit import GroupCommit
from hilum.application.intake.submission_rows import Recording
from hilum.application.ports.repositories import JobFilter
from hilum.domain.errors import DatabaseUnavailable, InternalError
from hilum.domain.sent_again import Outcome
from hilum.domain.work import Priority
from tests.contract.samples import a_film
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hilum.application.intake.submission_rows import RecordedSubmission
    from hilum.application.ports.unit_of_work import Transaction, UnitOfWork
    from tests.contract.samples import Film

OTHERS = 11
SITES = ("north", "south", "west")


class SlowCommit:
    """A unit of work that holds the commits of write transactions until it is told to go on.

    Attributes:
        begun: Write transactions so far.
        go_on: Lets every commit happen.
        fails: The answer to each commit is lost.
    """

    def __init__(self, inner: UnitOfWork) -> None:
        self._inner = inner
        self.begun = 0
        self.go_on = threading.Event()
        self.fails = False

    @contextmanager
    def begin(self, *, write: bool = True) -> Iterator[Transaction]:
        self.begun += write
        with self._inner.begin(write=write) as transaction:
            yield transaction
            assert self.go_on.wait(120)
        if write and self.fails:
            raise DatabaseUnavailable("the answer to the commit was lost")

    def check(self) -> None:
        self._inner.check()


@pytest.fixture
def slow(unit_of_work: UnitOfWork) -> SlowCommit:
    return SlowCommit(unit_of_work)


def recording(film: Film, position: int = 0) -> Recording:
    """A submission with one image, of one of three sites and priorities."""
    priority = list(Priority)[position % 3]
    submission = replace(film.submission, site=SITES[position % 3], priority=priority)
    instance = replace(film.instance, study_id=submission.id, sha256=film.instance.id.hex * 2)
    return Recording(submission, (instance,), "ms-1")


def all_at_once(
    slow: SlowCommit, first: Recording, others: Sequence[Recording]
) -> list[RecordedSubmission | Exception]:
    """Record one, and the others while its commit is held."""
    commits = GroupCommit(slow)

    def record(one: Recording) -> RecordedSubmission | Exception:
        try:
            return commits.record(one)
        except (DatabaseUnavailable, InternalError) as error:
            return error

    with ThreadPoolExecutor(1 + len(others)) as pool:
        futures = [pool.submit(record, first)]
        wait_for(lambda: slow.begun == 1, "the first transaction")
        futures += [pool.submit(record, one) for one in others]
        wait_for(lambda: commits.waiting == len(others), "the others")
        slow.go_on.set()
        return [future.result(timeout=120) for future in futures]


def jobs_of(unit_of_work: UnitOfWork) -> dict[object, int]:
    """How many jobs each instance has."""
    with unit_of_work.begin(write=False) as transaction:
        jobs = transaction.jobs.page(JobFilter(), None, 200)
    found: dict[object, int] = {}
    for job in jobs:
        found[job.instance_id] = found.get(job.instance_id, 0) + 1
    return found


def outcome(recorded: RecordedSubmission | Exception) -> Outcome:
    assert not isinstance(recorded, Exception), recorded
    (file,) = recorded.files
    return file.outcome  # type: ignore[union-attr] - none is refused


def test_what_waits_during_a_commit_is_committed_together(
    slow: SlowCommit, unit_of_work: UnitOfWork
) -> None:
    """One transaction for the first, and one for all that came meanwhile, of whatever site."""
    recordings = [recording(a_film(), n) for n in range(1 + OTHERS)]
    recorded = all_at_once(slow, recordings[0], recordings[1:])
    assert slow.begun == 2
    assert {outcome(one) for one in recorded} == {Outcome.NEW}
    assert jobs_of(unit_of_work) == {one.images[0].id: 1 for one in recordings}
    with unit_of_work.begin(write=False) as transaction:
        events = transaction.audit.records()
        for one in recordings:
            found = transaction.submissions.get(one.submission.id)
            assert found is not None
            assert [item.outcome for item in found.items] == [Outcome.NEW]
    assert [event.event.action for event in events] == ["job.accepted"] * len(recordings)


def test_a_lone_submission_waits_for_nobody(slow: SlowCommit) -> None:
    """Each is a transaction of its own where none comes meanwhile."""
    slow.go_on.set()
    commits = GroupCommit(slow)
    for n in range(3):
        assert outcome(commits.record(recording(a_film(), n))) is Outcome.NEW
    assert slow.begun == 3


def test_one_that_cannot_be_written_does_not_fail_its_neighbours(
    slow: SlowCommit, unit_of_work: UnitOfWork
) -> None:
    """A submission whose id is taken fails alone. The others are written each by itself."""
    first, *others = [recording(a_film(), n) for n in range(5)]
    taken = replace(first.submission, site="west")
    bad = Recording(taken, (replace(a_film().instance, study_id=taken.id),), "ms-1")
    recorded = all_at_once(slow, first, [*others[:2], bad, *others[2:]])
    assert [isinstance(one, InternalError) for one in recorded] == [False] * 3 + [True] + [
        False
    ] * 2
    assert slow.begun == 2 + 5
    good = {one.images[0].id: 1 for one in (first, *others)}
    assert jobs_of(unit_of_work) == good


def test_an_answer_that_was_lost_is_lost_for_all_and_sending_again_is_safe(
    slow: SlowCommit, unit_of_work: UnitOfWork
) -> None:
    """Nobody is told of an acceptance that nobody knows. Sent again, each image has its one job."""
    recordings = [recording(a_film(), n) for n in range(4)]
    slow.fails = True
    lost = all_at_once(slow, recordings[0], recordings[1:])
    assert [type(one) for one in lost] == [DatabaseUnavailable] * 4
    assert len({id(one) for one in lost}) == 4
    assert slow.begun == 2
    slow.fails = False
    commits = GroupCommit(slow)
    for one in recordings:
        submission = replace(one.submission, id=uuid4())
        image = replace(one.images[0], id=uuid4(), study_id=submission.id)
        again = commits.record(Recording(submission, (image,), "ms-1"))
        assert outcome(again) is Outcome.KNOWN
        assert again.earlier[image.id].instance.id == one.images[0].id
    assert jobs_of(unit_of_work) == {one.images[0].id: 1 for one in recordings}


def test_the_same_image_in_two_submissions_of_a_group_is_one_job(
    slow: SlowCommit, unit_of_work: UnitOfWork
) -> None:
    """The second knows the instance of the first as an earlier one."""
    first, one = recording(a_film(), 1), recording(a_film(), 0)
    submission = replace(one.submission, id=uuid4())
    same = replace(one.images[0], id=uuid4(), study_id=submission.id)
    twin = Recording(submission, (same,), "ms-1")
    _, new, known = all_at_once(slow, first, [one, twin])
    assert slow.begun == 2
    assert {outcome(new), outcome(known)} == {Outcome.NEW, Outcome.KNOWN}
    assert len(jobs_of(unit_of_work)) == 2
    behind = new if outcome(new) is Outcome.KNOWN else known
    assert not isinstance(behind, Exception)
    assert len(behind.earlier) == 1
