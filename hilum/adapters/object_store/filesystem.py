"""Objects as files of a folder: the embedded default."""

from __future__ import annotations

import contextlib
import os
import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO, Final

from hilum.adapters.object_store.keys import is_valid_key, require_valid_key
from hilum.application.ports.object_store import StoredObject
from hilum.domain.errors import ObjectMissing, ObjectStoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_CHUNK_BYTES: Final = 256 * 1024
_INCOMING: Final = ".incoming"
_ABANDONED_AFTER_S: Final = 24 * 60 * 60
_NOT_THERE: Final = (FileNotFoundError, IsADirectoryError, NotADirectoryError)


class FilesystemObjectStore:
    """Keeps each object as one file; several processes may share the folder.

    An object is written beside its place, synchronised to the disk, and renamed: a reader sees it
    whole or not at all, also after a power cut. Films are patients' data, so only the user who
    runs Hilum can read the folder.
    """

    def __init__(self, folder: Path) -> None:
        """Use a folder, which is made if need be.

        Raises:
            ObjectStoreUnavailable: It cannot be made.
        """
        self._folder = folder
        self._incoming = folder / _INCOMING
        with _translated("prepared"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._incoming.mkdir(mode=0o700, exist_ok=True)
            _sweep(self._incoming)

    def put(self, key: str, chunks: Iterable[bytes], *, media_type: str) -> int:
        """Store an object; see the port. The media type is not kept: the database knows it."""
        del media_type
        target = self._folder / require_valid_key(key)
        temporary = self._incoming / uuid.uuid4().hex
        with _translated("written"):
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            try:
                size = _write(descriptor, chunks)
            finally:
                os.close(descriptor)
            with _translated("written"):
                self._publish(temporary, target)
        except BaseException:
            # Whatever happened, also a client that went away in the middle: nothing stays behind.
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        return size

    def get(self, key: str) -> bytes:
        """The whole object; see the port."""
        path = self._folder / require_valid_key(key)
        with _translated("read", missing=key):
            return path.read_bytes()

    def stream(self, key: str) -> Iterator[bytes]:
        """The object in chunks; see the port. What is being read stays whole if it is replaced."""
        path = self._folder / require_valid_key(key)
        with _translated("read", missing=key):
            file = path.open("rb")
        return _read(file)

    def delete(self, key: str) -> None:
        """Remove an object; see the port."""
        path = self._folder / require_valid_key(key)
        with _translated("removed"), contextlib.suppress(*_NOT_THERE):
            path.unlink()

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        """Every object whose key begins with a prefix, in order; see the port."""
        parent = prefix.rpartition("/")[0]
        return _below(self._folder / parent, parent + "/" if parent else "", prefix)

    def check(self) -> None:
        """Write and remove one byte: a full or read-only disk shows here."""
        probe = self._incoming / f"check-{uuid.uuid4().hex}"
        with _translated("written"):
            try:
                probe.write_bytes(b"\0")
            finally:
                probe.unlink(missing_ok=True)

    def _publish(self, temporary: Path, target: Path) -> None:
        parents = [path for path in target.parents if path.is_relative_to(self._folder)]
        for folder in reversed(parents[:-1]):
            # One by one: the mode would only reach the last one that ``parents=True`` makes.
            with contextlib.suppress(FileExistsError):
                folder.mkdir(mode=0o700)
                _synchronise(folder.parent)
        temporary.replace(target)
        _synchronise(target.parent)


@contextlib.contextmanager
def _translated(what: str, *, missing: str | None = None) -> Iterator[None]:
    """Turn what the operating system says into the project's errors, without a path in the text."""
    try:
        yield
    except OSError as error:
        if missing is not None and isinstance(error, _NOT_THERE):
            raise ObjectMissing(f"the store holds no object {missing}") from error
        raise ObjectStoreUnavailable(
            f"the object folder cannot be {what}: {error.strerror or error}"
        ) from error


def _write(descriptor: int, chunks: Iterable[bytes]) -> int:
    size = 0
    for chunk in chunks:  # outside the translation: what the chunks raise is passed on as it is
        size += len(chunk)
        with _translated("written"):
            rest = memoryview(chunk)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
    with _translated("written"):
        os.fsync(descriptor)
    return size


def _read(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while True:
            with _translated("read"):
                chunk = file.read(_CHUNK_BYTES)
            if not chunk:
                return
            yield chunk


def _below(folder: Path, path: str, prefix: str) -> Iterator[StoredObject]:
    """Objects in a folder and the folders below it, whose keys begin with ``path``."""
    for name, entry in _entries(folder):
        key = path + name
        # A folder whose name ends where the prefix does not yet is on the way to it, or is not.
        if not (key.startswith(prefix) or prefix.startswith(key)):
            continue
        if name.endswith("/"):
            yield from _below(folder / name, key, prefix)
        elif is_valid_key(key):
            with _translated("read"), contextlib.suppress(FileNotFoundError):
                found = entry.stat()
                stored_at = datetime.fromtimestamp(found.st_mtime, UTC)
                yield StoredObject(key, found.st_size, stored_at)


def _entries(folder: Path) -> list[tuple[str, os.DirEntry[str]]]:
    """What one folder holds, sorted as keys are: a folder's name goes on with a stroke."""
    with _translated("read"), contextlib.suppress(*_NOT_THERE), os.scandir(folder) as entries:
        return sorted(
            (entry.name + "/" if entry.is_dir() else entry.name, entry)
            for entry in entries
            if not entry.name.startswith(".")
        )
    return []


def _synchronise(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sweep(incoming: Path) -> None:
    """Remove what uploads left behind whose process died; nothing else ever removes it."""
    oldest = time.time() - _ABANDONED_AFTER_S
    for path in incoming.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < oldest:
                path.unlink()
