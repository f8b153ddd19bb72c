"""Where backups lie in a store of their own.

::

    backups/<name>/dump/0000, 0001, ...      the dump of the database, in parts
    backups/<name>/objects/0000, ...         the list of the objects that belong to it
    backups/<name>/manifest.json             written last: what has none is no backup
    objects/<key>                            the mirror, shared by all backups; it only grows
    claims/<token>.json                      who makes or removes backups at the moment
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from hilum.application.backup import object_list
from hilum.domain.backup import (
    BackedUpObject,
    BackupManifest,
    Presence,
    StoredFile,
    manifest_document,
    read_manifest,
)
from hilum.domain.errors import BackupDamaged, NotFound, ObjectMissing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from hilum.application.ports.object_store import ObjectStore, StoredObject

DUMP: Final = "dump"
OBJECT_LIST: Final = "objects"

PART_BYTES: Final = 4 * 1024**3
"""S3 takes at most 10,000 parts an upload; ours have 5 MiB, so one object has under 48 GiB."""

_BACKUPS: Final = "backups/"
_MIRROR: Final = "objects/"
_MANIFEST: Final = "manifest.json"
_BINARY: Final = "application/octet-stream"


class BackupStore:
    """Backups in an object store that holds nothing else."""

    def __init__(self, store: ObjectStore, *, part_bytes: int = PART_BYTES) -> None:
        self.store = store
        self._part_bytes = part_bytes

    def names(self) -> tuple[list[str], list[str]]:
        """Names of the complete backups and of those that were begun only; oldest first."""
        found: dict[str, bool] = {}
        for item in self.store.list(_BACKUPS):
            name, _, file = item.key.removeprefix(_BACKUPS).partition("/")
            found[name] = found.get(name, False) or file == _MANIFEST
        complete = [name for name, whole in found.items() if whole]
        return sorted(complete), sorted(set(found) - set(complete))

    def manifest(self, name: str) -> BackupManifest:
        """The manifest of a complete backup.

        Raises:
            NotFound: There is no complete backup of that name.
            BackupDamaged: Its manifest cannot be read.
        """
        if name not in self.names()[0]:
            raise NotFound(f"there is no complete backup {name}")
        try:
            manifest = read_manifest(json.loads(self.store.get(f"{_BACKUPS}{name}/{_MANIFEST}")))
        except ValueError as error:
            raise BackupDamaged(f"the manifest of backup {name} cannot be read") from error
        if manifest.name != name:
            raise BackupDamaged(f"the manifest of backup {name} is that of {manifest.name}")
        return manifest

    def newest(self) -> BackupManifest | None:
        """The newest complete backup, or None."""
        names = self.names()[0]
        return self.manifest(names[-1]) if names else None

    def complete(self, manifest: BackupManifest) -> None:
        """Write the manifest, which makes a backup of what was written before."""
        text = json.dumps(manifest_document(manifest), indent=2) + "\n"
        key = f"{_BACKUPS}{manifest.name}/{_MANIFEST}"
        self.store.put(key, [text.encode()], media_type="application/json")

    def write(
        self, name: str, file: str, chunks: Iterable[bytes], progress: Callable[[], None]
    ) -> StoredFile:
        """Write a file of a backup while its bytes come.

        Args:
            name: Of the backup.
            file: :data:`DUMP` or :data:`OBJECT_LIST`.
            chunks: Read once.
            progress: Called after each chunk.
        """
        source = _Cutter(chunks, self._part_bytes, progress)
        parts = 0
        while parts == 0 or source.more():
            self.store.put(_part(name, file, parts), source.part(), media_type=_BINARY)
            parts += 1
        return StoredFile(parts, source.size, source.sha256.hexdigest())

    def read(self, name: str, file: str, stored: StoredFile) -> Iterator[bytes]:
        """The bytes of a file of a backup.

        Raises:
            BackupDamaged: A part is missing; or, after the last chunk, they are not what was
                written.
        """
        digest, size = hashlib.sha256(), 0
        for number in range(stored.parts):
            try:
                chunks = self.store.stream(_part(name, file, number))
            except ObjectMissing as error:
                raise BackupDamaged(f"backup {name} lacks part {number} of its {file}") from error
            for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                yield chunk
        if (size, digest.hexdigest()) != (stored.size_bytes, stored.sha256):
            raise BackupDamaged(f"the {file} of backup {name} is not what was written")

    def dump(self, manifest: BackupManifest) -> Iterator[bytes]:
        """The dump of a backup; raises as :meth:`read` does."""
        return self.read(manifest.name, DUMP, manifest.dump)

    def objects(self, manifest: BackupManifest) -> Iterator[BackedUpObject]:
        """The objects of a backup, in the order of their keys.

        Raises:
            BackupDamaged: The list is damaged.
        """
        return object_list.read(self.read(manifest.name, OBJECT_LIST, manifest.object_list))

    def missing(self, manifest: BackupManifest) -> Iterator[BackedUpObject]:
        """The films that were missing when a backup was made; raises as :meth:`objects` does."""
        return (one for one in self.objects(manifest) if one.presence is Presence.MISSING)

    def mirrored(self) -> Iterator[StoredObject]:
        """The objects of the mirror under the keys of the platform's store, in their order."""
        for item in self.store.list(_MIRROR):
            yield replace(item, key=item.key.removeprefix(_MIRROR))

    def remove(self, name: str) -> None:
        """Remove a backup; the manifest first, so that a part of a backup is none."""
        self.store.delete(f"{_BACKUPS}{name}/{_MANIFEST}")
        for item in self.store.list(f"{_BACKUPS}{name}/"):
            self.store.delete(item.key)


def mirror_key(key: str) -> str:
    """Where the mirror keeps an object of the platform's store."""
    return _MIRROR + key


def _part(name: str, file: str, number: int) -> str:
    return f"{_BACKUPS}{name}/{file}/{number:04d}"


class _Cutter:
    """Chunks in parts of at least so many bytes, hashed on their way."""

    def __init__(
        self, chunks: Iterable[bytes], part_bytes: int, progress: Callable[[], None]
    ) -> None:
        self._chunks = iter(chunks)
        self._part_bytes = part_bytes
        self._progress = progress
        self._next: bytes | None = None
        self.size = 0
        self.sha256 = hashlib.sha256()

    def more(self) -> bool:
        """Whether a chunk is left."""
        if self._next is None:
            self._next = next((chunk for chunk in self._chunks if chunk), None)
        return self._next is not None

    def part(self) -> Iterator[bytes]:
        """The chunks of one part."""
        size = 0
        while size < self._part_bytes and self.more():
            chunk, self._next = self._next or b"", None
            self.sha256.update(chunk)
            self.size += len(chunk)
            size += len(chunk)
            yield chunk
            self._progress()
