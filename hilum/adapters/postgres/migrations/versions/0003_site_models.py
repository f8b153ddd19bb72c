"""Operating points and promotions of sites; films are found by their SOP Instance UID.

Revision: 0003, after 0002. 2026-11-21.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None
works_from = "0003"

TIME = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    """Go to this revision."""
    op.create_table(
        "operating_points",
        sa.Column("site", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("panel", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("threshold", sa.Double, nullable=False),
        sa.Column("sensitivity", sa.Double),
        sa.Column("specificity", sa.Double),
        sa.Column("fitted_on", sa.Text, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("set_by", sa.Text, nullable=False),
        sa.Column("set_at", TIME, nullable=False),
        sa.Column("evidence", DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint(
            "site", "model", "version", "panel", "label", name="pk_operating_points"
        ),
        sa.CheckConstraint(
            "origin IN ('shipped', 'fitted')", name=op.f("ck_operating_points_origin")
        ),
        sa.CheckConstraint(
            "threshold >= 0 AND threshold <= 1", name=op.f("ck_operating_points_threshold")
        ),
    )
    op.create_table(
        "model_promotions",
        sa.Column("site", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("promoted_by", sa.Text, nullable=False),
        sa.Column("promoted_at", TIME, nullable=False),
        sa.Column("rolled_back_by", sa.Text),
        sa.Column("rolled_back_at", TIME),
        sa.PrimaryKeyConstraint("site", "model", "number", name="pk_model_promotions"),
    )
    op.create_index("ix_instances_sop_instance_uid", "instances", ["sop_instance_uid"])
    op.create_index("ix_jobs_instance_id", "jobs", ["instance_id"])


def downgrade() -> None:
    """Go back to 0002."""
    op.drop_index("ix_jobs_instance_id", "jobs")
    op.drop_index("ix_instances_sop_instance_uid", "instances")
    op.drop_table("model_promotions")
    op.drop_table("operating_points")
