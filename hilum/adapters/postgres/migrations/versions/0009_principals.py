"""People, grants and sessions, and who acted in the audit log.

Revision: 0009, after 0008. 2026-11-30.

A release before this one writes audit events of format 1, which is the default, and signs its
sessions instead of storing them. A key whose role it does not know it takes for a viewer's.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None
works_from = "0006"

TIME = sa.DateTime(timezone=True)
KINDS = "principal_kind IN ('user', 'api_key', 'ae_title', 'system')"
ROLES = "role IN ('viewer', 'reader', 'submitter', 'operator', 'auditor', 'admin')"


def upgrade() -> None:
    """Go to this revision."""
    op.create_table(
        "users",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("issuer", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("revoked_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("issuer", "subject", name="uq_users_issuer"),
    )
    op.create_table(
        "role_grants",
        sa.Column("principal_kind", sa.Text, nullable=False),
        sa.Column("principal_id", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("site", sa.Text, nullable=False),
        sa.Column("granted_by", sa.Text, nullable=False),
        sa.Column("granted_at", TIME, nullable=False),
        sa.Column("revoked_at", TIME),
        sa.PrimaryKeyConstraint(
            "principal_kind", "principal_id", "role", "site", name="pk_role_grants"
        ),
        sa.CheckConstraint(KINDS, name=op.f("ck_role_grants_principal_kind")),
        sa.CheckConstraint(ROLES, name=op.f("ck_role_grants_role")),
    )
    op.create_table(
        "sessions",
        sa.Column("id_digest", sa.Text, nullable=False),
        sa.Column("principal_kind", sa.Text, nullable=False),
        sa.Column("principal_id", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("revoked_at", TIME),
        sa.PrimaryKeyConstraint("id_digest", name="pk_sessions"),
        sa.CheckConstraint(KINDS, name=op.f("ck_sessions_principal_kind")),
    )
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.add_column("audit_events", sa.Column("principal_kind", sa.Text))
    op.add_column(
        "audit_events",
        sa.Column("format", sa.SmallInteger, nullable=False, server_default=sa.text("1")),
    )


def downgrade() -> None:
    """Go back to 0008. People, their grants and sessions go, and who acted is told by id alone."""
    op.drop_column("audit_events", "format")
    op.drop_column("audit_events", "principal_kind")
    op.drop_table("sessions")
    op.drop_table("role_grants")
    op.drop_table("users")
