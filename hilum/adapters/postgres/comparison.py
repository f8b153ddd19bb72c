"""What of a database Alembic holds against ``tables``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilum.adapters.postgres.audit_partitions import PREFIX

_OF_SQLITE = frozenset({"uq_audit_events_hash", "ix_instances_study_id", "ix_jobs_study_id"})

if TYPE_CHECKING:
    from sqlalchemy.schema import SchemaItem


def compared(
    thing: SchemaItem,
    name: str | None,
    kind: str,
    reflected: bool,  # noqa: FBT001 - Alembic's order
    compare_to: SchemaItem | None,
) -> bool:
    """Whether it belongs to the comparison; for Alembic's ``include_object``.

    The partitions of the audit log are made as it grows, and some things are on SQLite alone.
    """
    del thing, reflected, compare_to
    if kind == "table":
        return not (name or "").startswith(PREFIX)
    return name not in _OF_SQLITE
