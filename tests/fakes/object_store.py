"""An object store in memory."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hilum.adapters.object_store.keys import require_valid_key
from hilum.application.ports.object_store import StoredObject
from hilum.domain.errors import ObjectMissing, ObjectStoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_CHUNK_BYTES = 64 * 1024


class InMemoryObjectStore:
    """Fake of :class:`hilum.application.ports.object_store.ObjectStore`.

    Attributes:
        available: Set it to False to make the store unavailable, also in the middle of an upload.
        objects: What is stored.
        media_types: The media type that each object came with.
        stored_at: When each was stored.
    """

    def __init__(self) -> None:
        self.available = True
        self.objects: dict[str, bytes] = {}
        self.media_types: dict[str, str] = {}
        self.stored_at: dict[str, datetime] = {}

    def put(self, key: str, chunks: Iterable[bytes], *, media_type: str) -> int:
        require_valid_key(key)
        self.check()
        data = b"".join(chunks)
        self.check()
        self.objects[key] = data
        self.media_types[key] = media_type
        self.stored_at[key] = datetime.now(UTC)
        return len(data)

    def get(self, key: str) -> bytes:
        require_valid_key(key)
        self.check()
        try:
            return self.objects[key]
        except KeyError:
            raise ObjectMissing(f"the store holds no object {key}") from None

    def stream(self, key: str) -> Iterator[bytes]:
        data = self.get(key)
        return (data[at : at + _CHUNK_BYTES] for at in range(0, len(data), _CHUNK_BYTES))

    def delete(self, key: str) -> None:
        require_valid_key(key)
        self.check()
        self.objects.pop(key, None)
        self.media_types.pop(key, None)

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        self.check()
        for key, data in sorted(self.objects.copy().items()):
            self.check()
            if key.startswith(prefix):
                stored_at = self.stored_at.get(key) or datetime.now(UTC)
                yield StoredObject(key, len(data), stored_at)

    def check(self) -> None:
        if not self.available:
            raise ObjectStoreUnavailable("the object store does not answer: it was told not to")
