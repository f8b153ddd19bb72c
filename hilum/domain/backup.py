"""What a backup is: a manifest that says what the dump and the objects beside it must be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from hilum.domain.errors import BackupDamaged

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT: Final = 2
"""Of the manifest. A release reads its own and every older one.

Only a backup with films that are missing is written as 2: every other one is readable by the
releases before, so that a site can go back to one of them.
"""

_WITHOUT_MISSING: Final = 1

_NAME: Final = "%Y%m%dt%H%M%Sz"


@dataclass(frozen=True, slots=True)
class AuditHead:
    """The last event of the audit log: its number, and its hash, which stands for all before."""

    sequence: int
    hash: str


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """What a database holds, read in the same moment as its dump.

    Attributes:
        kind: ``postgresql`` or ``sqlite``: a dump of one cannot be loaded into the other.
        schema: Revision of the schema, or None where nobody looked.
        rows: Number of rows of each table, or None where nobody counted.
        audit: Head of the audit log, or None where it was empty or nobody looked.
    """

    kind: str
    schema: str | None = None
    rows: Mapping[str, int] | None = None
    audit: AuditHead | None = None


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of a backup: how many parts it was cut into, its bytes, and their hex SHA-256."""

    parts: int
    size_bytes: int
    sha256: str


class Presence(StrEnum):
    """How an object of a backup stood in the platform's store.

    ``present``: there, and mirrored. ``deleted``: gone since the last backup, which had mirrored
    it; the dump may be older than the deletion and name it. ``vanished``: deleted between the
    moment when it was listed and the one when it should have been copied. ``missing``: a film that
    is not expired has it, and it is not there, or not as it was stored.
    """

    PRESENT = "present"
    DELETED = "deleted"
    VANISHED = "vanished"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class BackedUpObject:
    """One object of a backup.

    Attributes:
        key: In the platform's store.
        size_bytes: Of its content.
        sha256: Hex digest of what was copied; empty for one that no backup holds.
        presence: See :class:`Presence`.
    """

    key: str
    size_bytes: int
    sha256: str
    presence: Presence = Presence.PRESENT

    @property
    def mirrored(self) -> bool:
        """Whether the backup holds it."""
        return bool(self.sha256)


@dataclass(frozen=True, slots=True)
class BackupManifest:
    """A complete backup; written last, so that what has none is no backup.

    Attributes:
        name: The moment when it was begun, UTC, as :func:`backup_name` writes it.
        made_at: The same moment, UTC.
        hilum_version: The release that made it.
        database: What the dump holds.
        dump: The dump.
        object_list: The list of its objects.
        objects: How many objects are mirrored for it.
        object_bytes: Their bytes.
        missing: How many films had rows and not their objects when it was made, expired films left
            aside; None where nobody looked (releases before format 2).
        lost: Of these, how many no backup holds.
    """

    name: str
    made_at: datetime
    hilum_version: str
    database: DatabaseFacts
    dump: StoredFile
    object_list: StoredFile
    objects: int
    object_bytes: int
    missing: int | None = None
    lost: int = 0


def backup_name(moment: datetime) -> str:
    """The name of a backup that was begun then: names sort as their moments do."""
    return moment.strftime(_NAME)


def manifest_document(manifest: BackupManifest) -> dict[str, Any]:
    """A manifest as JSON."""
    database = manifest.database
    return {
        "format": FORMAT if manifest.missing else _WITHOUT_MISSING,
        "name": manifest.name,
        "made_at": manifest.made_at.isoformat(),
        "hilum_version": manifest.hilum_version,
        "database": {
            "kind": database.kind,
            "schema": database.schema,
            "rows": None if database.rows is None else dict(database.rows),
            "audit": None if database.audit is None else _head(database.audit),
        },
        "dump": _file(manifest.dump),
        "object_list": _file(manifest.object_list),
        "objects": manifest.objects,
        "object_bytes": manifest.object_bytes,
        "missing": manifest.missing,
        "lost": manifest.lost,
    }


def read_manifest(document: Mapping[str, Any]) -> BackupManifest:
    """The manifest that a document holds.

    Raises:
        BackupDamaged: It holds none, or one of a newer release.
    """
    if not isinstance(document, dict) or not isinstance(document.get("format"), int):
        raise BackupDamaged("the manifest of the backup cannot be read")
    if document["format"] > FORMAT:
        raise BackupDamaged(
            f"the backup has format {document['format']}, this release reads up to {FORMAT}: "
            "restore it with the release that made it"
        )
    try:
        return BackupManifest(
            name=str(document["name"]),
            made_at=datetime.fromisoformat(document["made_at"]),
            hilum_version=str(document["hilum_version"]),
            database=read_facts(document["database"]),
            dump=_read_file(document["dump"]),
            object_list=_read_file(document["object_list"]),
            objects=int(document["objects"]),
            object_bytes=int(document["object_bytes"]),
            missing=None if document.get("missing") is None else int(document["missing"]),
            lost=int(document.get("lost", 0)),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BackupDamaged("the manifest of the backup cannot be read") from error


def read_facts(document: Mapping[str, Any]) -> DatabaseFacts:
    """The facts that a document holds.

    Raises:
        KeyError: Something is missing.
        TypeError: Something has another shape.
        ValueError: Something is no number.
    """
    rows, audit = document["rows"], document["audit"]
    return DatabaseFacts(
        kind=str(document["kind"]),
        schema=document["schema"],
        rows=None if rows is None else {str(name): int(n) for name, n in rows.items()},
        audit=None if audit is None else AuditHead(int(audit["sequence"]), str(audit["hash"])),
    )


def _head(head: AuditHead) -> dict[str, Any]:
    return {"sequence": head.sequence, "hash": head.hash}


def _file(file: StoredFile) -> dict[str, Any]:
    return {"parts": file.parts, "size_bytes": file.size_bytes, "sha256": file.sha256}


def _read_file(document: Mapping[str, Any]) -> StoredFile:
    return StoredFile(int(document["parts"]), int(document["size_bytes"]), str(document["sha256"]))
