"""Remove objects that no row names.

A gateway that died between storing a film and writing its rows leaves such an object behind; so
does a look at a film in the moment in which it expires, which makes a preview anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import chain, islice
from typing import TYPE_CHECKING, Final

from hilum.domain.audit import AuditEvent
from hilum.domain.object_keys import FILMS, PREVIEWS, is_film_key, job_of_preview
from hilum.domain.principal import ALL_SITES, Permission

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hilum.application.ports.clock import Clock
    from hilum.application.ports.object_store import ObjectStore, StoredObject
    from hilum.application.ports.unit_of_work import UnitOfWork
    from hilum.domain.principal import Principal

YOUNGEST: Final = timedelta(days=1)
"""A younger object may belong to an upload whose rows are still to be written."""

_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Swept:
    """Orphans that were found, and removed unless the run was dry."""

    objects: int = 0
    size_bytes: int = 0


class SweepOrphans:
    """Safe to run at any time, and again after any failure."""

    def __init__(self, *, unit_of_work: UnitOfWork, store: ObjectStore, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._store = store
        self._clock = clock

    def __call__(self, principal: Principal, *, dry_run: bool = False) -> Swept:
        """Look at every film and preview in the store.

        What else lies there is left alone.

        Args:
            principal: Who asks, for the audit log.
            dry_run: Only count.

        Raises:
            NotPermitted: The principal does not manage every site.
            DatabaseUnavailable: Some orphans may be left; run it again.
            ObjectStoreUnavailable: Likewise.
        """
        principal.require(Permission.MANAGE_SITE, ALL_SITES)
        objects, size_bytes = 0, 0
        old = self._old()
        while found := tuple(islice(old, _BATCH)):
            orphans = self._orphans(found)
            if orphans and not dry_run:
                self._remove(orphans, principal)
            objects += len(orphans)
            size_bytes += sum(orphan.size_bytes for orphan in orphans)
        return Swept(objects, size_bytes)

    def _old(self) -> Iterator[StoredObject]:
        stored_before = self._clock.now() - YOUNGEST
        for found in chain(self._store.list(FILMS), self._store.list(PREVIEWS)):
            if found.stored_at < stored_before:
                yield found

    def _orphans(self, found: Sequence[StoredObject]) -> list[StoredObject]:
        films = [one.key for one in found if is_film_key(one.key)]
        jobs = {one.key: job for one in found if (job := job_of_preview(one.key)) is not None}
        with self._unit_of_work.begin(write=False) as transaction:
            named = transaction.film_retention.named(films)
            shown = transaction.film_retention.shown(set(jobs.values()))
        orphans = {key for key in films if key not in named}
        orphans |= {key for key, job in jobs.items() if job not in shown}
        return [one for one in found if one.key in orphans]

    def _remove(self, orphans: Sequence[StoredObject], principal: Principal) -> None:
        for orphan in orphans:
            self._store.delete(orphan.key)
        now = self._clock.now()
        with self._unit_of_work.begin() as transaction:
            transaction.audit.append(
                [
                    AuditEvent(
                        actor=principal,
                        action="films.orphans_removed",
                        object_type="films",
                        object_id=now.isoformat(),
                        at=now,
                        details={
                            "objects": len(orphans),
                            "size_bytes": sum(orphan.size_bytes for orphan in orphans),
                        },
                    )
                ]
            )
