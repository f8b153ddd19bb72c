"""The database as a whole: dumped into bytes, and loaded from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from contextlib import AbstractContextManager

    from hilum.domain.backup import DatabaseFacts


@dataclass(frozen=True, slots=True)
class Dump:
    """A dump, and what the database held in the very moment that it shows.

    Attributes:
        facts: Of that moment.
        chunks: The dump, read once.
    """

    facts: DatabaseFacts
    chunks: Iterable[bytes]


@dataclass(frozen=True, slots=True)
class FilmObject:
    """The object that a row names: its key, and its size and hex SHA-256 as they were stored."""

    key: str
    size_bytes: int
    sha256: str


class DatabaseCopy(Protocol):
    """Copies a database out and in. Films may be taken in and read while it is copied out.

    Every method raises:
        DatabaseUnavailable: The database does not answer.
        DatabaseCopyFailed: The program that dumps or loads is missing, or failed.
    """

    def dump(self) -> AbstractContextManager[Dump]:
        """A dump of one moment. What is left of it is dropped when the block ends.

        The chunks raise DatabaseCopyFailed if the dump breaks off.
        """
        ...

    def facts(self) -> DatabaseFacts:
        """What the database holds now."""
        ...

    def require_loadable(self) -> None:
        """Return if :meth:`load` could work here: its program is installed."""
        ...

    def holds_films(self) -> bool:
        """Whether a film was ever accepted. Keys and promotions that a start made do not count."""
        ...

    def sessions(self) -> int:
        """How many other sessions have the database open, as far as it can tell."""
        ...

    def clear(self) -> None:
        """Remove all tables and what belongs to them, in one transaction."""
        ...

    def load(self, chunks: Iterable[bytes]) -> None:
        """Load a dump into the empty database, whole or not at all.

        What the chunks raise is passed on; nothing is loaded then.
        """
        ...

    def films(self) -> Iterator[FilmObject]:
        """The objects that rows name and that should be there, in the order of their keys' bytes.

        Of the moment when the first is asked for, and read as it is walked, so it fits in memory
        whatever the database holds.
        """
        ...

    def named(self, keys: Collection[str]) -> set[str]:
        """Those of these keys that :meth:`films` would give now."""
        ...
