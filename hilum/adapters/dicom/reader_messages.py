"""What a reader's process answers, as JSON and pixels.

The process decodes files of strangers. What it sends is data and nothing else: a pickle would let
a decoder that was taken over run code in the process that asked.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hilum.domain.errors import Rejected, UnreadableFilm
from hilum.domain.image_note import ImageNote
from hilum.imaging.film import DicomIdentity, Film, FilmHeader

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEADER, _FILM, _REFUSAL = "header", "film", "refusal"
NO_PIXELS: Final = b""


def packed(answer: Film | FilmHeader | Rejected) -> tuple[bytes, bytes]:
    """Write an answer as a JSON document and the bytes of its pixels, if it has any."""
    if isinstance(answer, Rejected):
        return _document(_REFUSAL, code=answer.code, detail=answer.detail), NO_PIXELS
    if isinstance(answer, FilmHeader):
        return _document(_HEADER, header=_fields(answer)), NO_PIXELS
    told = {"header": _fields(answer.header), "notes": sorted(answer.notes)}
    shape = list(answer.pixels.shape)
    return _document(_FILM, shape=shape, **told), answer.pixels.tobytes()


def unpacked(document: bytes, pixels: bytes) -> Film | FilmHeader | Rejected:
    """Read an answer.

    Raises:
        ValueError: It is none. The pixels are fewer or more than the shape says, a field is
            missing, or a code is unknown. KeyError and TypeError likewise.
    """
    read = json.loads(document)
    if read["kind"] == _REFUSAL:
        return _REFUSALS.get(read["code"], UnreadableFilm)(read["detail"])
    header = _header(**read["header"])
    if read["kind"] == _HEADER:
        return header
    rows, columns = read["shape"]
    grid = np.frombuffer(pixels, np.uint8).reshape(rows, columns)
    return Film(grid, header, _notes(read["notes"]))


def _document(kind: str, **fields: Any) -> bytes:
    return json.dumps({"kind": kind, **fields}, default=datetime.isoformat).encode()


def _header(notes: list[str], identity: dict[str, Any] | None, **fields: Any) -> FilmHeader:
    if identity is None:
        return FilmHeader(**fields, notes=_notes(notes))
    at = identity.pop("acquired_at")
    acquired_at = datetime.fromisoformat(at) if at else None
    named = DicomIdentity(**identity, acquired_at=acquired_at)
    return FilmHeader(**fields, notes=_notes(notes), identity=named)


def _fields(header: FilmHeader) -> dict[str, Any]:
    return {**asdict(header), "notes": sorted(header.notes)}


def _notes(codes: list[str]) -> frozenset[ImageNote]:
    return frozenset(map(ImageNote, codes))


def _leaves(kind: type[Rejected]) -> Iterator[type[Rejected]]:
    yield kind
    for one in kind.__subclasses__():
        yield from _leaves(one)


_REFUSALS: Final = {kind.code: kind for kind in _leaves(Rejected)}
