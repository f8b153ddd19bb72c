"""Submissions with their items, and the DICOM studies of instances, on both databases."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.tables import (
    IMAGING_SERIES,
    IMAGING_STUDIES,
    INSTANCES,
    SUBMISSION_ITEMS,
    SUBMISSIONS,
)
from hilum.adapters.postgres.unit_of_work import SqlUnitOfWork
from hilum.domain.errors import InternalError
from hilum.domain.job import JobEvent, Priority, Reason
from hilum.domain.principal import Principal, PrincipalKind
from hilum.domain.sent_again import Outcome
from hilum.domain.study import Series
from hilum.domain.submission import Source, SubmissionItem
from tests.contract.samples import a_film, accept, accepted, claim, claimed, stored

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hilum.application.ports.unit_of_work import UnitOfWork
    from tests.contract.samples import Film


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    engine = create_database_engine(database_url)
    yield engine
    engine.dispose()


def test_a_submission_comes_back_with_its_items_in_order(unit_of_work: UnitOfWork) -> None:
    """Who sent it and what became of each file, also of a refused one."""
    sent = replace(
        a_film().submission, source=Source.PAGE, request_id="r-1", traceparent="00-ab-cd-01"
    )
    items = [
        SubmissionItem(0, "a ä.dcm", Outcome.NEW, uuid4()),
        SubmissionItem(1, "b.dcm", Outcome.REFUSED, reason=Reason("too_small", "Too small.")),
        SubmissionItem(2, "c.dcm", Outcome.KNOWN, uuid4()),
    ]
    restored = replace(items[2], outcome=Outcome.RESTORED, job_id=uuid4())
    with unit_of_work.begin() as transaction:
        transaction.submissions.add(sent, items)
        transaction.submissions.settle(sent.id, [restored])
    with unit_of_work.begin(write=False) as transaction:
        found = transaction.submissions.get(sent.id)
        assert transaction.submissions.get(uuid4()) is None
    assert found is not None
    assert (found.submission, list(found.items)) == (sent, [*items[:2], restored])


def test_a_submission_is_added_once(unit_of_work: UnitOfWork) -> None:
    """The same id again is a defect."""
    sent = a_film().submission

    def add() -> None:
        with unit_of_work.begin() as transaction:
            transaction.submissions.add(sent, [])

    add()
    with pytest.raises(InternalError):
        add()


def test_a_key_that_was_given_up_is_free_once(unit_of_work: UnitOfWork) -> None:
    """The second of two that replace a job finds that it does not hold the key any more."""
    job = accepted(unit_of_work)
    with unit_of_work.begin() as transaction:
        assert transaction.jobs.give_up_key(job)
        assert not transaction.jobs.give_up_key(job)
        assert transaction.jobs.with_keys([job.idempotency_key]) == {}


@pytest.mark.parametrize("runs", [False, True], ids=["queued", "running"])
def test_a_job_that_waits_or_runs_can_be_raised(unit_of_work: UnitOfWork, *, runs: bool) -> None:
    """A running one keeps its claim and goes before the site's others once it is queued again."""
    job = (claimed if runs else accepted)(unit_of_work, priority=Priority.BATCH)
    with unit_of_work.begin() as transaction:
        raised = transaction.jobs.raise_priority(job.id, Priority.STAT)
    assert raised is not None
    assert (raised.priority, raised.state, raised.fair_tag) == (Priority.STAT, job.state, 0)
    assert (raised.lease_owner, raised.started_at) == (job.lease_owner, job.started_at)


@pytest.mark.parametrize("priority", [Priority.STAT, Priority.ROUTINE, Priority.BATCH])
def test_a_job_is_never_raised_to_a_lower_priority(
    unit_of_work: UnitOfWork, priority: Priority
) -> None:
    """Nor to its own: another submission may have raised it a moment ago."""
    job = accepted(unit_of_work, priority=Priority.STAT)
    with unit_of_work.begin() as transaction:
        assert transaction.jobs.raise_priority(job.id, priority) is None
    assert stored(unit_of_work, job.id) == job


def test_a_job_that_ended_is_not_raised(unit_of_work: UnitOfWork) -> None:
    """Nothing changes."""
    job = claimed(unit_of_work, priority=Priority.BATCH)
    with unit_of_work.begin() as transaction:
        transaction.jobs.finish(job, JobEvent.COMPLETE)
        assert transaction.jobs.raise_priority(job.id, Priority.STAT) is None
    assert stored(unit_of_work, job.id).priority is Priority.BATCH
    assert claim(unit_of_work) is None


