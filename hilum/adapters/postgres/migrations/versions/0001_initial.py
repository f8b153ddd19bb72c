"""Studies, instances, jobs, results, heatmaps, API keys and the audit log.

Revision: 0001, the first. 2026-11-21.

A step spells out its tables and values as they were on its day; it never imports ``tables``.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None
works_from = "0001"

TIME = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")
PRIORITIES = "priority IN ('stat', 'routine', 'batch')"
STATES = (
    "state IN ('received', 'queued', 'running', 'completed', 'rejected', 'failed', 'discarded')"
)
ROLES = "role IN ('viewer', 'submitter', 'operator', 'admin')"


def upgrade() -> None:
    """Go to this revision."""
    _create_studies()
    _create_jobs()
    _index_jobs()
    _create_results()
    _create_api_keys()
    _create_audit_events()
    if op.get_bind().dialect.name == "postgresql":
        _seal_audit_events_on_postgresql()
    else:
        _seal_audit_events_on_sqlite()


def downgrade() -> None:
    """Go back to an empty database."""
    for table in (
        "audit_events",
        "api_keys",
        "heatmaps",
        "results",
        "jobs",
        "instances",
        "studies",
    ):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_audit_change()")


def _create_studies() -> None:
    op.create_table(
        "studies",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("site", sa.Text, nullable=False),
        sa.Column("patient_ref", sa.Text),
        sa.Column("priority", sa.Text, nullable=False),
        sa.Column("submitted_by", sa.Text, nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_studies"),
        sa.CheckConstraint(PRIORITIES, name=op.f("ck_studies_priority")),
    )
    op.create_table(
        "instances",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("study_id", sa.Uuid, nullable=False),
        sa.Column("filename", sa.Text, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("sop_instance_uid", sa.Text),
        sa.Column("object_key", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_instances"),
        _deferred("instances", "study_id", "studies.id"),
    )


def _create_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("study_id", sa.Uuid, nullable=False),
        sa.Column("instance_id", sa.Uuid, nullable=False),
        sa.Column("site", sa.Text, nullable=False),
        sa.Column("filename", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("priority", sa.Text, nullable=False),
        sa.Column("model_set", sa.Text, nullable=False),
        sa.Column("idempotency_key", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("losses", sa.Integer, nullable=False),
        sa.Column("reason_code", sa.Text),
        sa.Column("reason_detail", sa.Text),
        sa.Column("timings_ms", DOCUMENT, nullable=False),
        sa.Column("lease_owner", sa.Text),
        sa.Column("lease_expires_at", TIME),
        sa.Column("not_before", TIME),
        sa.Column("rung_at", TIME),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("started_at", TIME),
        sa.Column("finished_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        sa.UniqueConstraint("idempotency_key", name="uq_jobs_idempotency_key"),
        sa.CheckConstraint(STATES, name=op.f("ck_jobs_state")),
        sa.CheckConstraint(PRIORITIES, name=op.f("ck_jobs_priority")),
        _deferred("jobs", "study_id", "studies.id"),
        _deferred("jobs", "instance_id", "instances.id"),
    )


def _index_jobs() -> None:
    for columns in (
        ["site", "created_at", "id"],
        ["created_at", "id"],
        ["state", "created_at", "id"],
        ["updated_at", "id"],
    ):
        op.create_index(f"ix_jobs_{'_'.join(columns)}", "jobs", columns)
    for name, columns, predicate in (
        ("ix_jobs_queued", ["priority", "created_at", "id"], "state = 'queued'"),
        ("ix_jobs_running", ["lease_expires_at"], "state = 'running'"),
    ):
        where = sa.text(predicate)
        op.create_index(name, "jobs", columns, postgresql_where=where, sqlite_where=where)


def _create_results() -> None:
    op.create_table(
        "results",
        sa.Column("job_id", sa.Uuid, nullable=False),
        sa.Column("model_set", sa.Text, nullable=False),
        sa.Column("panels", DOCUMENT, nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("columns", sa.Integer, nullable=False),
        sa.Column("inverted", sa.Boolean, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("job_id", name="pk_results"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_results_job_id"),
    )
    op.create_table(
        "heatmaps",
        sa.Column("job_id", sa.Uuid, nullable=False),
        sa.Column("panel", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("columns", sa.Integer, nullable=False),
        sa.Column("values", sa.LargeBinary, nullable=False),
        sa.Column("scale", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("job_id", "panel", "label", name="pk_heatmaps"),
        sa.ForeignKeyConstraint(["job_id"], ["results.job_id"], name="fk_heatmaps_job_id"),
    )


def _create_api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("site", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("revoked_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.CheckConstraint(ROLES, name=op.f("ck_api_keys_role")),
    )


def _create_audit_events() -> None:
    op.create_table(
        "audit_events",
        sa.Column("sequence", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("object_type", sa.Text, nullable=False),
        sa.Column("object_id", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("details", sa.Text, nullable=False),
        sa.Column("previous_hash", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_audit_events"),
        sa.UniqueConstraint("hash", name="uq_audit_events_hash"),
    )


def _seal_audit_events_on_postgresql() -> None:
    op.execute("""
        CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'audit_events is append-only: % refused', TG_OP
                USING ERRCODE = 'restrict_violation';
        END
        $$
    """)
    # Per statement: also refused when no row matches, and TRUNCATE has no rows to fire for.
    op.execute("""
        CREATE TRIGGER refuse_audit_change
        BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()
    """)


def _seal_audit_events_on_sqlite() -> None:
    for change in ("UPDATE", "DELETE"):
        op.execute(f"""
            CREATE TRIGGER refuse_audit_{change.lower()} BEFORE {change} ON audit_events
            BEGIN
                SELECT RAISE(ABORT, 'audit_events is append-only: {change} refused');
            END
        """)
    # INSERT OR REPLACE deletes a row without firing the trigger for DELETE.
    op.execute("""
        CREATE TRIGGER refuse_audit_replace BEFORE INSERT ON audit_events
        WHEN EXISTS (SELECT 1 FROM audit_events WHERE sequence = NEW.sequence)
        BEGIN
            SELECT RAISE(ABORT, 'audit_events is append-only: REPLACE refused');
        END
    """)


def _deferred(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    """A foreign key that is checked at the commit."""
    return sa.ForeignKeyConstraint(
        [column],
        [target],
        name=f"fk_{table}_{column}",
        deferrable=True,
        initially="DEFERRED",
    )
