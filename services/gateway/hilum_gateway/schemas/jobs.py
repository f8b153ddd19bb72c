"""The JSON of jobs: what clients read, and how it is made from the domain."""

from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field

from hilum.application.results.read_jobs import JobView
from hilum.domain.image_note import is_correction, note_text
from hilum.domain.job import Job, JobState, Priority, Reason
from hilum_gateway.advice import advice
from hilum_gateway.schemas.results import GateBody, ResultBody


class ReasonBody(BaseModel):
    """Why a job ended or waits, or a file was refused."""

    code: str
    detail: str
    advice: str | None = Field(default=None, description="What to do about it, for people.")

    @classmethod
    def of(cls, reason: Reason | None, state: JobState | None = None) -> Self | None:
        """Make it of a reason, where there is one, and of the state of the job."""
        if reason is None:
            return None
        told = advice(reason.code, state)
        return cls(code=reason.code, detail=reason.detail, advice=told)


class NoteBody(BaseModel):
    """What was corrected on an image, or what to be aware of in its header."""

    code: str = Field(description="Stable code. Later releases may add codes.")
    kind: Literal["corrected", "flagged"]
    text: str = Field(description="What it means, for people.")

    @classmethod
    def of(cls, code: str) -> Self:
        """Make it from a code."""
        kind: Literal["corrected", "flagged"] = "corrected" if is_correction(code) else "flagged"
        return cls(code=code, kind=kind, text=note_text(code))


class LinksBody(BaseModel):
    """Where to go from a job; paths on this server."""

    self_: str = Field(serialization_alias="self", validation_alias="self")
    preview: str
    original: str

    @classmethod
    def of(cls, job_id: UUID) -> Self:
        """Links of a job."""
        here = f"/v1/jobs/{job_id}"
        return cls(self=here, preview=f"{here}/preview.png", original=f"{here}/original")


class JobSummaryBody(BaseModel):
    """A job without its result."""

    job_id: UUID
    study_id: UUID
    site: str
    filename: str
    state: JobState
    priority: Priority
    attempts: int
    reason: ReasonBody | None
    timings_ms: dict[str, float]
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None
    film_expired_at: datetime | None = Field(
        description="When retention removed the film. Its pictures then answer with 410, "
        "`film_expired`; the result stays."
    )
    notes: list[NoteBody] = Field(
        description="What was corrected on the image, and what its header says otherwise than the "
        "pixels. Empty before the job has ended, and in jobs of releases before 0.3.0."
    )

    @classmethod
    def of(cls, job: Job) -> Self:
        """Of a job."""
        return cls(**_summary(job))


class JobBody(JobSummaryBody):
    """A job, and once it is completed its result. Pictures are there once it is completed, too."""

    links: LinksBody
    gate: GateBody | None = Field(
        description="What the gate said of the film, once it was asked; of a rejected film too."
    )
    result: ResultBody | None

    @classmethod
    def of_view(cls, view: JobView) -> Self:
        """Of a job and its result."""
        return cls(
            **_summary(view.job),
            links=LinksBody.of(view.job.id),
            gate=GateBody.of(view.gate) if view.gate else None,
            result=ResultBody.of(view.analysis) if view.analysis else None,
        )


class JobPageBody(BaseModel):
    """Jobs, newest first; ``next`` is the cursor of the following page, if there is one."""

    jobs: list[JobSummaryBody]
    next: str | None


def _summary(job: Job) -> dict[str, Any]:
    return {
        "job_id": job.id,
        "study_id": job.study_id,
        "site": job.site,
        "filename": job.filename,
        "state": job.state,
        "priority": job.priority,
        "attempts": job.attempts,
        "reason": ReasonBody.of(job.reason, job.state),
        "timings_ms": dict(job.timings_ms),
        "created_at": job.created_at,
        "updated_at": job.updated_at,
        "finished_at": job.finished_at,
        "film_expired_at": job.film_expired_at,
        "notes": [NoteBody.of(code) for code in job.notes],
    }