def test_instances_of_a_study_share_its_rows(engine: sa.Engine) -> None:
    """One study a site and UID, one series a study and UID, over any number of submissions."""
    unit_of_work = SqlUnitOfWork(engine)
    series = Series("1.2.3", "1.2.3.1", accession_number="A7", modality="DX", body_part="CHEST")
    lateral = replace(series, series_instance_uid="1.2.3.2", modality=None)
    sent = [
        _of(series, "north"),
        _of(series, "north"),
        _of(lateral, "north"),
        _of(series, "south"),
    ]
    for film in sent:
        accept(unit_of_work, film)
    with engine.connect() as connection:
        studies = connection.execute(sa.select(IMAGING_STUDIES)).all()
        found = connection.execute(sa.select(IMAGING_SERIES)).all()
        links = connection.execute(sa.select(INSTANCES.c.id, INSTANCES.c.series_id))
        of_instances = {row.id: row.series_id for row in links}
    assert sorted((row.site, row.study_instance_uid, row.accession_number) for row in studies) == [
        ("north", "1.2.3", "A7"),
        ("south", "1.2.3", "A7"),
    ]
    assert sorted((row.series_instance_uid, row.modality or "") for row in found) == [
        ("1.2.3.1", "DX"),
        ("1.2.3.1", "DX"),
        ("1.2.3.2", ""),
    ]
    assert [of_instances[film.instance.id] for film in sent] == [
        film.instance.series.id(film.submission.site) for film in sent if film.instance.series
    ]


def test_submissions_of_an_older_release_are_shown_and_written_in_batches(
    engine: sa.Engine,
) -> None:
    """Before: made of what that release wrote. After: the same, from rows. A second run adds none.

    A submission of this release stays as it is.
    """
    unit_of_work = SqlUnitOfWork(engine)
    former = [a_film() for _ in range(5)]
    accept(unit_of_work, *former)  # as the older release does: no row of the submission
    own = a_film()
    accept(unit_of_work, own)
    with unit_of_work.begin() as transaction:
        kept = [SubmissionItem(0, "own.dcm", Outcome.NEW, own.job.id)]
        transaction.submissions.add(own.submission, kept)
        before = [transaction.submissions.get(film.submission.id) for film in former]
    last: UUID | None = None
    written = []
    for _ in range(4):
        with unit_of_work.begin() as transaction:
            last, number = transaction.submissions.back_fill(last, 2)
        written.append(number)
    assert (last, sum(written), written[-1]) == (None, 5, 0)
    with unit_of_work.begin() as transaction:
        assert transaction.submissions.back_fill(None, 100).written == 0
        after = [transaction.submissions.get(film.submission.id) for film in former]
        mine = transaction.submissions.get(own.submission.id)
    with engine.connect() as connection:
        rows = connection.execute(sa.select(sa.func.count()).select_from(SUBMISSIONS)).scalar()
        items = connection.execute(sa.select(sa.func.count()).select_from(SUBMISSION_ITEMS))
        assert (rows, items.scalar()) == (6, 6)
    assert before == after
    assert mine is not None
    assert mine.items == kept
    for film, record in zip(former, after, strict=True):
        assert record is not None
        assert record.submission.principal == Principal(PrincipalKind.API_KEY, "key-1")
        assert [(i.filename, i.job_id) for i in record.items] == [(film.job.filename, film.job.id)]


def test_what_only_a_newer_release_knows_is_read_back_as_it_stands(engine: sa.Engine) -> None:
    """After a rollback: another way in, and another role in a study."""
    unit_of_work = SqlUnitOfWork(engine)
    film = a_film()
    accept(unit_of_work, film)
    with unit_of_work.begin() as transaction:
        transaction.submissions.add(film.submission, [])
    with engine.begin() as connection:
        connection.execute(sa.update(SUBMISSIONS).values(source="dicom"))
        connection.execute(sa.update(INSTANCES).values(role="key_image"))
    with unit_of_work.begin(write=False) as transaction:
        record = transaction.submissions.get(film.submission.id)
        instance = transaction.submissions.instance(film.instance.id)
    assert record is not None
    assert instance is not None
    assert (record.submission.source, instance.role) == ("dicom", "key_image")


def _of(series: Series, site: str) -> Film:
    film = a_film(site=site)
    return replace(film, instance=replace(film.instance, series=series))
