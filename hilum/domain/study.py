"""DICOM studies and series as received, their instances, and when two instances are the same."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from uuid import NAMESPACE_OID, UUID, uuid5

if TYPE_CHECKING:
    from datetime import datetime

    from hilum.domain.submission import Submission

FIRST_READER: Final = 1
"""Version of the reader up to which keys say nothing of it."""


class Role(StrEnum):
    """What an instance is in its study, as its header states it."""

    RADIOGRAPH = "radiograph"
    """A frontal view of the chest, or nothing says otherwise."""

    LATERAL = "lateral"
    """Another view of the chest."""

    OTHER = "other"
    """Another body part."""


@dataclass(frozen=True, slots=True)
class Series:
    """A series of a DICOM study, as the first instance that was received of it states it.

    Attributes:
        study_instance_uid: (0020,000D).
        series_instance_uid: (0020,000E).
        accession_number: (0008,0050), of the study.
        modality: (0008,0060).
        body_part: Body Part Examined (0018,0015).
    """

    study_instance_uid: str
    series_instance_uid: str
    accession_number: str | None = None
    modality: str | None = None
    body_part: str | None = None

    def study_id(self, site: str) -> UUID:
        """Return the id of the study at a site. Two sites never share a study."""
        return uuid5(NAMESPACE_OID, f"{site}\0{self.study_instance_uid}")

    def id(self, site: str) -> UUID:
        """Return the id of the series at a site."""
        return uuid5(self.study_id(site), self.series_instance_uid)


@dataclass(frozen=True, slots=True)
class Instance:
    """One stored object, byte for byte as it came.

    What a header says is None where there is none, and in a row of a schema before 0012.

    Attributes:
        id: Random UUID.
        study_id: The submission it came with.
        filename: As uploaded, for people.
        media_type: ``application/dicom``, ``image/png`` or ``image/jpeg``.
        size_bytes: Of the stored object.
        sha256: Hex digest of the stored object.
        sop_instance_uid: (0008,0018) of a DICOM image.
        object_key: Key in the object store.
        content_sha256: Hex digest of its content: of a DICOM file the data set, without the file
            meta group, which each sender writes anew.
        transfer_syntax_uid: (0002,0010): how the content is encoded.
        sop_class_uid: (0008,0016).
        presentation_intent: Presentation Intent Type (0008,0068).
        view_position: ``PA``, ``AP`` or View Position (0018,5101).
        patient_orientation: (0020,0020), its values joined by a backslash.
        acquired_at: When it was acquired, UTC, where the header tells the offset.
        role: What it is in its study, see :class:`Role`. A newer release may know others.
        series: The series it belongs to. Not read back.
    """

    id: UUID
    study_id: UUID
    filename: str
    media_type: str
    size_bytes: int
    sha256: str
    sop_instance_uid: str | None
    object_key: str
    content_sha256: str | None = None
    transfer_syntax_uid: str | None = None
    sop_class_uid: str | None = None
    presentation_intent: str | None = None
    view_position: str | None = None
    patient_orientation: str | None = None
    acquired_at: datetime | None = None
    role: str | None = None
    series: Series | None = None

    def idempotency_key(self, submission: Submission, model_set: str, reader_version: int) -> str:
        """Hex digest that two submissions share if, and only if, they ask for the same analysis.

        The site is part of it: a site never learns that another one holds the same image. So is the
        pseudonym: an image that is sent under another one is another patient's. The SOP Instance
        UID is part of the content. The version of the reader counts from the second on, so that
        the releases before this one make the same keys.

        Args:
            submission: That sends the instance.
            model_set: Version of the models that would analyse it.
            reader_version: Version of the reader that would decode it.
        """
        parts = (
            self.content_sha256 or self.sha256,
            self.transfer_syntax_uid or "",
            submission.site,
            submission.patient_ref or "",
            model_set,
            *([str(reader_version)] if reader_version > FIRST_READER else []),
        )
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()
