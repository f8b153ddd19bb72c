"""The audit log in partitions by sequence number, on PostgreSQL; SQLite stays as it is.

Revision: 0005, after 0004. 2026-11-21.

The table that was there becomes the first partition: its rows stay where they are, and are read
once to see that they belong there. What no partition takes goes to a default one.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
works_from = "0003"

CHAIN_LOCK = 0x48696C756D_01
EVENTS = 10_000_000
COLUMNS = (
    "sequence, at, actor, action, object_type, object_id, request_id, details, previous_hash, hash"
)


def upgrade() -> None:
    """Go to this revision."""
    if op.get_bind().dialect.name != "postgresql":
        return
    # Who appends holds this until the commit: once it is ours, nobody is in the middle of it.
    op.execute(f"SELECT pg_advisory_xact_lock({CHAIN_LOCK})")
    op.execute("ALTER TABLE audit_events RENAME TO audit_events_from_0")
    op.execute(
        "ALTER TABLE audit_events_from_0 "
        "RENAME CONSTRAINT pk_audit_events TO pk_audit_events_from_0"
    )
    # It cannot hold over partitions, and nothing rests on it: docs/adr/0014.
    op.execute("ALTER TABLE audit_events_from_0 DROP CONSTRAINT uq_audit_events_hash")
    op.execute("""
        CREATE TABLE audit_events (
            LIKE audit_events_from_0 INCLUDING DEFAULTS,
            CONSTRAINT pk_audit_events PRIMARY KEY (sequence)
        ) PARTITION BY RANGE (sequence)
    """)
    _seal("audit_events")
    # A row's trigger, unlike a statement's, is given to every partition, also to one made by hand.
    op.execute("""
        CREATE TRIGGER refuse_audit_row_change BEFORE UPDATE OR DELETE ON audit_events
        FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()
    """)
    op.execute("""
        CREATE TABLE audit_events_default (
            LIKE audit_events INCLUDING DEFAULTS,
            CONSTRAINT pk_audit_events_default PRIMARY KEY (sequence)
        )
    """)
    _seal("audit_events_default")
    end = (_last_sequence("audit_events_from_0") // EVENTS + 1) * EVENTS
    op.execute(
        "ALTER TABLE audit_events ATTACH PARTITION audit_events_from_0 "
        f"FOR VALUES FROM (0) TO ({end})"
    )
    op.execute("ALTER TABLE audit_events ATTACH PARTITION audit_events_default DEFAULT")


def downgrade() -> None:
    """Go back to 0004: one table with the rows of all partitions."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute(f"SELECT pg_advisory_xact_lock({CHAIN_LOCK})")
    op.execute("ALTER TABLE audit_events DETACH PARTITION audit_events_from_0")
    op.execute(
        f"INSERT INTO audit_events_from_0 ({COLUMNS}) "  # noqa: S608 - constants
        f"SELECT {COLUMNS} FROM audit_events ORDER BY sequence"
    )
    op.execute("DROP TABLE audit_events")
    op.execute("ALTER TABLE audit_events_from_0 RENAME TO audit_events")
    op.execute(
        "ALTER TABLE audit_events RENAME CONSTRAINT pk_audit_events_from_0 TO pk_audit_events"
    )
    op.execute("ALTER TABLE audit_events ADD CONSTRAINT uq_audit_events_hash UNIQUE (hash)")


def _seal(table: str) -> None:
    op.execute(f"""
        CREATE TRIGGER refuse_audit_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()
    """)


def _last_sequence(table: str) -> int:
    query = sa.text(f"SELECT coalesce(max(sequence), 0) FROM {table}")  # noqa: S608 - a constant
    return int(op.get_bind().execute(query).scalar_one())
