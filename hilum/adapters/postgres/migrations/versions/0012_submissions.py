"""Sites, submissions with an item for each file, DICOM studies and series, and headers.

Revision: 0012, after 0011. 2026-11-30.

A release before this one writes only ``studies``. `hilum maintain submissions` writes the rows that
belong to them, in batches, while gateways and workers run.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None
works_from = "0008"

TIME = sa.DateTime(timezone=True)
KINDS = "principal_kind IN ('user', 'api_key', 'ae_title', 'system')"
PRIORITIES = "priority IN ('stat', 'routine', 'batch')"
OUTCOMES = "outcome IN ('new', 'known', 'restored', 'requeued', 'refused')"
WIDER: dict[str, dict[str, Any]] = {
    "instances": {
        "content_sha256": sa.Text(),
        "transfer_syntax_uid": sa.Text(),
        "sop_class_uid": sa.Text(),
        "presentation_intent": sa.Text(),
        "view_position": sa.Text(),
        "patient_orientation": sa.Text(),
        "acquired_at": TIME,
        "role": sa.Text(),
        "series_id": sa.Uuid(),
    },
    "jobs": {"reader_version": sa.Integer(), "replaces_job_id": sa.Uuid(), "request_id": sa.Text()},
    "operations": {"request_id": sa.Text()},
}


def upgrade() -> None:
    """Go to this revision."""
    op.create_table(
        "sites",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("weight", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sites"),
        sa.CheckConstraint("weight > 0", name=op.f("ck_sites_weight")),
    )
    op.create_table(
        "submissions",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("site", sa.Text, nullable=False),
        sa.Column("principal_kind", sa.Text, nullable=False),
        sa.Column("principal_id", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("patient_ref", sa.Text),
        sa.Column("priority", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("traceparent", sa.Text),
        sa.Column("calling_ae", sa.Text),
        sa.Column("received_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_submissions"),
        sa.CheckConstraint(KINDS, name=op.f("ck_submissions_principal_kind")),
        sa.CheckConstraint(PRIORITIES, name=op.f("ck_submissions_priority")),
    )
    op.create_table(
        "submission_items",
        sa.Column("submission_id", sa.Uuid, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("filename", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("job_id", sa.Uuid),
        sa.Column("reason_code", sa.Text),
        sa.Column("reason_detail", sa.Text),
        sa.PrimaryKeyConstraint("submission_id", "position", name="pk_submission_items"),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submissions.id"], name="fk_submission_items_submission_id"
        ),
        sa.CheckConstraint(OUTCOMES, name=op.f("ck_submission_items_outcome")),
    )
    op.create_table(
        "imaging_studies",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("site", sa.Text, nullable=False),
        sa.Column("study_instance_uid", sa.Text, nullable=False),
        sa.Column("accession_number", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_imaging_studies"),
        sa.UniqueConstraint("site", "study_instance_uid", name="uq_imaging_studies_site"),
    )
    op.create_table(
        "imaging_series",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("imaging_study_id", sa.Uuid, nullable=False),
        sa.Column("series_instance_uid", sa.Text, nullable=False),
        sa.Column("modality", sa.Text),
        sa.Column("body_part", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_imaging_series"),
        sa.ForeignKeyConstraint(
            ["imaging_study_id"], ["imaging_studies.id"], name="fk_imaging_series_imaging_study_id"
        ),
        sa.UniqueConstraint(
            "imaging_study_id", "series_instance_uid", name="uq_imaging_series_imaging_study_id"
        ),
    )
    for table, columns in WIDER.items():
        for name, kind in columns.items():
            op.add_column(table, sa.Column(name, kind))


def downgrade() -> None:
    """Go back to 0011. What only this release writes is lost."""
    for table, columns in WIDER.items():
        for name in columns:
            op.drop_column(table, name)
    for table in ("imaging_series", "imaging_studies", "submission_items", "submissions", "sites"):
        op.drop_table(table)
