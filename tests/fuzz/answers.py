"""The answer of a reader to a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilum.application.ports.film_reader import INSPECTED_BYTES
from hilum.domain.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Callable

    from hilum.application.ports.film_reader import FilmReader


def answer_to(reader: FilmReader, data: bytes) -> str:
    """Inspect and read a file; the code of a refusal. No other error may escape."""
    return [answer_of(look) for look in looks_of(reader, data)][-1]


def looks_of(reader: FilmReader, data: bytes) -> tuple[Callable[[], object], ...]:
    """What ingestion and a worker ask of a file."""
    prefix = data[:INSPECTED_BYTES]
    return (lambda: reader.inspect(prefix, len(data)), lambda: reader.read(data))


def answer_of(look: Callable[[], object]) -> str:
    """``accepted``, or the code of a refusal."""
    try:
        look()
    except Rejected as error:
        assert error.detail  # noqa: PT017 - a refusal says why
        return error.code
    return "accepted"
