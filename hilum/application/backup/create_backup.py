"""Make a backup: the dump first, the objects second, the manifest last.

A film's bytes are stored before its rows are written. So every row that a dump holds had its
object when the dump was begun, and whoever copies objects afterwards finds it, but for a film
whose time was up in between: that one was mirrored by an earlier backup, and stays in the list of
this one. The mirror only grows here; films are taken in, read and deleted all the while.

A row that is not marked as expired and has no object tells of damage. The backup is made all the
same and says so: everything else is worth a copy, and the film's own may be in the mirror.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Final

from hilum.application.backup import object_list
from hilum.application.backup.backup_store import DUMP, OBJECT_LIST, mirror_key
from hilum.application.backup.claim import MAKING, Claim
from hilum.application.backup.standing import Standing
from hilum.application.backup.threads import in_turn
from hilum.domain.backup import BackedUpObject, BackupManifest, Presence, backup_name
from hilum.domain.errors import InvalidRequest, ObjectMissing
from hilum.domain.object_keys import PREVIEWS, PROBES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from hilum.application.backup.backup_store import BackupStore
    from hilum.application.ports.clock import Clock
    from hilum.application.ports.database_copy import DatabaseCopy, Dump
    from hilum.application.ports.object_store import ObjectStore

DERIVED: Final = (PREVIEWS, PROBES)
"""Objects that are made again when somebody asks for them; not backed up."""

_BINARY: Final = "application/octet-stream"
_BATCH: Final = 500


class CreateBackup:
    """Makes backups of one platform in one backup store."""

    def __init__(
        self,
        *,
        backups: BackupStore,
        objects: ObjectStore,
        database: DatabaseCopy,
        clock: Clock,
        hilum_version: str,
        threads: int = 8,
    ) -> None:
        """Describe a platform and a backup store.

        Args:
            backups: Where backups lie.
            objects: The platform's.
            database: The platform's; says which objects must be there.
            clock: Names the backups.
            hilum_version: Of this release.
            threads: So many objects are copied at once.
        """
        self._backups = backups
        self._objects = objects
        self._database = database
        self._clock = clock
        self._version = hilum_version
        self._threads = threads

    def __call__(self, dump: AbstractContextManager[Dump]) -> BackupManifest:
        """Make a backup; gives its manifest, which says how many films have lost their objects.

        Args:
            dump: Of the database, entered here.

        Raises:
            BackupStoreBusy: Backups are being removed.
            InvalidRequest: There is a backup of this second.
            DatabaseCopyFailed: The dump broke off.
            DatabaseUnavailable: The database does not answer.
            ObjectStoreUnavailable: One of the two stores does not answer.
        """
        moment = self._clock.now()
        name = backup_name(moment)
        with Claim(self._backups.store, self._clock, MAKING) as claim:
            complete, unfinished = self._backups.names()
            if name in {*complete, *unfinished}:
                raise InvalidRequest(f"there is a backup {name}: begin again a second later")
            with dump as opened:
                facts = opened.facts
                dumped = self._backups.write(name, DUMP, opened.chunks, claim.renew)
            counted = _Counted(self._mirror(claim))
            listed = self._backups.write(
                name, OBJECT_LIST, object_list.written(counted), claim.renew
            )
            manifest = BackupManifest(
                name=name,
                made_at=moment,
                hilum_version=self._version,
                database=facts,
                dump=dumped,
                object_list=listed,
                objects=counted.objects,
                object_bytes=counted.size_bytes,
                missing=counted.missing,
                lost=counted.lost,
            )
            claim.renew(now=True)
            self._backups.complete(manifest)
        return manifest

    def _mirror(self, claim: Claim) -> Iterator[BackedUpObject]:
        """Bring the mirror up to date; gives the objects of this backup in order."""
        newest = self._backups.newest()
        before: Iterable[BackedUpObject] = () if newest is None else self._backups.objects(newest)
        wanted = (item for item in self._objects.list() if not item.key.startswith(DERIVED))
        found = Standing.each(self._database.films(), wanted, self._backups.mirrored(), before)
        settled = self._settled(found, claim)
        while batch := tuple(islice(settled, _BATCH)):
            yield from self._confirmed(batch)

    def _settled(self, found: Iterable[Standing], claim: Claim) -> Iterator[BackedUpObject]:
        for item in in_turn(self._settle, found, self._threads):
            claim.renew()
            if item is not None:
                yield item

    def _settle(self, found: Standing) -> BackedUpObject | None:
        """See that one object is in the mirror; None for one that belongs to no row any more."""
        if found.source is None or not found.sound:
            return found.absent()
        kept = found.kept
        if kept is not None and found.source.size_bytes == kept.size_bytes:
            return replace(kept, presence=Presence.PRESENT)
        return self._copy(found)

    def _copy(self, found: Standing) -> BackedUpObject:
        digest = hashlib.sha256()

        def hashed(chunks: Iterable[bytes]) -> Iterator[bytes]:
            for chunk in chunks:
                digest.update(chunk)
                yield chunk

        try:
            chunks = self._objects.stream(found.key)
        except ObjectMissing:
            return found.absent() or BackedUpObject(found.key, 0, "", Presence.VANISHED)
        key = mirror_key(found.key)
        size = self._backups.store.put(key, hashed(chunks), media_type=_BINARY)
        if found.row is not None and digest.hexdigest() != found.row.sha256:
            # Not the film's bytes, so no copy of it.
            return BackedUpObject(found.key, size, "", Presence.MISSING)
        return BackedUpObject(found.key, size, digest.hexdigest())

    def _confirmed(self, batch: Sequence[BackedUpObject]) -> Iterator[BackedUpObject]:
        """The same, but for films that expired since their rows were read: those are not missing.

        Retention marks the row first and deletes the object second, so a film whose row is unmarked
        *after* its object was found missing has lost it to something else.
        """
        missing = [item.key for item in batch if item.presence is Presence.MISSING]
        named = self._database.named(missing) if missing else set()
        for item in batch:
            if item.presence is not Presence.MISSING or item.key in named:
                yield item
            else:
                gone = Presence.DELETED if item.mirrored else Presence.VANISHED
                yield replace(item, presence=gone)


class _Counted:
    """Counts the objects that pass: those that are mirrored, those that are missing."""

    def __init__(self, objects: Iterable[BackedUpObject]) -> None:
        self._objects = objects
        self.objects = 0
        self.size_bytes = 0
        self.missing = 0
        self.lost = 0

    def __iter__(self) -> Iterator[BackedUpObject]:
        for item in self._objects:
            if item.mirrored:
                self.objects += 1
                self.size_bytes += item.size_bytes
            if item.presence is Presence.MISSING:
                self.missing += 1
                self.lost += not item.mirrored
            yield item
