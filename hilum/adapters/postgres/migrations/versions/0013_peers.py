"""DICOM peers and their associations.

Revision: 0013, after 0012. 2026-12-01.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None
works_from = "0008"

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Go to this revision."""
    op.create_table(
        "peers",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("site", sa.Text, nullable=False),
        sa.Column("ae_title", sa.Text, nullable=False),
        sa.Column("host", sa.Text),
        sa.Column("port", sa.Integer),
        sa.Column("network", sa.Text),
        sa.Column("certificate_sha256", sa.Text),
        sa.Column("may_send", sa.Boolean, nullable=False),
        sa.Column("may_query", sa.Boolean, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_peers"),
        sa.UniqueConstraint("site", "ae_title", name="uq_peers_site"),
    )
    op.create_index("ix_peers_ae_title", "peers", ["ae_title"])
    op.create_table(
        "associations",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("began_at", TIME, nullable=False),
        sa.Column("ended_at", TIME),
        sa.Column("calling_ae", sa.Text, nullable=False),
        sa.Column("called_ae", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("site", sa.Text),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("stored", sa.Integer, nullable=False),
        sa.Column("refused", sa.Integer, nullable=False),
        sa.Column("failed", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_associations"),
        sa.CheckConstraint("outcome IN ('accepted', 'rejected', 'aborted')", name="outcome"),
    )
    op.create_index("ix_associations_began_at_id", "associations", ["began_at", "id"])


def downgrade() -> None:
    """Go back to 0012. Peers and associations are lost."""
    op.drop_table("associations")
    op.drop_table("peers")
