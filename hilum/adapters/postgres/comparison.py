"""What of a database Alembic holds against ``tables``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from hilum.adapters.postgres.audit_partitions import PREFIX

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

    The partitions of the audit log are made as it grows, and its hash is unique on SQLite alone.
    """
    del reflected, compare_to
    if kind == "table":
        return not (name or "").startswith(PREFIX)
    return not (isinstance(thing, sa.UniqueConstraint) and name == "uq_audit_events_hash")
