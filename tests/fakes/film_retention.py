"""Films that go after a time, in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hilum.application.ports.film_retention import DueFilms, ExpiredFilm
from hilum.domain.job import ENDED, JobState

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime
    from uuid import UUID

    from hilum.domain.job import Job
    from hilum.domain.study import Instance
    from tests.fakes.repositories import Rows


class InMemoryFilmRetention:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def due(self, ended_before: datetime, site: str | None) -> DueFilms:
        sizes = [instance.size_bytes for _, instance in self._which(ended_before, site)]
        return DueFilms(len(sizes), sum(sizes))

    def expire(
        self, ended_before: datetime, site: str | None, now: datetime, limit: int
    ) -> Sequence[ExpiredFilm]:
        self._rows.require_writable()
        films = self._which(ended_before, site)[:limit]
        for job, _ in films:
            self._rows.jobs[job.id] = replace(job, film_expired_at=now)
        return [ExpiredFilm(job.id, film.object_key, film.size_bytes) for job, film in films]

    def ask_removal(self, keys: Collection[str], now: datetime) -> None:
        self._rows.require_writable()
        for key in keys:
            self._rows.removals.setdefault(key, now)

    def to_remove(self, limit: int) -> Sequence[str]:
        return sorted(self._rows.removals)[:limit]

    def removed(self, keys: Collection[str]) -> int:
        self._rows.require_writable()
        return sum(1 for key in set(keys) if self._rows.removals.pop(key, None) is not None)

    def send_again(
        self, job_id: UUID, instance: Instance, *, instead_of: str, now: datetime
    ) -> Job | None:
        self._rows.require_writable()
        job = self._rows.jobs.get(job_id)
        if job is None or job.state is JobState.DISCARDED:
            return None
        if self._rows.instances[job.instance_id].object_key != instead_of:
            return None
        self._rows.jobs[job_id] = job = replace(job, film_expired_at=None)
        self._rows.sent_again[job_id] = now
        self._rows.instances[job.instance_id] = replace(
            self._rows.instances[job.instance_id],
            object_key=instance.object_key,
            size_bytes=instance.size_bytes,
            sha256=instance.sha256,
        )
        return job

    def named(self, object_keys: Collection[str]) -> set[str]:
        held = {
            self._rows.instances[job.instance_id].object_key
            for job in self._rows.jobs.values()
            if job.film_expired_at is None
        }
        return held & set(object_keys)

    def shown(self, job_ids: Collection[UUID]) -> set[UUID]:
        jobs = (self._rows.jobs.get(job_id) for job_id in job_ids)
        return {job.id for job in jobs if job is not None and job.film_expired_at is None}

    def _which(self, ended_before: datetime, site: str | None) -> list[tuple[Job, Instance]]:
        due = [
            job
            for job in self._rows.jobs.values()
            if job.state in ENDED
            and job.film_expired_at is None
            and job.updated_at < ended_before
            and self._rows.sent_again.get(job.id, job.updated_at) < ended_before
            and site in (None, job.site)
        ]
        due.sort(key=lambda job: (job.updated_at, job.id))
        return [(job, self._rows.instances[job.instance_id]) for job in due]
