"""Where bytes are kept: films as they came, and previews."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as a listing names it.

    Attributes:
        key: Its key.
        size_bytes: Its size.
        stored_at: When it was stored, by the store's clock; UTC.
    """

    key: str
    size_bytes: int
    stored_at: datetime


class ObjectStore(Protocol):
    """A flat map from keys to bytes. Keys are relative paths of ``[a-z0-9/._-]``.

    Every method raises:
        ObjectStoreUnavailable: The store does not answer.
    """

    def put(self, key: str, chunks: Iterable[bytes], *, media_type: str) -> int:
        """Store an object; it becomes visible whole or not at all.

        An exception that ``chunks`` raises is passed on and leaves nothing behind.

        Returns:
            The size in bytes.
        """
        ...

    def get(self, key: str) -> bytes:
        """The whole object.

        Raises:
            ObjectMissing: No such key.
        """
        ...

    def stream(self, key: str) -> Iterator[bytes]:
        """The object in chunks.

        Raises:
            ObjectMissing: No such key; raised by the call, before the first chunk.
        """
        ...

    def delete(self, key: str) -> None:
        """Remove an object; a missing one is no error."""
        ...

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        """Every object whose key begins with a prefix, in the order of the keys' bytes.

        The listing is read as it is walked, so it fits in memory whatever the store holds. An
        object that is stored or deleted meanwhile may or may not be in it; every other one is.
        """
        ...

    def check(self) -> None:
        """Return if the store can take objects now."""
        ...
