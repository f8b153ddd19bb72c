"""The list of a backup's objects: one line each, in the order of their keys, compressed."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from hilum.domain.backup import BackedUpObject, Presence
from hilum.domain.errors import BackupDamaged

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_GZIP: Final = 16 + zlib.MAX_WBITS
_BATCH: Final = 1000


def written(objects: Iterable[BackedUpObject]) -> Iterator[bytes]:
    """The bytes of a list: gzip of ``key TAB size TAB sha256 TAB presence`` lines."""
    packer = zlib.compressobj(wbits=_GZIP)
    lines: list[str] = []
    for item in objects:
        lines.append(f"{item.key}\t{item.size_bytes}\t{item.sha256}\t{item.presence.value}\n")
        if len(lines) == _BATCH:
            yield packer.compress("".join(lines).encode())
            lines.clear()
    yield packer.compress("".join(lines).encode())
    yield packer.flush()


def read(chunks: Iterable[bytes]) -> Iterator[BackedUpObject]:
    """The objects of a list, from its bytes.

    Raises:
        BackupDamaged: They are no such list.
    """
    unpacker = zlib.decompressobj(wbits=_GZIP)
    rest = b""
    try:
        for chunk in chunks:
            *lines, rest = (rest + unpacker.decompress(chunk)).split(b"\n")
            for line in lines:
                yield _object(line)
    except zlib.error as error:
        raise BackupDamaged("the list of the backup's objects cannot be read") from error
    if rest or not unpacker.eof:
        raise BackupDamaged("the list of the backup's objects is cut short")


def _object(line: bytes) -> BackedUpObject:
    try:
        key, size, sha256, presence = line.decode("ascii").split("\t")
        return BackedUpObject(key, int(size), sha256, Presence(presence))
    except ValueError as error:
        raise BackupDamaged("the list of the backup's objects cannot be read") from error
