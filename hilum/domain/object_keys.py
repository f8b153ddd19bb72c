"""Where in the object store a film and its preview lie."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Sequence

FILMS: Final = "films/"
PREVIEWS: Final = "previews/"
PROBES: Final = "probes/"

_UUID: Final = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_FILM: Final = re.compile(rf"{FILMS}{_UUID}/{_UUID}")
_PREVIEW: Final = re.compile(rf"{PREVIEWS}({_UUID})\.jpg")


def film_key(study_id: UUID, instance_id: UUID) -> str:
    """Of a film as it came. The ids are new with each upload, so no key is ever used again."""
    return f"{FILMS}{study_id}/{instance_id}"


def preview_key(job_id: UUID) -> str:
    """Of the preview that is shown for a job."""
    return f"{PREVIEWS}{job_id}.jpg"


def is_film_key(key: str) -> bool:
    """Whether :func:`film_key` could have made a key; other things in a bucket are not films."""
    return _FILM.fullmatch(key) is not None


def job_of_preview(key: str) -> UUID | None:
    """The job that a preview is of; None if the key is not of a preview."""
    found = _PREVIEW.fullmatch(key)
    return UUID(found[1]) if found else None


def keys_of(job_id: UUID, object_key: str) -> Sequence[str]:
    """All that is stored of one film: itself, and its preview if one was made."""
    return (object_key, preview_key(job_id))
