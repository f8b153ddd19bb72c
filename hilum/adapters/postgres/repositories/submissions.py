"""Submissions and their items, instances, and the DICOM studies and series they belong to."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from hilum.adapters.postgres.execution import Statement
from hilum.adapters.postgres.insertion import insert, insert_absent, insert_together
from hilum.adapters.postgres.tables import (
    IMAGING_SERIES,
    IMAGING_STUDIES,
    INSTANCES,
    JOBS,
    STUDIES,
    SUBMISSION_ITEMS,
    SUBMISSIONS,
)
from hilum.application.ports.submissions import BackFilled, SubmissionRecord
from hilum.domain.principal import Principal, PrincipalKind
from hilum.domain.sent_again import Outcome
from hilum.domain.study import Instance
from hilum.domain.submission import Source, Submission, SubmissionItem
from hilum.domain.work import Priority, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any
    from uuid import UUID

    from sqlalchemy.engine import Connection, Row

_INSTANCE = Statement(
    sa.select(
        INSTANCES.c.id,
        INSTANCES.c.study_id,
        INSTANCES.c.filename,
        INSTANCES.c.media_type,
        INSTANCES.c.size_bytes,
        INSTANCES.c.sha256,
        INSTANCES.c.sop_instance_uid,
        INSTANCES.c.object_key,
        INSTANCES.c.content_sha256,
        INSTANCES.c.transfer_syntax_uid,
        INSTANCES.c.sop_class_uid,
        INSTANCES.c.presentation_intent,
        INSTANCES.c.view_position,
        INSTANCES.c.patient_orientation,
        INSTANCES.c.acquired_at,
        INSTANCES.c.role,
    ).where(INSTANCES.c.id == sa.bindparam("wanted_id"))
)
_SETTLED: Final = Statement(
    sa.update(SUBMISSION_ITEMS)
    .where(
        SUBMISSION_ITEMS.c.submission_id == sa.bindparam("of_submission"),
        SUBMISSION_ITEMS.c.position == sa.bindparam("of_position", type_=sa.Integer),
    )
    .values(
        outcome=sa.bindparam("new_outcome", type_=sa.Text),
        job_id=sa.bindparam("new_job", type_=sa.Uuid),
    )
    .returning(SUBMISSION_ITEMS.c.position)
)
_MISSING: Final = ~sa.exists().where(SUBMISSIONS.c.id == STUDIES.c.id)


class SqlSubmissionRepository:
    """See :class:`hilum.application.ports.submissions.SubmissionRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(
        self, submission: Submission, items: Sequence[SubmissionItem], *, is_parent: bool = False
    ) -> None:
        """Add a submission with its items."""
        insert_together(
            self._connection,
            (STUDIES, [_study_row(submission)] if is_parent else []),
            (SUBMISSIONS, [_submission_row(submission)]),
            (SUBMISSION_ITEMS, [_item_row(submission.id, item) for item in items]),
        )

    def grow(
        self, submission: Submission, items: Sequence[SubmissionItem], *, is_parent: bool = False
    ) -> None:
        """Add items to a submission, and the submission itself where it is not there yet."""
        if is_parent:
            insert_absent(self._connection, STUDIES.c.id, [_study_row(submission)])
        insert_absent(self._connection, SUBMISSIONS.c.id, [_submission_row(submission)])
        insert(self._connection, SUBMISSION_ITEMS, [_item_row(submission.id, i) for i in items])

    def settle(self, submission_id: UUID, items: Sequence[SubmissionItem]) -> None:
        """Write the outcome and the job of items that are there."""
        for item in items:
            of_item = {"of_submission": submission_id, "of_position": item.position}
            values = {"new_outcome": item.outcome.value, "new_job": item.job_id}
            _SETTLED.first(self._connection, of_item | values)

    def get(self, submission_id: UUID) -> SubmissionRecord | None:
        """A submission, also one that a release before schema 0012 wrote."""
        query = sa.select(SUBMISSIONS).where(SUBMISSIONS.c.id == submission_id)
        row = self._connection.execute(query).first()
        if row is None:
            former = sa.select(STUDIES).where(STUDIES.c.id == submission_id)
            return next(iter(self._former(former)), None)
        items = (
            sa.select(SUBMISSION_ITEMS)
            .where(SUBMISSION_ITEMS.c.submission_id == submission_id)
            .order_by(SUBMISSION_ITEMS.c.position)
        )
        found = self._connection.execute(items)
        return SubmissionRecord(_submission_of(row), [_item_of(each) for each in found])

    def back_fill(self, after: UUID | None, limit: int) -> BackFilled:
        """Write rows for submissions of a release before schema 0012."""
        ids = sa.select(STUDIES.c.id).order_by(STUDIES.c.id).limit(limit)
        seen = self._connection.execute(ids if after is None else ids.where(STUDIES.c.id > after))
        looked_at = seen.scalars().all()
        former = self._former(sa.select(STUDIES).where(STUDIES.c.id.in_(looked_at), _MISSING))
        rows = [_submission_row(submission) for submission, _ in former]
        new = set(insert_absent(self._connection, SUBMISSIONS.c.id, rows))
        items = [
            _item_row(submission.id, item)
            for submission, items in former
            if submission.id in new
            for item in items
        ]
        insert(self._connection, SUBMISSION_ITEMS, items)
        return BackFilled(looked_at[-1] if looked_at else None, len(new))

    def add_instances(
        self, submission: Submission, instances: Sequence[Instance], *, has_parent: bool = False
    ) -> None:
        """Add new instances, and the studies and series that they are the first of."""
        if not instances:
            return
        if not has_parent:
            insert_absent(self._connection, STUDIES.c.id, [_study_row(submission)])
        self._add_series(submission.site, instances)
        rows = [_instance_row(submission.site, instance) for instance in instances]
        insert(self._connection, INSTANCES, rows)

    def instance(self, instance_id: UUID) -> Instance | None:
        """An instance by id, without its series."""
        row = _INSTANCE.first(self._connection, {"wanted_id": instance_id})
        return Instance(*row) if row else None

    def is_in_study(self, instance_id: UUID) -> bool:
        """Whether an instance is of a DICOM study."""
        wanted = sa.and_(INSTANCES.c.id == instance_id, INSTANCES.c.series_id.is_not(None))
        found = self._connection.execute(sa.select(INSTANCES.c.id).where(wanted)).scalar()
        return found is not None

    def _add_series(self, site: str, instances: Iterable[Instance]) -> None:
        """Add what is not there. In one order, so that two submissions do not wait in a circle."""
        series = {one.series.id(site): one.series for one in instances if one.series}
        if not series:
            return
        studies = {one.study_id(site): one for one in series.values()}
        study_rows = [
            {
                "id": study_id,
                "site": site,
                "study_instance_uid": one.study_instance_uid,
                "accession_number": one.accession_number,
            }
            for study_id, one in sorted(studies.items())
        ]
        insert_absent(self._connection, IMAGING_STUDIES.c.id, study_rows)
        series_rows = [
            {
                "id": series_id,
                "imaging_study_id": one.study_id(site),
                "series_instance_uid": one.series_instance_uid,
                "modality": one.modality,
                "body_part": one.body_part,
            }
            for series_id, one in sorted(series.items())
        ]
        insert_absent(self._connection, IMAGING_SERIES.c.id, series_rows)

    def _former(self, which: sa.Select[Any]) -> Sequence[SubmissionRecord]:
        """Read submissions as a release before schema 0012 wrote them."""
        studies = self._connection.execute(which).all()
        query = (
            sa.select(JOBS.c.study_id, JOBS.c.id, JOBS.c.filename)
            .where(JOBS.c.study_id.in_([row.id for row in studies]))
            .order_by(JOBS.c.created_at, JOBS.c.id)
        )
        jobs = defaultdict(list)
        for job in self._connection.execute(query) if studies else ():
            jobs[job.study_id].append(job)
        return [
            SubmissionRecord(
                Submission(
                    id=row.id,
                    site=row.site,
                    principal=Principal(PrincipalKind.API_KEY, row.submitted_by),
                    source=Source.API,
                    priority=Priority(row.priority),
                    received_at=row.received_at,
                    patient_ref=row.patient_ref,
                ),
                [
                    SubmissionItem(position, job.filename, Outcome.NEW, job.id)
                    for position, job in enumerate(jobs[row.id])
                ],
            )
            for row in studies
        ]


def _study_row(submission: Submission) -> dict[str, Any]:
    return {
        "id": submission.id,
        "site": submission.site,
        "patient_ref": submission.patient_ref,
        "priority": submission.priority.value,
        "submitted_by": submission.principal.id,
        "received_at": submission.received_at,
    }


def _submission_row(submission: Submission) -> dict[str, Any]:
    return {
        "id": submission.id,
        "site": submission.site,
        "principal_kind": submission.principal.kind.value,
        "principal_id": submission.principal.id,
        "source": submission.source,
        "patient_ref": submission.patient_ref,
        "priority": submission.priority.value,
        "request_id": submission.request_id,
        "traceparent": submission.traceparent,
        "calling_ae": submission.calling_ae,
        "received_at": submission.received_at,
    }


def _submission_of(row: Row[Any]) -> Submission:
    return Submission(
        id=row.id,
        site=row.site,
        principal=Principal(PrincipalKind(row.principal_kind), row.principal_id),
        source=row.source,
        priority=Priority(row.priority),
        received_at=row.received_at,
        patient_ref=row.patient_ref,
        request_id=row.request_id,
        traceparent=row.traceparent,
        calling_ae=row.calling_ae,
    )


def _item_row(submission_id: UUID, item: SubmissionItem) -> dict[str, Any]:
    return {
        "submission_id": submission_id,
        "position": item.position,
        "filename": item.filename,
        "outcome": item.outcome.value,
        "job_id": item.job_id,
        "reason_code": item.reason.code if item.reason else None,
        "reason_detail": item.reason.detail if item.reason else None,
    }


def _item_of(row: Row[Any]) -> SubmissionItem:
    reason = Reason(row.reason_code, row.reason_detail) if row.reason_code else None
    return SubmissionItem(row.position, row.filename, Outcome(row.outcome), row.job_id, reason)


def _instance_row(site: str, instance: Instance) -> dict[str, Any]:
    return {
        "id": instance.id,
        "study_id": instance.study_id,
        "filename": instance.filename,
        "media_type": instance.media_type,
        "size_bytes": instance.size_bytes,
        "sha256": instance.sha256,
        "sop_instance_uid": instance.sop_instance_uid,
        "object_key": instance.object_key,
        "content_sha256": instance.content_sha256,
        "transfer_syntax_uid": instance.transfer_syntax_uid,
        "sop_class_uid": instance.sop_class_uid,
        "presentation_intent": instance.presentation_intent,
        "view_position": instance.view_position,
        "patient_orientation": instance.patient_orientation,
        "acquired_at": instance.acquired_at,
        "role": instance.role,
        "series_id": instance.series.id(site) if instance.series else None,
    }
