"""Look whether a backup holds what its manifest promises."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hilum.application.backup.backup_store import mirror_key
from hilum.application.backup.pairing import Pair, paired
from hilum.application.backup.threads import in_turn
from hilum.domain.errors import BackupDamaged, ObjectMissing

if TYPE_CHECKING:
    from hilum.application.backup.backup_store import BackupStore
    from hilum.application.ports.object_store import ObjectStore, StoredObject
    from hilum.domain.backup import BackedUpObject, BackupManifest


@dataclass(frozen=True, slots=True)
class Verified:
    """What was looked at: the objects of the backup, and whether each was read.

    What the platform had lost before, ``manifest`` says.
    """

    manifest: BackupManifest
    objects: int
    deep: bool


class VerifyBackup:
    """Reads backups without restoring them."""

    def __init__(self, *, backups: BackupStore, threads: int = 8) -> None:
        self._backups = backups
        self._threads = threads

    def __call__(self, manifest: BackupManifest, *, deep: bool = False) -> Verified:
        """Look at a backup.

        The dump and the list of objects are read and hashed; each object must be there with its
        size, and with ``deep`` is read and hashed, too.

        Raises:
            BackupDamaged: Something is missing or was changed; the text names the first.
            ObjectStoreUnavailable: The backup store does not answer.
        """
        for _ in self._backups.dump(manifest):
            pass
        checked = 0
        found = paired(self._backups.objects(manifest), self._backups.mirrored())
        check = self._check_deep if deep else _check
        for counted in in_turn(check, found, self._threads):
            checked += counted
        if checked != manifest.objects:
            raise BackupDamaged(
                f"backup {manifest.name} lists {checked} objects and promises {manifest.objects}"
            )
        return Verified(manifest, checked, deep)

    def _check_deep(self, found: Pair[BackedUpObject, StoredObject]) -> int:
        counted = _check(found)
        if counted and found.left is not None:
            require_content(self._backups.store, mirror_key(found.key), found.left.sha256)
        return counted


def require_content(store: ObjectStore, key: str, sha256: str) -> None:
    """Return if an object's bytes have this digest.

    Raises:
        BackupDamaged: They have not, or it is not there.
    """
    digest = hashlib.sha256()
    try:
        for chunk in store.stream(key):
            digest.update(chunk)
    except ObjectMissing as error:
        raise BackupDamaged(f"the object {key} is missing") from error
    if digest.hexdigest() != sha256:
        raise BackupDamaged(f"the object {key} is not what was stored: its SHA-256 is another")


def _check(found: Pair[BackedUpObject, StoredObject]) -> int:
    """One if an object of the backup is there, zero if it is none of the backup's."""
    listed, mirrored = found.left, found.right
    if listed is None or not listed.mirrored:
        return 0
    if mirrored is None:
        raise BackupDamaged(f"the mirror lacks {found.key}")
    if mirrored.size_bytes != listed.size_bytes:
        raise BackupDamaged(
            f"the mirror holds {mirrored.size_bytes} bytes of {found.key}, not {listed.size_bytes}"
        )
    return 1
