"""The tables, as this release reads and writes them; ``migrations/`` is how a database gets there.

The foreign keys between jobs, instances and studies are deferred to the commit: a submission
inserts its jobs first, learns which of them are new, and then adds only the instances (and the
study, if any) that belong to new jobs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from hilum.adapters.postgres.access_tables import access_tables
from hilum.adapters.postgres.column_types import Document, UtcTime
from hilum.adapters.postgres.pacs_tables import pacs_tables
from hilum.adapters.postgres.submission_tables import instance_columns, submission_tables
from hilum.adapters.postgres.work_tables import work_tables
from hilum.domain.job import ANALYSIS, ENDED, JobState
from hilum.domain.site_models import Origin
from hilum.domain.work import Priority, WorkEvent

if TYPE_CHECKING:
    from collections.abc import Iterable
    from enum import StrEnum

METADATA: Final = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def _one_of(column: str, values: Iterable[StrEnum]) -> sa.CheckConstraint:
    """CHECK that a text column holds a value of an enumeration."""
    listed = ", ".join(f"'{value.value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=column)


def _where(event: WorkEvent) -> sa.TextClause:
    """The predicate of a partial index over the items to which an event of a slot may happen."""
    return sa.text(f"state = '{ANALYSIS.source(event).value}'")


# Literals: SQLite takes a partial index only where it can see the values.
_ENDED: Final = ", ".join(f"'{state.value}'" for state in sorted(ENDED))

ENDED_JOBS: Final = sa.text(f"jobs.state IN ({_ENDED})")
"""The jobs to which nothing happens any more, whoever acts."""

_UNTAGGED: Final = sa.text("state = 'queued' AND fair_tag = 0")
_WITH_FILM: Final = sa.text(f"state IN ({_ENDED}) AND film_expired_at IS NULL")

# Submissions that brought new images: the parents of instances and jobs.
STUDIES: Final = sa.Table(
    "studies",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("site", sa.Text, nullable=False),
    sa.Column("patient_ref", sa.Text),
    sa.Column("priority", sa.Text, nullable=False),
    sa.Column("submitted_by", sa.Text, nullable=False),
    sa.Column("received_at", UtcTime, nullable=False),
    _one_of("priority", Priority),
)

INSTANCES: Final = sa.Table(
    "instances",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column(
        "study_id",
        sa.ForeignKey("studies.id", deferrable=True, initially="DEFERRED"),
        nullable=False,
    ),
    sa.Column("filename", sa.Text, nullable=False),
    sa.Column("media_type", sa.Text, nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("sop_instance_uid", sa.Text),
    sa.Column("object_key", sa.Text, nullable=False),
    *instance_columns(),
    # A PACS names films by it, and so does a site that labels them.
    sa.Index(None, "sop_instance_uid"),
    # From an object back to its film: which objects nothing names.
    sa.Index(None, "object_key"),
    # See the one of jobs.
    sa.Index(None, "study_id").ddl_if(dialect="sqlite"),
)

JOBS: Final = sa.Table(
    "jobs",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column(
        "study_id",
        sa.ForeignKey("studies.id", deferrable=True, initially="DEFERRED"),
        nullable=False,
    ),
    sa.Column(
        "instance_id",
        sa.ForeignKey("instances.id", deferrable=True, initially="DEFERRED"),
        nullable=False,
    ),
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
    sa.Column("timings_ms", Document, nullable=False),
    sa.Column("lease_owner", sa.Text),
    sa.Column("lease_expires_at", UtcTime),
    sa.Column("not_before", UtcTime),
    sa.Column("rung_at", UtcTime),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("updated_at", UtcTime, nullable=False),
    sa.Column("started_at", UtcTime),
    sa.Column("finished_at", UtcTime),
    # Retention took the film's bytes; and from when on it counts, where they were sent again.
    sa.Column("film_expired_at", UtcTime),
    sa.Column("film_sent_again_at", UtcTime),
    # Codes; null where there are none, and in a row of a schema before 0008.
    sa.Column("notes", Document),
    # Zero in a job that a release before 0010 queued, until the reconciler gives it a tag.
    sa.Column("fair_tag", sa.Double, nullable=False, server_default="0"),
    sa.Column("traceparent", sa.Text),
    # Null in a job of a schema before 0012.
    sa.Column("reader_version", sa.Integer),
    sa.Column("replaces_job_id", sa.Uuid),
    sa.Column("request_id", sa.Text),
    sa.UniqueConstraint("idempotency_key"),
    _one_of("state", JobState),
    _one_of("priority", Priority),
    # The worklist: of one site, of all sites, in one state.
    sa.Index(None, "site", "created_at", "id"),
    sa.Index(None, "created_at", "id"),
    sa.Index(None, "state", "created_at", "id"),
    # The event stream.
    sa.Index(None, "updated_at", "id"),
    # From a film to what was read of it.
    sa.Index(None, "instance_id"),
    # A study is inserted after its jobs. Without an index SQLite looks for them in the whole table.
    sa.Index(None, "study_id").ddl_if(dialect="sqlite"),
    # The reconciler. Both hold only the work in hand, not the years of work done.
    sa.Index(
        "ix_jobs_queued",
        "priority",
        "created_at",
        "id",
        postgresql_where=_where(WorkEvent.CLAIM),
        sqlite_where=_where(WorkEvent.CLAIM),
    ),
    # The claim: of each flow the first job.
    sa.Index(
        "ix_jobs_claim",
        "priority",
        "site",
        "fair_tag",
        "created_at",
        "id",
        postgresql_concurrently=True,
        postgresql_where=_where(WorkEvent.CLAIM),
        sqlite_where=_where(WorkEvent.CLAIM),
    ),
    # Jobs of a release before 0010, which have no tag yet.
    sa.Index(
        "ix_jobs_untagged",
        "fair_tag",  # always zero here; SQLite takes an index by what is equal in it
        "created_at",
        "id",
        postgresql_concurrently=True,
        postgresql_where=_UNTAGGED,
        sqlite_where=_UNTAGGED,
    ),
    sa.Index(
        "ix_jobs_running",
        "lease_expires_at",
        postgresql_where=_where(WorkEvent.RELEASE),
        sqlite_where=_where(WorkEvent.RELEASE),
    ),
    # Retention. Holds the films that are kept, not the years of those that are gone.
    sa.Index(
        "ix_jobs_with_film",
        "film_expired_at",  # always null here; SQLite takes an index by what is equal in it
        "updated_at",
        "id",
        postgresql_where=_WITH_FILM,
        sqlite_where=_WITH_FILM,
    ),
)

WORK_FLOWS: Final = sa.Table(
    "work_flows",
    METADATA,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("priority", sa.Text, primary_key=True),
    sa.Column("flow", sa.Text, primary_key=True),
    sa.Column("weight", sa.Double, nullable=False),
    sa.Column("last_tag", sa.Double, nullable=False),
    sa.Column("tag_offset", sa.Double, nullable=False),
    sa.Column("paused_until", UtcTime),
    sa.Column("pause_reason", sa.Text, nullable=False),
    sa.Column("max_running", sa.Integer),
    sa.Column("blocked_until", UtcTime),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
)

FILM_REMOVALS: Final = sa.Table(
    "film_removals",
    METADATA,
    sa.Column("object_key", sa.Text, primary_key=True),
    sa.Column("asked_at", UtcTime, nullable=False),
)

RESULTS: Final = sa.Table(
    "results",
    METADATA,
    sa.Column("job_id", sa.ForeignKey("jobs.id"), primary_key=True),
    sa.Column("model_set", sa.Text, nullable=False),
    sa.Column("panels", Document, nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("columns", sa.Integer, nullable=False),
    sa.Column("inverted", sa.Boolean, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    # Null in a result of schema 0001.
    sa.Column("structures", Document),
    # Null in a result of a schema before 0007.
    sa.Column("impression", Document),
    # Null in a result of a schema before 0008.
    sa.Column("pixel_aspect", sa.Double),
)

GATE_READINGS: Final = sa.Table(
    "gate_readings",
    METADATA,
    sa.Column("job_id", sa.ForeignKey("jobs.id"), primary_key=True),
    sa.Column("model_set", sa.Text, nullable=False),
    sa.Column("reading", Document, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
)

HEATMAPS: Final = sa.Table(
    "heatmaps",
    METADATA,
    sa.Column("job_id", sa.ForeignKey("results.job_id"), primary_key=True),
    sa.Column("panel", sa.Text, primary_key=True),
    sa.Column("label", sa.Text, primary_key=True),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("columns", sa.Integer, nullable=False),
    sa.Column("values", sa.LargeBinary, nullable=False),
    sa.Column("scale", sa.Double, nullable=False),
)

API_KEYS, USERS, ROLE_GRANTS, SESSIONS = access_tables(METADATA)
SITES, SUBMISSIONS, SUBMISSION_ITEMS, IMAGING_STUDIES, IMAGING_SERIES = submission_tables(METADATA)
OPERATIONS, ATTEMPTS, WORKERS = work_tables(METADATA)
PEERS, ASSOCIATIONS, DESTINATIONS, DELIVERIES, DELIVERY_CONTEXTS = pacs_tables(METADATA)

AUDIT_EVENTS: Final = sa.Table(
    "audit_events",
    METADATA,
    # Given by the writer, who holds the chain: the primary key is what makes a fork impossible.
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("object_type", sa.Text, nullable=False),
    sa.Column("object_id", sa.Text, nullable=False),
    sa.Column("request_id", sa.Text, nullable=False),
    # Text, not JSON: the hash is over the numbers as they were written, and JSONB rewrites 1e-7.
    sa.Column("details", sa.Text, nullable=False),
    sa.Column("previous_hash", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    # Null in an event of a release before schema 0009, which has format 1.
    sa.Column("principal_kind", sa.Text),
    sa.Column("format", sa.SmallInteger, nullable=False, server_default=sa.text("1")),
    # Over partitions only what holds the sequence number can be unique: docs/adr/0014.
    sa.UniqueConstraint("hash").ddl_if(dialect="sqlite"),
    postgresql_partition_by="RANGE (sequence)",
)

OPERATING_POINTS: Final = sa.Table(
    "operating_points",
    METADATA,
    sa.Column("site", sa.Text, primary_key=True),
    sa.Column("model", sa.Text, primary_key=True),
    sa.Column("version", sa.Text, primary_key=True),
    sa.Column("panel", sa.Text, primary_key=True),
    sa.Column("label", sa.Text, primary_key=True),
    sa.Column("threshold", sa.Double, nullable=False),
    sa.Column("sensitivity", sa.Double),
    sa.Column("specificity", sa.Double),
    sa.Column("fitted_on", sa.Text, nullable=False),
    sa.Column("origin", sa.Text, nullable=False),
    sa.Column("set_by", sa.Text, nullable=False),
    sa.Column("set_at", UtcTime, nullable=False),
    sa.Column("evidence", Document, nullable=False),
    sa.Column("child_threshold", sa.Double),
    sa.Column("beyond_scope", Document),
    _one_of("origin", Origin),
    sa.CheckConstraint("threshold >= 0 AND threshold <= 1", name="threshold"),
)

MODEL_PROMOTIONS: Final = sa.Table(
    "model_promotions",
    METADATA,
    sa.Column("site", sa.Text, primary_key=True),
    sa.Column("model", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("promoted_by", sa.Text, nullable=False),
    sa.Column("promoted_at", UtcTime, nullable=False),
    sa.Column("rolled_back_by", sa.Text),
    sa.Column("rolled_back_at", UtcTime),
)

SITE_RULES: Final = sa.Table(
    "site_rules",
    METADATA,
    sa.Column("site", sa.Text, primary_key=True),
    sa.Column("rule", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("set_by", sa.Text, nullable=False),
    sa.Column("set_at", UtcTime, nullable=False),
)

SCHEMA_STEPS: Final = sa.Table(
    "schema_steps",
    METADATA,
    sa.Column("revision", sa.Text, primary_key=True),
    # The oldest revision whose release goes on working after this step; see ``schema``.
    sa.Column("works_from", sa.Text, nullable=False),
)
