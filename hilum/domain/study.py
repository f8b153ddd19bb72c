"""A study as submitted, its instances, and when two submissions ask for the same."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from hilum.domain.job import Priority


@dataclass(frozen=True, slots=True)
class Study:
    """Films that were submitted together.

    Attributes:
        id: Random UUID.
        site: Site that owns it; keys of other sites do not see it.
        patient_ref: A pseudonym chosen by the sender, or None. Never a name or a number.
        priority: Of all its jobs.
        submitted_by: Id of the API key.
        received_at: UTC.
    """

    id: UUID
    site: str
    patient_ref: str | None
    priority: Priority
    submitted_by: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Instance:
    """One film, stored as it came.

    Attributes:
        id: Random UUID.
        study_id: The study it came with.
        filename: As uploaded, for people.
        media_type: ``application/dicom``, ``image/png`` or ``image/jpeg``.
        size_bytes: Of the stored object.
        sha256: Hex digest of the stored object.
        sop_instance_uid: (0008,0018) of a DICOM film.
        object_key: Key in the object store.
    """

    id: UUID
    study_id: UUID
    filename: str
    media_type: str
    size_bytes: int
    sha256: str
    sop_instance_uid: str | None
    object_key: str


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image of a submission, whose bytes are in the object store.

    Attributes:
        instance: Its row, if it becomes one.
        content_sha256: Hex digest of its content: of a DICOM file the data set, without the file
            meta group, which each sender writes anew.
        transfer_syntax_uid: How the content is encoded, of a DICOM file.
    """

    instance: Instance
    content_sha256: str
    transfer_syntax_uid: str | None

    def idempotency_key(self, study: Study, model_set: str) -> str:
        """Hex digest that two submissions share if, and only if, they ask for the same reading.

        The site is part of it: a site never learns that another one holds the same image. So is the
        pseudonym: an image that is sent under another one is another patient's.
        """
        parts = (
            self.content_sha256,
            self.transfer_syntax_uid or "",
            study.site,
            study.patient_ref or "",
            model_set,
        )
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()
