"""Bring a platform back from a backup: check it, copy the objects, load the dump, look again.

Bytes come before rows, as when a film is accepted: the database is loaded last, so that a restore
that breaks off leaves no row without its film, and can be run again.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from hilum.application.backup.backup_store import mirror_key
from hilum.application.backup.create_backup import DERIVED
from hilum.application.backup.pairing import Pair, paired
from hilum.application.backup.threads import in_turn
from hilum.domain.errors import BackupDamaged, ObjectMissing, RestoreRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from hilum.application.backup.backup_store import BackupStore
    from hilum.application.backup.verify_backup import VerifyBackup
    from hilum.application.ports.database_copy import DatabaseCopy
    from hilum.application.ports.object_store import ObjectStore, StoredObject
    from hilum.domain.backup import BackedUpObject, BackupManifest

_BINARY = "application/octet-stream"


class RestoreBackup:
    """Restores backups into one platform, whose gateways and workers are stopped."""

    def __init__(
        self,
        *,
        backups: BackupStore,
        objects: ObjectStore,
        database: DatabaseCopy,
        verify: VerifyBackup,
        threads: int = 8,
    ) -> None:
        self._backups = backups
        self._objects = objects
        self._database = database
        self._verify = verify
        self._threads = threads

    def __call__(
        self,
        manifest: BackupManifest,
        *,
        force: bool = False,
        hand_over: Callable[[Iterable[bytes]], None] | None = None,
    ) -> None:
        """Restore a backup.

        Args:
            manifest: Of the backup.
            force: Replace a database that holds films or is in use, and leave films of the
                object store where they are that are none of the backup's.
            hand_over: Takes the dump instead of the database, which is only cleared: something
                else loads it.

        Raises:
            RestoreRefused: There are films already, or sessions; nothing has changed.
            BackupDamaged: The backup is not whole. Nothing has changed, or an object was found
                damaged while it was copied.
            DatabaseCopyFailed: The dump could not be loaded; the database is empty.
            DatabaseUnavailable: The database does not answer.
            ObjectStoreUnavailable: One of the stores does not answer.
        """
        if hand_over is None:
            self._database.require_loadable()
        self._require_same_kind(manifest)
        if not force:
            self._require_free(manifest)
        self._verify(manifest)
        for _ in in_turn(self._bring, self._missing(manifest), self._threads):
            pass
        dump = self._backups.dump(manifest)
        self._database.clear()
        (hand_over or self._database.load)(dump)

    def _require_same_kind(self, manifest: BackupManifest) -> None:
        kind = self._database.facts().kind
        if manifest.database.kind != kind:
            raise RestoreRefused(
                f"backup {manifest.name} is of {manifest.database.kind}, this database is {kind}"
            )

    def _require_free(self, manifest: BackupManifest) -> None:
        # A restore that did its work and was called again, as a Job's pod may be, does it again.
        done = manifest.database.rows is not None and self._database.facts() == manifest.database
        if not done and self._database.holds_films():
            raise RestoreRefused("the database holds films; --force replaces it")
        if sessions := self._database.sessions():
            raise RestoreRefused(
                f"{sessions} other sessions have the database open: stop gateways and workers, "
                "or pass --force"
            )
        for found in paired(self._backups.objects(manifest), self._present()):
            if found.left is None:
                raise RestoreRefused(
                    f"the object store holds {found.key}, which is not of backup "
                    f"{manifest.name}; --force leaves such objects where they are"
                )

    def _present(self) -> Iterator[StoredObject]:
        return (item for item in self._objects.list() if not item.key.startswith(DERIVED))

    def _missing(self, manifest: BackupManifest) -> Iterator[BackedUpObject]:
        """Objects of the backup that are not in the store yet."""
        found: Pair[BackedUpObject, StoredObject]
        for found in paired(self._backups.objects(manifest), self._present()):
            wanted, present = found.left, found.right
            if wanted is None or not wanted.mirrored:
                continue
            if present is None or present.size_bytes != wanted.size_bytes:
                yield wanted

    def _bring(self, wanted: BackedUpObject) -> None:
        """Copy one object back; it appears only if it is what was stored."""
        try:
            chunks = self._backups.store.stream(mirror_key(wanted.key))
        except ObjectMissing as error:
            raise BackupDamaged(f"the mirror lacks {wanted.key}") from error
        self._objects.put(wanted.key, _checked(chunks, wanted), media_type=_BINARY)


def _checked(chunks: Iterable[bytes], wanted: BackedUpObject) -> Iterator[bytes]:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
        yield chunk
    if digest.hexdigest() != wanted.sha256:
        raise BackupDamaged(f"the mirror's {wanted.key} is not what was stored")
