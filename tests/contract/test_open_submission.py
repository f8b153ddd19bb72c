"""A submission that grows: one association, many objects, on each kind of database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hilum.application.intake.submission import AcceptedFile, IncomingFile
from hilum.domain.errors import FileTooLarge, NotPermitted
from hilum.domain.job import JobState
from hilum.domain.principal import Grant, Principal, PrincipalKind, Role
from hilum.domain.sent_again import Outcome
from hilum.domain.submission import Source
from hilum.domain.work import Priority
from tests.unit.application.stage import MAX_FILE_BYTES, Stage, film

if TYPE_CHECKING:
    from hilum.application.intake.submit_images import OpenSubmission
    from hilum.application.ports.submissions import SubmissionRecord
    from hilum.application.ports.unit_of_work import UnitOfWork

PEER = Principal(PrincipalKind.AE_TITLE, "CR1", "CR1", (Grant(Role.SUBMITTER, "north"),))


@pytest.fixture
def stage(unit_of_work: UnitOfWork) -> Stage:
    return Stage(unit_of_work=unit_of_work)


@pytest.fixture
def growing(stage: Stage) -> OpenSubmission:
    return stage.submit.open(
        PEER, request_id="r", source=Source.DICOM, priority=Priority.STAT, calling_ae="CR1"
    )


def image(content: bytes, name: str = "1.2.3.dcm") -> IncomingFile:
    return IncomingFile(name, [content])


def kept(stage: Stage, submission: OpenSubmission) -> SubmissionRecord:
    with stage.unit_of_work.begin(write=False) as transaction:
        found = transaction.submissions.get(submission.id)
    assert found is not None
    return found


def test_it_has_no_row_before_its_first_file(stage: Stage, growing: OpenSubmission) -> None:
    """An association in which nothing was sent leaves none."""
    with stage.unit_of_work.begin(write=False) as transaction:
        assert transaction.submissions.get(growing.id) is None


def test_each_file_gets_an_item_at_the_next_position(stage: Stage, growing: OpenSubmission) -> None:
    """New, refused by its size, new, sent before, and refused before it was read."""
    large = b"\0" * (MAX_FILE_BYTES + 1)
    files = [image(film(1)), image(film(2) + large), image(film(3)), image(film(1))]
    answers = [growing.add(one) for one in files]
    answers.append(growing.refuse("1.2.4.dcm", FileTooLarge("too large")))
    outcomes = [one.outcome if isinstance(one, AcceptedFile) else None for one in answers]
    assert outcomes == [Outcome.NEW, None, Outcome.NEW, Outcome.KNOWN, None]
    submission, items = kept(stage, growing)
    assert [item.position for item in items] == [0, 1, 2, 3, 4]
    refused = Outcome.REFUSED
    assert [item.outcome for item in items] == [
        *(Outcome.NEW, refused, Outcome.NEW, Outcome.KNOWN, refused)
    ]
    assert items[4].reason is not None
    assert (items[4].reason.code, items[4].filename) == ("file_too_large", "1.2.4.dcm")
    assert (submission.source, submission.calling_ae, submission.site) == ("dicom", "CR1", "north")
    assert (submission.principal.kind, submission.principal.id) == (PrincipalKind.AE_TITLE, "CR1")
    assert items[0].job_id is not None
    job = stage.job(items[0].job_id)
    assert (job.study_id, job.priority, job.site) == (growing.id, Priority.STAT, "north")
    assert len(stage.store.objects) == 2
    assert stage.actions() == ["job.accepted", "job.accepted", "job.submitted_again"]


def test_images_may_come_after_refusals_and_known_ones(
    stage: Stage, growing: OpenSubmission
) -> None:
    """The first that is new makes the submission a parent, whatever came before it."""
    other = stage.submit.open(PEER, request_id="r", source=Source.DICOM)
    other.add(image(film(1)))
    growing.refuse("a.dcm", FileTooLarge("too large"))
    growing.add(image(film(1)))
    new = growing.add(image(film(2)))
    assert isinstance(new, AcceptedFile)
    assert (new.outcome, new.job.study_id) == (Outcome.NEW, growing.id)
    assert len(kept(stage, growing).items) == 3


def test_an_image_that_failed_meanwhile_is_requeued_by_the_same_submission(
    stage: Stage, growing: OpenSubmission
) -> None:
    """Its bytes are gone, and the same association sends it again."""
    first = growing.add(image(film(1)))
    assert isinstance(first, AcceptedFile)
    stage.store.objects.clear()
    stage.analyse(first.job.id)
    assert stage.job(first.job.id).state is JobState.FAILED
    again = growing.add(image(film(1)))
    assert isinstance(again, AcceptedFile)
    assert (again.outcome, again.job.id) == (Outcome.REQUEUED, first.job.id)
    assert stage.job(first.job.id).state is JobState.QUEUED
    assert [item.outcome for item in kept(stage, growing).items] == [
        Outcome.NEW,
        Outcome.REQUEUED,
    ]


def test_who_may_not_submit_opens_none(stage: Stage) -> None:
    """The permission is asked before anything is sent."""
    viewer = Principal(PrincipalKind.AE_TITLE, "CR1", "CR1", (Grant(Role.VIEWER, "north"),))
    with pytest.raises(NotPermitted):
        stage.submit.open(viewer, request_id="r", source=Source.DICOM)
