"""A submission: what one principal sent at once, and what became of each file."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from hilum.domain.principal import Principal
    from hilum.domain.sent_again import Outcome
    from hilum.domain.work import Priority, Reason


class Source(StrEnum):
    """The way by which a submission came."""

    API = "api"
    PAGE = "page"
    DICOM = "dicom"


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What one request or one association sent.

    Attributes:
        id: Random UUID.
        site: Site that owns what was sent. Principals of other sites do not see it.
        principal: Who sent it. One that was read back holds no grants.
        source: The way by which it came, see :class:`Source`. A newer release may know others.
        priority: Of all its jobs.
        received_at: UTC, by the database's clock.
        patient_ref: A pseudonym chosen by the sender, or None. Never a name or a number.
        request_id: Of the request, as in the audit log.
        traceparent: Trace context of the request, kept with its jobs.
        calling_ae: AE title of the sender. None where the images came over HTTP.
    """

    id: UUID
    site: str
    principal: Principal
    source: str
    priority: Priority
    received_at: datetime
    patient_ref: str | None = None
    request_id: str = ""
    traceparent: str | None = None
    calling_ae: str | None = None


@dataclass(frozen=True, slots=True)
class SubmissionItem:
    """One file of a submission.

    Attributes:
        position: In the order of the files, from zero.
        filename: As sent.
        outcome: What the submission did with it.
        job_id: The job that answers for it. None of a refused file.
        reason: Why it was refused.
    """

    position: int
    filename: str
    outcome: Outcome
    job_id: UUID | None = None
    reason: Reason | None = None
