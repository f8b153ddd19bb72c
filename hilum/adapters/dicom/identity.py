"""Which study, series and object a DICOM data set says that it is. Names of people are not read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from pydicom.valuerep import DT

from hilum.adapters.dicom.image_pixel import element
from hilum.imaging.film import DicomIdentity

if TYPE_CHECKING:
    from pydicom import Dataset

_UID: Final = re.compile(r"[0-9]+(\.[0-9]+)*")
_OFFSET: Final = re.compile(r"[+-]\d{4}")
_LONGEST: Final = 64


def identity_of(dataset: Dataset, sop_class_uid: str | None) -> DicomIdentity:
    """Read it. What is absent, malformed or too long is None, since the object itself is kept.

    Args:
        dataset: As far as it was read.
        sop_class_uid: Of the data set, or of the file meta group.
    """
    return DicomIdentity(
        study_instance_uid=_uid(_text(dataset, "StudyInstanceUID")),
        series_instance_uid=_uid(_text(dataset, "SeriesInstanceUID")),
        sop_class_uid=_uid(sop_class_uid),
        accession_number=_text(dataset, "AccessionNumber"),
        modality=_text(dataset, "Modality"),
        body_part=_text(dataset, "BodyPartExamined"),
        presentation_intent=_text(dataset, "PresentationIntentType"),
        patient_orientation=_text(dataset, "PatientOrientation"),
        acquired_at=_acquired_at(dataset),
    )


def _text(dataset: Dataset, keyword: str) -> str | None:
    """Return the values of an element as one text, joined by a backslash as DICOM does."""
    value = element(dataset, keyword)
    several = isinstance(value, Sequence) and not isinstance(value, str | bytes)
    parts = value if several else [] if value is None else [value]
    text = "\\".join(str(part).strip(" \0") for part in parts)
    return text if text and len(text) <= _LONGEST and text.isprintable() else None


def _uid(text: str | None) -> str | None:
    text = (text or "").strip(" \0")
    return text if len(text) <= _LONGEST and _UID.fullmatch(text) else None


def _acquired_at(dataset: Dataset) -> datetime | None:
    """Return the time of acquisition in UTC; None where no offset is stated."""
    stated = _text(dataset, "AcquisitionDateTime")
    if stated is None:
        date, time = (_text(dataset, f"Acquisition{part}") for part in ("Date", "Time"))
        stated = date + time if date and time else ""
    if stated and not _OFFSET.search(stated):
        stated += _text(dataset, "TimezoneOffsetFromUTC") or ""
    if not _OFFSET.search(stated):
        return None
    try:
        return datetime.fromtimestamp(DT(stated).timestamp(), UTC)
    except (ValueError, TypeError, OverflowError, OSError):
        return None
