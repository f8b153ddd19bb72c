"""Send films to the gateway, a handful in each request."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from hilum_cli.failure import Failure, GatewayRefusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

_MOST_FILES: Final = 16
_MOST_BYTES: Final = 128 * 1024 * 1024
_MOST_TRIES: Final = 6
_FIRST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 15.0
_TOO_MUCH: Final = frozenset({"request_too_large", "too_many_files"})
_OUTAGES: Final = frozenset({502, 503, 504})


@dataclass(frozen=True, slots=True)
class SentFilm:
    """A film that was sent, and what the gateway said at the door.

    Attributes:
        path: On this machine.
        job_id: Its job, or None if it was refused.
        refusal: Code, detail and advice, if it was.
    """

    path: Path
    job_id: str | None
    refusal: Mapping[str, str | None] | None = None


class Submits(Protocol):
    """What sends one request; see :meth:`hilum_cli.gateway.Gateway.submit`."""

    def submit(self, films: Sequence[Path], fields: Mapping[str, str]) -> dict[str, Any]:
        """The gateway's answer."""
        ...


def send(
    gateway: Submits,
    films: Iterable[Path],
    fields: Mapping[str, str],
    *,
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[SentFilm]:
    """Send films, and tell of each one as soon as its request was answered.

    A request that is too much for the gateway is sent again in halves; one that met an outage
    (503) is sent again after a pause, which is safe: the same film has one job.

    Raises:
        GatewayUnreachable: Nothing answers.
        GatewayRefusal: The key or a field is not accepted, or the outage lasts.
        Failure: A file cannot be read.
    """
    for batch in _batches(films):
        yield from _send_batch(gateway, batch, fields, pause)


def _batches(films: Iterable[Path]) -> Iterator[list[Path]]:
    batch: list[Path] = []
    held = 0
    for film in films:
        try:
            size = film.stat().st_size
        except OSError as error:
            raise Failure(f"{film} cannot be read: {error.strerror}") from error
        if batch and (len(batch) == _MOST_FILES or held + size > _MOST_BYTES):
            yield batch
            batch, held = [], 0
        batch.append(film)
        held += size
    if batch:
        yield batch


def _send_batch(
    gateway: Submits,
    batch: list[Path],
    fields: Mapping[str, str],
    pause: Callable[[float], None],
) -> Iterator[SentFilm]:
    try:
        entries = _patiently(gateway, batch, fields, pause)["jobs"]
    except GatewayRefusal as refusal:
        if refusal.films:
            entries = refusal.films
        elif refusal.code not in _TOO_MUCH:
            raise
        elif len(batch) == 1:
            entries = [{"job_id": None, "reason": _reason(refusal)}]
        else:
            middle = len(batch) // 2
            yield from _send_batch(gateway, batch[:middle], fields, pause)
            yield from _send_batch(gateway, batch[middle:], fields, pause)
            return
    except OSError as error:
        raise Failure(f"a film cannot be read: {error}") from error
    if len(entries) != len(batch):
        raise Failure(f"the gateway answered for {len(entries)} of {len(batch)} films")
    for film, entry in zip(batch, entries, strict=True):
        yield SentFilm(film, entry["job_id"], entry.get("reason"))


def _reason(refusal: GatewayRefusal) -> dict[str, str | None]:
    return {"code": refusal.code, "detail": refusal.detail, "advice": refusal.advice}


def _patiently(
    gateway: Submits,
    batch: list[Path],
    fields: Mapping[str, str],
    pause: Callable[[float], None],
) -> dict[str, Any]:
    wait = _FIRST_PAUSE_S
    for left in reversed(range(_MOST_TRIES)):
        try:
            return gateway.submit(batch, fields)
        except GatewayRefusal as refusal:
            if refusal.status not in _OUTAGES or not left:
                raise
            pause(min(refusal.retry_after or wait, _LONGEST_PAUSE_S))
            wait *= 2
    raise AssertionError("the last try returns or raises")
