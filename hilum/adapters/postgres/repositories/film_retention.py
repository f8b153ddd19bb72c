"""Films whose bytes are removed after a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from hilum.adapters.postgres.insertion import insert_absent
from hilum.adapters.postgres.repositories.work_table import JOB_WORK
from hilum.adapters.postgres.tables import ENDED_JOBS, FILM_REMOVALS, INSTANCES, JOBS
from hilum.application.ports.film_retention import DueFilms, ExpiredFilm
from hilum.domain.job import JobState

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.engine import Connection

    from hilum.domain.job import Job
    from hilum.domain.study import Instance

_FILMS: Final = JOBS.join(INSTANCES, JOBS.c.instance_id == INSTANCES.c.id)


class SqlFilmRetention:
    """See :class:`hilum.application.ports.film_retention.FilmRetention`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def due(self, ended_before: datetime, site: str | None) -> DueFilms:
        """What is due, of one site or of all."""
        size = sa.func.coalesce(sa.func.sum(INSTANCES.c.size_bytes), 0)
        query = sa.select(sa.func.count(), size).select_from(_FILMS)
        films, size_bytes = self._connection.execute(_which(query, ended_before, site)).one()
        return DueFilms(films, int(size_bytes))

    def expire(
        self, ended_before: datetime, site: str | None, now: datetime, limit: int
    ) -> Sequence[ExpiredFilm]:
        """Mark the films that are due as expired now, the oldest first."""
        query = sa.select(JOBS.c.id, INSTANCES.c.object_key, INSTANCES.c.size_bytes)
        oldest = (
            _which(query.select_from(_FILMS), ended_before, site)
            # The first is null in all of them; named, so that the index's order is the wanted one.
            .order_by(JOBS.c.film_expired_at, JOBS.c.updated_at, JOBS.c.id)
            .limit(limit)
        )
        films = [ExpiredFilm(*row) for row in self._connection.execute(oldest)]
        if not films:
            return []
        # Whoever was sent again meanwhile has other bytes, and is not due. Locked newest first, as
        # jobs are everywhere.
        still_due = sa.select(JOBS.c.id).where(
            JOBS.c.id.in_([film.job_id for film in films]), *_due(ended_before)
        )
        newest_first = still_due.order_by(JOBS.c.created_at.desc(), JOBS.c.id.desc())
        ended = set(self._connection.execute(newest_first.with_for_update()).scalars())
        mark = sa.update(JOBS).where(JOBS.c.id.in_(ended)).values(film_expired_at=now)
        self._connection.execute(mark)
        return [film for film in films if film.job_id in ended]

    def ask_removal(self, keys: Collection[str], now: datetime) -> None:
        """Put objects on the list of what is to be removed."""
        rows = [{"object_key": key, "asked_at": now} for key in sorted(keys)]
        insert_absent(self._connection, FILM_REMOVALS.c.object_key, rows)

    def to_remove(self, limit: int) -> Sequence[str]:
        """Objects on the list."""
        query = sa.select(FILM_REMOVALS.c.object_key).order_by(FILM_REMOVALS.c.object_key)
        return list(self._connection.execute(query.limit(limit)).scalars())

    def removed(self, keys: Collection[str]) -> int:
        """Take objects off the list; how many of them were on it."""
        gone = sa.delete(FILM_REMOVALS).where(FILM_REMOVALS.c.object_key.in_(list(keys)))
        return self._connection.execute(gone).rowcount

    def send_again(
        self, job_id: UUID, instance: Instance, *, instead_of: str, now: datetime
    ) -> Job | None:
        """Give an image whose bytes are gone other ones, under another key."""
        # Locked: a discard or a retention at the same time waits, or is seen.
        wanted = sa.select(JOBS.c.instance_id).where(
            JOBS.c.id == job_id, JOBS.c.state != JobState.DISCARDED.value
        )
        of_job = self._connection.execute(wanted.with_for_update()).scalar()
        replaced = self._connection.execute(
            sa.update(INSTANCES)
            .where(INSTANCES.c.id == of_job, INSTANCES.c.object_key == instead_of)
            .values(
                object_key=instance.object_key,
                size_bytes=instance.size_bytes,
                sha256=instance.sha256,
            )
        )
        if replaced.rowcount == 0:
            return None
        row = self._connection.execute(
            sa.update(JOBS)
            .where(JOBS.c.id == job_id)
            .values(film_expired_at=None, film_sent_again_at=now)
            .returning(*JOB_WORK.columns)
        ).one()
        return JOB_WORK.item_of(tuple(row))

    def named(self, object_keys: Collection[str]) -> set[str]:
        """Those of these keys that a film has which is not expired."""
        query = (
            sa.select(INSTANCES.c.object_key)
            .select_from(_FILMS)
            .where(INSTANCES.c.object_key.in_(list(object_keys)), JOBS.c.film_expired_at.is_(None))
        )
        return set(self._connection.execute(query).scalars())

    def shown(self, job_ids: Collection[UUID]) -> set[UUID]:
        """Those of these jobs that exist and whose film is not expired."""
        wanted = JOBS.c.id.in_(list(job_ids))
        query = sa.select(JOBS.c.id).where(wanted, JOBS.c.film_expired_at.is_(None))
        return set(self._connection.execute(query).scalars())


def _which(query: sa.Select[Any], ended_before: datetime, site: str | None) -> sa.Select[Any]:
    """Of films and their jobs, those that are due."""
    query = query.where(*_due(ended_before))
    return query if site is None else query.where(JOBS.c.site == site)


def _due(ended_before: datetime) -> tuple[sa.TextClause | sa.ColumnElement[bool], ...]:
    return (
        ENDED_JOBS,
        JOBS.c.film_expired_at.is_(None),
        JOBS.c.updated_at < ended_before,
        sa.or_(
            JOBS.c.film_sent_again_at.is_(None),
            JOBS.c.film_sent_again_at < ended_before,
        ),
    )
