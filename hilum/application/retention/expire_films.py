"""Remove films after their time; results, findings and the audit log stay.

Rows come first here, bytes second: from the moment a film's bytes may be gone, its job says so.
Which objects are still to be removed stands in the database, so a run that was cut off (by an
outage of the object store, or its own end) is gone on with by the next one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from hilum.domain.audit import AuditEvent
from hilum.domain.errors import InvalidRequest, ObjectMissing
from hilum.domain.object_keys import keys_of
from hilum.domain.principal import ALL_SITES, Permission

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from hilum.application.ports.clock import Clock
    from hilum.application.ports.film_retention import DueFilms, ExpiredFilm
    from hilum.application.ports.object_store import ObjectStore
    from hilum.application.ports.sealer import Sealer
    from hilum.application.ports.unit_of_work import Transaction, UnitOfWork
    from hilum.domain.principal import Principal

_LOCK: Final = "expire_films"


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """How long films are kept.

    Attributes:
        days: After the end of their jobs; at least one.
        site: Only of this site; None for all.
    """

    days: int
    site: str | None = None


@dataclass(frozen=True, slots=True)
class Expiry:
    """What one run did.

    Attributes:
        films: Marked as expired.
        size_bytes: Of these films.
        objects: Removed, previews and what an earlier run left included.
        ended_before: The films' jobs ended before this moment; UTC.
    """

    films: int
    size_bytes: int
    objects: int
    ended_before: datetime


class ExpireFilms:
    """Safe to run at any time, and again after any failure."""

    def __init__(
        self,
        *,
        unit_of_work: UnitOfWork,
        store: ObjectStore,
        clock: Clock,
        batch: int = 500,
        sealer: Sealer | None = None,
        context_of: Callable[[bytes], bytes | None] = lambda _: None,
    ) -> None:
        """Prepare.

        Args:
            unit_of_work: Holds the rows.
            store: Holds the images.
            clock: Labels what is done.
            batch: Images in one transaction.
            sealer: Seals what deliveries that are not settled still need of an image. Nothing is
                kept without one.
            context_of: Reads that from an image.
        """
        self._unit_of_work = unit_of_work
        self._sealer = sealer
        self._context_of = context_of
        self._store = store
        self._clock = clock
        self._batch = batch

    def due(self, rule: RetentionRule) -> DueFilms:
        """What a run would remove now.

        Raises:
            InvalidRequest: The rule keeps films for less than a day.
            DatabaseUnavailable: Nobody knows.
        """
        ended_before = self._ended_before(rule)
        with self._unit_of_work.begin(write=False) as transaction:
            return transaction.film_retention.due(ended_before, rule.site)

    def __call__(self, rule: RetentionRule, principal: Principal) -> Expiry:
        """Remove what is due, and what an earlier run left.

        Args:
            rule: How long films are kept.
            principal: Who asks, for the audit log.

        Raises:
            NotPermitted: The principal does not manage the rule's site, or every site.
            InvalidRequest: The rule keeps films for less than a day.
            DatabaseUnavailable: The next run goes on.
            ObjectStoreUnavailable: The next run goes on.
        """
        principal.require(Permission.MANAGE_SITE, rule.site or ALL_SITES)
        ended_before = self._ended_before(rule)
        films: list[ExpiredFilm] = []
        objects = self._remove(principal)
        while batch := self._expire(rule, ended_before, principal):
            films += batch
            objects += self._remove(principal)
        size_bytes = sum(film.size_bytes for film in films)
        return Expiry(len(films), size_bytes, objects, ended_before)

    def _ended_before(self, rule: RetentionRule) -> datetime:
        if rule.days < 1:
            raise InvalidRequest("films are kept for at least one day")
        return self._clock.now() - timedelta(days=rule.days)

    def _expire(
        self, rule: RetentionRule, ended_before: datetime, principal: Principal
    ) -> Sequence[ExpiredFilm]:
        """Mark some films, and put their objects on the list of what is to be removed."""
        now = self._clock.now()
        with self._unit_of_work.begin() as transaction:
            if not transaction.try_lock(_LOCK):
                return ()  # another run does it
            transaction.delivery_contexts.drop_settled()
            films = transaction.film_retention.expire(ended_before, rule.site, now, self._batch)
            if films:
                self._keep_contexts(transaction, films)
                keys = [key for film in films for key in keys_of(film.job_id, film.object_key)]
                transaction.film_retention.ask_removal(keys, now)
                transaction.audit.append([_expired(films, rule, ended_before, now, principal)])
        return films

    def _keep_contexts(self, transaction: Transaction, films: Sequence[ExpiredFilm]) -> None:
        """Keep, sealed, what deliveries that are not settled need of images that go."""
        if self._sealer is None:
            return
        wanted = transaction.delivery_contexts.wanted([film.job_id for film in films])
        for film in films:
            if film.job_id not in wanted:
                continue
            try:
                context = self._context_of(self._store.get(film.object_key))
            except ObjectMissing:
                continue
            if context is not None:
                sealed = self._sealer.seal(context, film.job_id.bytes)
                transaction.delivery_contexts.keep(film.job_id, sealed, self._sealer.key_id)

    def _remove(self, principal: Principal) -> int:
        """Remove what is on the list, and take it off."""
        objects = 0
        while keys := self._to_remove():
            for key in keys:
                self._store.delete(key)
            with self._unit_of_work.begin() as transaction:
                removed = transaction.film_retention.removed(keys)
                objects += removed
                if removed:  # else another run was faster
                    transaction.audit.append([_removed(removed, self._clock.now(), principal)])
        return objects

    def _to_remove(self) -> Sequence[str]:
        with self._unit_of_work.begin(write=False) as transaction:
            # A batch of films has a preview each as well.
            return transaction.film_retention.to_remove(2 * self._batch)


def _expired(
    films: Sequence[ExpiredFilm],
    rule: RetentionRule,
    ended_before: datetime,
    now: datetime,
    principal: Principal,
) -> AuditEvent:
    """Of a batch: each of its jobs has the event's time as ``film_expired_at``."""
    return AuditEvent(
        actor=principal,
        action="films.expired",
        object_type="films",
        object_id=now.isoformat(),
        at=now,
        details={
            "films": len(films),
            "size_bytes": sum(film.size_bytes for film in films),
            "days": rule.days,
            "ended_before": ended_before.isoformat(),
            "site": rule.site or ALL_SITES,
        },
    )


def _removed(objects: int, now: datetime, principal: Principal) -> AuditEvent:
    return AuditEvent(
        actor=principal,
        action="films.removed",
        object_type="films",
        object_id=now.isoformat(),
        at=now,
        details={"objects": objects},
    )
