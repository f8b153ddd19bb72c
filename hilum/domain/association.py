"""An association: what one call of a DICOM peer came to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


class AssociationOutcome(StrEnum):
    """How an association ended."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    ABORTED = "aborted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Association:
    """One call, also one that was rejected.

    Attributes:
        id: Random UUID.
        began_at: UTC.
        ended_at: UTC. None where it is not over.
        calling_ae: AE title of the caller, as it was sent. Empty where none was read.
        called_ae: AE title that was called.
        address: From which the caller called.
        site: Of the peer. None where the caller is not known.
        outcome: How it ended.
        reason: Code of why it was rejected or aborted.
        stored: Objects that were answered with success.
        refused: Objects that were refused for what they are.
        failed: Objects that could not be stored at that moment.
    """

    id: UUID
    began_at: datetime
    ended_at: datetime | None
    calling_ae: str
    called_ae: str
    address: str
    site: str | None
    outcome: AssociationOutcome
    reason: str | None = None
    stored: int = 0
    refused: int = 0
    failed: int = 0
