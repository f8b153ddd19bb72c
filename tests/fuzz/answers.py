"""The answer of a reader to a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilum.application.ports.film_reader import INSPECTED_BYTES
from hilum.domain.errors import Rejected

if TYPE_CHECKING:
    from hilum.application.ports.film_reader import FilmReader


def answer_to(reader: FilmReader, data: bytes) -> str:
    """Inspect and read a file; the code of a refusal. No other error may escape."""
    answer = "accepted"
    prefix = data[:INSPECTED_BYTES]
    for look in (lambda: reader.inspect(prefix, len(data)), lambda: reader.read(data)):
        try:
            look()
        except Rejected as error:
            assert error.detail  # noqa: PT017 - a refusal says why
            answer = error.code
    return answer
