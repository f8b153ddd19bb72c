"""Submissions, their items, and the instances that they brought."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from hilum.domain.study import Instance
    from hilum.domain.submission import Submission, SubmissionItem


class SubmissionRecord(NamedTuple):
    """A submission and its items, in the order of the files."""

    submission: Submission
    items: Sequence[SubmissionItem]


class BackFilled(NamedTuple):
    """A batch: where it ended, None at the very end, and how many submissions it wrote."""

    last: UUID | None
    written: int


class SubmissionRepository(Protocol):
    """Submissions and instances."""

    def add(
        self, submission: Submission, items: Sequence[SubmissionItem], *, is_parent: bool = False
    ) -> None:
        """Add a submission with its items.

        Args:
            submission: That was received.
            items: In the order of the files.
            is_parent: Whether it brought new instances, which refer to it.
        """
        ...

    def grow(
        self, submission: Submission, items: Sequence[SubmissionItem], *, is_parent: bool = False
    ) -> None:
        """Add items to a submission, and the submission itself where it is not there yet.

        Args:
            submission: That is being received.
            items: At positions that have none.
            is_parent: Whether these items brought new instances, which refer to it.
        """
        ...

    def settle(self, submission_id: UUID, items: Sequence[SubmissionItem]) -> None:
        """Write the outcome and the job of items that are there."""
        ...

    def get(self, submission_id: UUID) -> SubmissionRecord | None:
        """A submission, also one that a release before schema 0012 wrote."""
        ...

    def back_fill(self, after: UUID | None, limit: int) -> BackFilled:
        """Write rows for submissions of a release before schema 0012.

        Args:
            after: Where the last batch ended; None to begin.
            limit: Most submissions to look at.
        """
        ...

    def add_instances(
        self, submission: Submission, instances: Sequence[Instance], *, has_parent: bool = False
    ) -> None:
        """Add new instances, and the studies and series that they are the first of.

        Args:
            submission: That brought them.
            instances: Of new jobs.
            has_parent: Whether :meth:`add` makes it their parent, or it brought one before.
        """
        ...

    def instance(self, instance_id: UUID) -> Instance | None:
        """An instance by id, without its series."""
        ...

    def is_in_study(self, instance_id: UUID) -> bool:
        """Return whether an instance states which DICOM study and series it is part of."""
        ...
