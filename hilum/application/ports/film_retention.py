"""Films whose bytes are removed after a time, while what was read of them stays.

A film goes in three steps, so that a crash at any point leaves something to go on from: its job is
marked as expired and its objects are put on a list (one transaction); the objects are removed;
they are taken off the list.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime
    from uuid import UUID

    from hilum.domain.job import Job
    from hilum.domain.study import Instance


@dataclass(frozen=True, slots=True)
class DueFilms:
    """How many films a rule would remove, and their bytes."""

    films: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class ExpiredFilm:
    """A film that was marked as expired: its job, and the object to remove."""

    job_id: UUID
    object_key: str
    size_bytes: int


class FilmRetention(Protocol):
    """What the database knows of films that go.

    A film is due when its job ended before a moment (completed, rejected or discarded; a parked
    job waits for a person and needs its film), and it was not sent again after it.
    """

    def due(self, ended_before: datetime, site: str | None) -> DueFilms:
        """What is due, of one site or of all."""
        ...

    def expire(
        self, ended_before: datetime, site: str | None, now: datetime, limit: int
    ) -> Sequence[ExpiredFilm]:
        """Mark the films that are due as expired now, the oldest first, at most ``limit``."""
        ...

    def ask_removal(self, keys: Collection[str], now: datetime) -> None:
        """Put objects on the list of what is to be removed; those on it already stay on it."""
        ...

    def to_remove(self, limit: int) -> Sequence[str]:
        """Objects on the list."""
        ...

    def removed(self, keys: Collection[str]) -> int:
        """Take objects off the list; how many of them were on it."""
        ...

    def send_again(
        self, job_id: UUID, instance: Instance, *, instead_of: str, now: datetime
    ) -> Job | None:
        """Give an image whose bytes are gone other ones, under another key.

        Args:
            job_id: The job that read the image.
            instance: The image as it was sent again; its object is the one that is kept.
            instead_of: Key of the object that is gone.
            now: From when on retention counts anew.

        Returns:
            The job, or None if the image has another object by now, or the job was discarded.
        """
        ...

    def named(self, object_keys: Collection[str]) -> set[str]:
        """Those of these keys that a film has which is not expired."""
        ...

    def shown(self, job_ids: Collection[UUID]) -> set[UUID]:
        """Those of these jobs that exist and whose film is not expired."""
        ...
