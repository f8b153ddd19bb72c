"""Look whether a restored platform is what its backup was of."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hilum.application.backup.pairing import paired
from hilum.application.backup.threads import in_turn
from hilum.application.backup.verify_backup import require_content
from hilum.domain.audit import GENESIS, first_broken_link
from hilum.domain.backup import AuditHead, Presence
from hilum.domain.errors import BackupDamaged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hilum.application.backup.backup_store import BackupStore
    from hilum.application.backup.pairing import Pair
    from hilum.application.ports.database_copy import DatabaseCopy, FilmObject
    from hilum.application.ports.object_store import ObjectStore, StoredObject
    from hilum.application.ports.unit_of_work import UnitOfWork
    from hilum.domain.audit import AuditRecord
    from hilum.domain.backup import BackedUpObject, BackupManifest

    _Row = Pair[Pair[FilmObject, StoredObject], BackedUpObject]

_PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found.

    Attributes:
        rows: Of all tables together.
        counted: Whether the manifest says how many there must be.
        films: Rows whose object is there, with its size, and with ``deep`` its content.
        expired: Rows whose film was deleted, its time being up, while the backup was made.
        missing: Rows whose film was missing already, and in no backup, when this one was made.
        audit_events: In a chain without a break.
        audit_head: Its last event; None for an empty log.
        head_compared: Whether the manifest says which one must be the last.
        schema: Revision of the schema.
    """

    rows: int
    counted: bool
    films: int
    expired: int
    missing: int
    audit_events: int
    audit_head: AuditHead | None
    head_compared: bool
    schema: str | None


class CheckRestored:
    """Compares a platform with the backup that it was restored from."""

    def __init__(
        self,
        *,
        backups: BackupStore,
        objects: ObjectStore,
        database: DatabaseCopy,
        unit_of_work: UnitOfWork,
        threads: int = 8,
    ) -> None:
        self._backups = backups
        self._objects = objects
        self._database = database
        self._unit_of_work = unit_of_work
        self._threads = threads

    def __call__(self, manifest: BackupManifest, *, deep: bool = False) -> Checked:
        """Compare, before anything is written to the platform.

        Raises:
            BackupDamaged: Rows, the audit log or films are not what the backup was of.
            DatabaseUnavailable: The database does not answer.
            ObjectStoreUnavailable: One of the stores does not answer.
        """
        expected = manifest.database
        facts = self._database.facts()
        if expected.rows is not None and facts.rows != expected.rows:
            raise BackupDamaged(f"the tables hold {_differences(facts.rows, expected.rows)}")
        chain = _Chain(self._unit_of_work)
        broken = first_broken_link(chain.records())
        if broken is not None:
            raise BackupDamaged(f"the restored audit log is broken at event {broken}")
        if expected.audit is not None and chain.head != expected.audit:
            raise BackupDamaged(
                f"the restored audit log ends in {_told(chain.head)}, "
                f"the backup's in {_told(expected.audit)}"
            )
        films = self._films(manifest, deep=deep)
        return Checked(
            rows=sum((facts.rows or {}).values()),
            counted=expected.rows is not None,
            films=films[Presence.PRESENT],
            expired=films[Presence.VANISHED],
            missing=films[Presence.MISSING],
            audit_events=chain.count,
            audit_head=chain.head,
            head_compared=expected.audit is not None,
            schema=facts.schema,
        )

    def _films(self, manifest: BackupManifest, *, deep: bool) -> Counter[Presence | None]:
        rows = paired(
            paired(self._database.films(), self._objects.list()), self._backups.objects(manifest)
        )
        return Counter(in_turn(self._read if deep else _check, rows, self._threads))

    def _read(self, found: _Row) -> Presence | None:
        there = _check(found)
        if there is Presence.PRESENT and found.left is not None and found.left.left is not None:
            require_content(self._objects, found.key, found.left.left.sha256)
        return there


def _check(found: _Row) -> Presence | None:
    """How a row's film stands; None for an object without a row."""
    row = found.left.left if found.left else None
    present = found.left.right if found.left else None
    listed = found.right
    if row is None:
        return None
    if present is None and listed is not None and not listed.mirrored:
        return listed.presence
    if present is None:
        raise BackupDamaged(f"a row names {found.key}, and the object store does not hold it")
    if present.size_bytes != row.size_bytes:
        raise BackupDamaged(
            f"the object store holds {present.size_bytes} bytes of {found.key}, "
            f"its row says {row.size_bytes}"
        )
    if listed is not None and listed.sha256 and listed.sha256 != row.sha256:
        raise BackupDamaged(f"the backup holds other bytes of {found.key} than its row says")
    return Presence.PRESENT


class _Chain:
    """Reads the audit log page by page; remembers how far it came."""

    def __init__(self, unit_of_work: UnitOfWork) -> None:
        self._unit_of_work = unit_of_work
        self.count = 0
        self.head: AuditHead | None = None

    def records(self) -> Iterator[AuditRecord]:
        while True:
            with self._unit_of_work.begin(write=False) as transaction:
                page = transaction.audit.records(self.head.sequence if self.head else 0, _PAGE)
            if not page:
                return
            for record in page:
                yield record
                self.count += 1
                self.head = AuditHead(record.sequence, record.hash)


def _told(head: AuditHead | None) -> str:
    return f"event {head.sequence}, {head.hash}" if head else f"nothing, {GENESIS}"


def _differences(found: object, expected: object) -> str:
    a = dict(found) if isinstance(found, dict) else {}
    b = dict(expected) if isinstance(expected, dict) else {}
    names = sorted(name for name in {*a, *b} if a.get(name) != b.get(name))
    return ", ".join(f"{a.get(name, 0)} {name} (the backup: {b.get(name, 0)})" for name in names)
