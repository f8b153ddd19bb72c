"""How a C-STORE is answered (PS3.4 B.2.3, PS3.7 annex C)."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final

from hilum.domain import errors
from hilum.domain.errors import HilumError, Permanent, Rejected, Transient

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_COMMENT: Final = 64
"""Characters of an Error Comment (0000,0902), VR LO."""


class Status(IntEnum):
    """Value of Status (0000,0900)."""

    SUCCESS = 0x0000
    PROCESSING_FAILURE = 0x0110
    OUT_OF_RESOURCES = 0xA700
    DOES_NOT_MATCH = 0xA900
    CANNOT_UNDERSTAND = 0xC000


MEANINGS: Final[Mapping[Status, str]] = {
    Status.SUCCESS: "The object and its rows are durable, now or since an earlier C-STORE.",
    Status.PROCESSING_FAILURE: "A defect of Hilum. Its log has the trace.",
    Status.OUT_OF_RESOURCES: "A part of Hilum is down or full. Send again later.",
    Status.DOES_NOT_MATCH: "The data set is not what the command says, or is no image.",
    Status.CANNOT_UNDERSTAND: "The object is refused. Sending it again has the same answer.",
}

OF_CLASS: Final[Mapping[type[HilumError], Status]] = {
    Transient: Status.OUT_OF_RESOURCES,
    Permanent: Status.OUT_OF_RESOURCES,
    Rejected: Status.CANNOT_UNDERSTAND,
}
"""By the class of an error, where its code has no status of its own."""

OF_CODE: Final[Mapping[str, Status]] = {
    errors.WrongIdentifiers.code: Status.DOES_NOT_MATCH,
    errors.NotAnImage.code: Status.DOES_NOT_MATCH,
    errors.NotPermitted.code: Status.CANNOT_UNDERSTAND,
}

NOT_FOR_US: Final = frozenset(
    kind.code
    for kind in (
        errors.ForProcessing,
        errors.MultiFrameFilm,
        errors.ColourFilm,
        errors.FilmTooSmall,
        errors.FileTooLarge,
        errors.TooManyPixels,
    )
)
"""Codes of whole objects that Hilum has no use for. A site may have them answered with success."""


def status_of(error: Exception) -> Status:
    """Return the status that tells a sender of an error."""
    if not isinstance(error, HilumError):
        return Status.PROCESSING_FAILURE
    if own := OF_CODE.get(error.code):
        return own
    return next(
        (status for kind, status in OF_CLASS.items() if isinstance(error, kind)),
        Status.PROCESSING_FAILURE,
    )


def comment_of(error: Exception) -> str:
    """Return the Error Comment: code and detail, in ASCII and as long as the standard allows."""
    text = error.sentence if isinstance(error, HilumError) else errors.InternalError.code
    plain = "".join(one for one in text if " " <= one <= "~" and one != "\\")
    return plain[:LONGEST_COMMENT].rstrip()
