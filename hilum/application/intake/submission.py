"""A submission: what it sends, and what it is answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hilum.domain.job import Job, Priority
from hilum.domain.sent_again import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from hilum.domain.errors import Rejected


@dataclass(frozen=True, slots=True)
class IncomingFile:
    """A file that is on its way: its name, and its bytes, which can be read once."""

    filename: str
    chunks: Iterable[bytes]


@dataclass(frozen=True, slots=True)
class SubmissionFields:
    """What a submission says beside its films.

    Attributes:
        priority: Of every film in it.
        site: Owner; None takes the key's site.
        patient_ref: A pseudonym, at most 64 characters.
        force: Analyse images that have a job again. Only an operator may.
    """

    priority: Priority = Priority.ROUTINE
    site: str | None = None
    patient_ref: str | None = None
    force: bool = False


@dataclass(frozen=True, slots=True)
class SubmissionLimits:
    """Limits of one submission: bytes of one file, and number of files."""

    max_file_bytes: int
    max_files: int


@dataclass(frozen=True, slots=True)
class AcceptedFile:
    """A film that has a job.

    Attributes:
        filename: As sent.
        job: New, or the one that the image had before.
        outcome: What the submission did with it.
        raised: The submission raised the priority of the job.
    """

    filename: str
    job: Job
    outcome: Outcome
    raised: bool = False

    @property
    def duplicate(self) -> bool:
        """It had the job before this submission."""
        return self.outcome is not Outcome.NEW

    @property
    def kept(self) -> bool:
        """This submission's bytes are the image's."""
        return self.outcome is not Outcome.KNOWN

    @property
    def queued(self) -> bool:
        """This submission put the job into the queue."""
        return self.outcome in {Outcome.NEW, Outcome.REQUEUED}


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """A file that was refused at the door, and why."""

    filename: str
    error: Rejected


@dataclass(frozen=True, slots=True)
class SubmissionAnswer:
    """The answer to a submission.

    Attributes:
        submission_id: Its id.
        files: An entry a file, in the order of the files.
    """

    submission_id: UUID
    files: tuple[AcceptedFile | RefusedFile, ...]

    @property
    def accepted(self) -> tuple[AcceptedFile, ...]:
        """The films that have a job."""
        return tuple(file for file in self.files if isinstance(file, AcceptedFile))

    @property
    def study_id(self) -> UUID | None:
        """This submission; where every image was known, the one that brought the first; or None."""
        fresh = [file.job.study_id for file in self.accepted if not file.duplicate]
        known = [file.job.study_id for file in self.accepted]
        return next(iter(fresh + known), None)
