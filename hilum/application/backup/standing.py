"""How one object stands while a backup is made: what rows, stores and the last backup say of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from hilum.application.backup.pairing import paired
from hilum.domain.backup import BackedUpObject, Presence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hilum.application.backup.pairing import Pair
    from hilum.application.ports.database_copy import FilmObject
    from hilum.application.ports.object_store import StoredObject

    _Found = Pair[Pair[Pair[FilmObject, StoredObject], StoredObject], BackedUpObject]


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of one object.

    Attributes:
        key: In the platform's store.
        row: The film that has it, of the moment before the listing; None for no film, and for an
            expired one.
        source: In the platform's store; None where it is not there.
        mirrored: In the mirror.
        before: In the last backup.
    """

    key: str
    row: FilmObject | None
    source: StoredObject | None
    mirrored: StoredObject | None
    before: BackedUpObject | None

    @classmethod
    def each(
        cls,
        rows: Iterable[FilmObject],
        sources: Iterable[StoredObject],
        mirrored: Iterable[StoredObject],
        before: Iterable[BackedUpObject],
    ) -> Iterator[Self]:
        """Every object that one of these names, in the order of the keys.

        Each is walked once. The rows are asked first: a film's bytes are stored before its rows,
        so a listing that begins after them has the object of every row.
        """
        for found in paired(paired(paired(rows, sources), mirrored), before):
            yield cls._of(found)

    @classmethod
    def _of(cls, found: _Found) -> Self:
        stores = found.left
        films = stores.left if stores else None
        return cls(
            found.key,
            films.left if films else None,
            films.right if films else None,
            stores.right if stores else None,
            found.right,
        )

    @property
    def kept(self) -> BackedUpObject | None:
        """What the last backup says of it, if the mirror still holds just that."""
        one = self.before
        if one is None or not one.mirrored or self.mirrored is None:
            return None
        if self.mirrored.size_bytes != one.size_bytes:
            return None
        if self.row is not None and self.row.sha256 != one.sha256:
            return None  # copied when it was damaged already
        return one

    @property
    def sound(self) -> bool:
        """Whether the platform's store has it, with the size that its row knows."""
        if self.source is None:
            return False
        return self.row is None or self.row.size_bytes == self.source.size_bytes

    def absent(self) -> BackedUpObject | None:
        """The entry of an object that is not there; None for one that nobody needs any more.

        A film's stays listed as long as the film has it, with what the mirror holds of it: else
        its last copy would go with the last backup that lists it.
        """
        if self.row is not None:
            sha256 = self.row.sha256 if self._held(self.row) else ""
            return BackedUpObject(self.key, self.row.size_bytes, sha256, Presence.MISSING)
        kept = self.kept
        if kept is None or kept.presence not in {Presence.PRESENT, Presence.MISSING}:
            return None
        return replace(kept, presence=Presence.DELETED)

    def _held(self, row: FilmObject) -> bool:
        """Whether the mirror has the film; also of a backup that did not list it any more."""
        if self.mirrored is None or self.mirrored.size_bytes != row.size_bytes:
            return False
        return self.before is None or self.before.sha256 == row.sha256
