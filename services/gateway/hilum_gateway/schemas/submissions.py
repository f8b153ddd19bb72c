"""The JSON of submissions: what clients read, and how it is made from the domain."""

from datetime import datetime
from typing import Final, Self
from uuid import UUID

from pydantic import BaseModel, Field

from hilum.application.intake.submission import AcceptedFile, RefusedFile, SubmissionAnswer
from hilum.application.results.read_submission import SubmissionView
from hilum.domain.job import Job, Priority, Reason
from hilum.domain.principal import PrincipalKind
from hilum.domain.sent_again import Outcome
from hilum.domain.submission import SubmissionItem
from hilum_gateway.schemas.jobs import LinksBody, ReasonBody

_OWN: Final = frozenset({Outcome.NEW, Outcome.REFUSED})
"""Outcomes of a file that had no job before."""


class SubmittedFileBody(BaseModel):
    """What became of one file of an upload.

    ``duplicate_of`` is the job that read the same film before; it is then also ``job_id``, and the
    reason is that job's. ``outcome`` says what happened to the image. A file that was refused at
    the door has the state ``refused``, a reason and no job.
    """

    job_id: UUID | None
    state: str
    filename: str
    duplicate_of: UUID | None = None
    outcome: Outcome | None = Field(
        default=None,
        description="`new`: it has a new job. `known`: its job answers, with the higher of both "
        "priorities. `restored`: its job answers, and the file, which was gone, is kept again. "
        "`requeued`: its job had failed since the file was gone, and is analysed now. `refused`, "
        "in a submission that is read back: it has no job.",
    )
    links: LinksBody | None = None
    reason: ReasonBody | None = None

    @classmethod
    def of(cls, file: AcceptedFile | RefusedFile) -> Self:
        """Of one file."""
        if isinstance(file, RefusedFile):
            refusal = ReasonBody.of(Reason(file.error.code, file.error.detail))
            return cls(job_id=None, state="refused", filename=file.filename, reason=refusal)
        job = file.job
        return cls(
            job_id=job.id,
            state=job.state.value,
            filename=file.filename,
            duplicate_of=job.id if file.duplicate else None,
            outcome=file.outcome,
            links=LinksBody.of(job.id),
            reason=ReasonBody.of(job.reason, job.state),
        )

    @classmethod
    def of_item(cls, item: SubmissionItem, job: Job | None) -> Self:
        """Of a file that was sent some time ago, as its job stands now."""
        return cls(
            job_id=item.job_id,
            state=job.state.value if job else "refused",
            filename=item.filename,
            duplicate_of=None if item.outcome in _OWN else item.job_id,
            outcome=item.outcome,
            links=LinksBody.of(job.id) if job else None,
            reason=ReasonBody.of(job.reason, job.state) if job else ReasonBody.of(item.reason),
        )


class SubmissionBody(BaseModel):
    """The answer to an upload: one entry a file, in the order of the files."""

    submission_id: UUID = Field(description="Of this request, whatever came of it.")
    study_id: UUID | None = Field(
        description="The submission that brought the first new image, or the first known one. "
        "API version 1 calls it a study."
    )
    jobs: list[SubmittedFileBody]

    @classmethod
    def of(cls, submitted: SubmissionAnswer) -> Self:
        """Of an upload."""
        return cls(
            submission_id=submitted.submission_id,
            study_id=submitted.study_id,
            jobs=[SubmittedFileBody.of(file) for file in submitted.files],
        )


class SenderBody(BaseModel):
    """Who sent something."""

    kind: PrincipalKind
    id: str


class SubmissionRecordBody(BaseModel):
    """A submission as it stands: one entry a file, in the order of the files."""

    submission_id: UUID
    site: str
    sender: SenderBody
    source: str = Field(
        description="The way by which it came: `api`, `page` or `dicom`. Later releases may add "
        "others."
    )
    priority: Priority
    patient_ref: str | None
    request_id: str
    calling_ae: str | None = Field(
        description="AE title of the sender, of what came over DICOM. Its request id is "
        "that of the association."
    )
    received_at: datetime
    jobs: list[SubmittedFileBody]

    @classmethod
    def of_view(cls, view: SubmissionView) -> Self:
        """Of a submission and the jobs that answer for its files."""
        sent = view.submission
        return cls(
            submission_id=sent.id,
            site=sent.site,
            sender=SenderBody(kind=sent.principal.kind, id=sent.principal.id),
            source=sent.source,
            priority=sent.priority,
            patient_ref=sent.patient_ref,
            request_id=sent.request_id,
            calling_ae=sent.calling_ae,
            received_at=sent.received_at,
            jobs=[
                SubmittedFileBody.of_item(item, view.jobs.get(item.job_id) if item.job_id else None)
                for item in view.items
            ],
        )
