"""Make a backup: the dump first, the objects second, the manifest last.

A film's bytes are stored before its rows are written. So every row that a dump holds had its
object when the dump was begun, and whoever copies objects afterwards finds it, but for a film
whose time was up in between: that one was mirrored by an earlier backup, and stays in the list of
this one. The mirror only grows here; films are taken in, read and deleted all the while.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from hilum.application.backup import object_list
from hilum.application.backup.backup_store import DUMP, OBJECT_LIST, mirror_key
from hilum.application.backup.claim import MAKING, Claim
from hilum.application.backup.pairing import paired
from hilum.application.backup.threads import in_turn
from hilum.domain.backup import BackedUpObject, BackupManifest, Presence, backup_name
from hilum.domain.errors import InvalidRequest, ObjectMissing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import AbstractContextManager

    from hilum.application.backup.backup_store import BackupStore
    from hilum.application.backup.pairing import Pair
    from hilum.application.ports.clock import Clock
    from hilum.application.ports.database_copy import Dump
    from hilum.application.ports.object_store import ObjectStore, StoredObject

    _Found = Pair[Pair[StoredObject, StoredObject], BackedUpObject]

DERIVED: Final = ("previews/",)
"""Objects that are made again when somebody asks for them; not backed up."""

_BINARY: Final = "application/octet-stream"


class CreateBackup:
    """Makes backups of one platform in one backup store."""

    def __init__(
        self,
        *,
        backups: BackupStore,
        objects: ObjectStore,
        clock: Clock,
        hilum_version: str,
        threads: int = 8,
    ) -> None:
        """Arguments: ``threads`` objects are copied at once."""
        self._backups = backups
        self._objects = objects
        self._clock = clock
        self._version = hilum_version
        self._threads = threads

    def __call__(self, dump: AbstractContextManager[Dump]) -> BackupManifest:
        """Make a backup; gives its manifest.

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
            )
            claim.renew(now=True)
            self._backups.complete(manifest)
        return manifest

    def _mirror(self, claim: Claim) -> Iterator[BackedUpObject]:
        """Bring the mirror up to date; gives the objects of this backup in order."""
        newest = self._backups.newest()
        before: Iterable[BackedUpObject] = () if newest is None else self._backups.objects(newest)
        wanted = (item for item in self._objects.list() if not item.key.startswith(DERIVED))
        found = paired(paired(wanted, self._backups.mirrored()), before)
        for item in in_turn(self._settle, found, self._threads):
            claim.renew()
            if item is not None:
                yield item

    def _settle(self, found: _Found) -> BackedUpObject | None:
        """See that one object is in the mirror; None for one that belongs to no row any more."""
        source = found.left.left if found.left else None
        mirrored = found.left.right if found.left else None
        before = found.right
        if before is not None and (
            mirrored is None or mirrored.size_bytes != before.size_bytes or not before.sha256
        ):
            before = None  # not to be relied on
        if source is None:
            if before is None or before.presence is not Presence.PRESENT:
                return None
            return _as(before, Presence.DELETED)
        if before is not None and source.size_bytes == before.size_bytes:
            return _as(before, Presence.PRESENT)
        return self._copy(source)

    def _copy(self, source: StoredObject) -> BackedUpObject:
        digest = hashlib.sha256()

        def hashed(chunks: Iterable[bytes]) -> Iterator[bytes]:
            for chunk in chunks:
                digest.update(chunk)
                yield chunk

        try:
            chunks = self._objects.stream(source.key)
        except ObjectMissing:
            return BackedUpObject(source.key, source.size_bytes, "", Presence.VANISHED)
        key = mirror_key(source.key)
        size = self._backups.store.put(key, hashed(chunks), media_type=_BINARY)
        return BackedUpObject(source.key, size, digest.hexdigest())


class _Counted:
    """Counts the mirrored objects that pass."""

    def __init__(self, objects: Iterable[BackedUpObject]) -> None:
        self._objects = objects
        self.objects = 0
        self.size_bytes = 0

    def __iter__(self) -> Iterator[BackedUpObject]:
        for item in self._objects:
            if item.presence is not Presence.VANISHED:
                self.objects += 1
                self.size_bytes += item.size_bytes
            yield item


def _as(item: BackedUpObject, presence: Presence) -> BackedUpObject:
    return BackedUpObject(item.key, item.size_bytes, item.sha256, presence)
