"""Checks a data set that came over the network, before anything of it is kept."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from pydicom import uid

from hilum.adapters.dicom.dataset import parse
from hilum.adapters.dicom.header import refuse_without_pixels
from hilum.adapters.dicom.image_pixel import element
from hilum.domain.errors import (
    TruncatedFilm,
    UnreadableFilm,
    UnsupportedFormat,
    WrongIdentifiers,
)

if TYPE_CHECKING:
    from hilum.adapters.dicom.dataset import ParsedFile

_INFLATED_BYTES: Final = 1024 * 1024
"""So much of a deflated data set is looked at. Its identifiers are among the first elements."""


def check_data_set(
    data: bytes, transfer_syntax_uid: str, sop_class_uid: str, sop_instance_uid: str
) -> None:
    """Refuse a data set that is not what the command of its C-STORE says, or is not whole.

    Args:
        data: The data set, without a file meta group.
        transfer_syntax_uid: That was negotiated.
        sop_class_uid: Of the command.
        sop_instance_uid: Of the command.

    Raises:
        WrongIdentifiers: SOP Class or Instance UID is absent, or is another one.
        TruncatedFilm: It ends in the middle of an element. That is not seen of a deflated one, and
            not of encapsulated pixels.
        NotAnImage: It has no pixel data.
        UnreadableFilm: It is no data set.
        TooManyElements: It has more elements and items than the budget allows.
        NestedTooDeep: Its sequences are nested deeper than the budget allows.
    """
    deflated = transfer_syntax_uid == uid.DeflatedExplicitVRLittleEndian
    try:
        parsed = parse(_inflated(data) if deflated else data, inflated_limit=_INFLATED_BYTES)
    except UnsupportedFormat as error:
        raise UnreadableFilm("The bytes are no DICOM data set.") from error
    for keyword, said in (("SOPClassUID", sop_class_uid), ("SOPInstanceUID", sop_instance_uid)):
        own = str(element(parsed.dataset, keyword) or "").strip(" \0")
        if own != said:
            raise WrongIdentifiers(
                f"The data set has {'another' if own else 'no'} {keyword}, unlike the command."
            )
    if parsed.cut and not deflated and not _is_encapsulated(parsed):
        raise TruncatedFilm("The data set ends in the middle of an element.")
    refuse_without_pixels(parsed, complete=not deflated)


def _is_encapsulated(parsed: ParsedFile) -> bool:
    return parsed.pixels_announced and parsed.pixel_length is None


def _inflated(data: bytes) -> bytes:
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, _INFLATED_BYTES)
    except zlib.error as error:
        raise UnreadableFilm("The deflated data set is damaged.") from error
