"""Tables of what was sent, by whom, and of the DICOM studies that it belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from hilum.adapters.postgres.column_types import UtcTime
from hilum.domain.principal import PrincipalKind
from hilum.domain.sent_again import Outcome
from hilum.domain.work import Priority

if TYPE_CHECKING:
    from collections.abc import Iterable
    from enum import StrEnum


class SubmissionTables(NamedTuple):
    """Each by its name."""

    sites: sa.Table
    submissions: sa.Table
    submission_items: sa.Table
    imaging_studies: sa.Table
    imaging_series: sa.Table


def submission_tables(metadata: sa.MetaData) -> SubmissionTables:
    """Add the tables to the others."""
    return SubmissionTables(
        _sites(metadata),
        _submissions(metadata),
        _submission_items(metadata),
        _imaging_studies(metadata),
        _imaging_series(metadata),
    )


def instance_columns() -> tuple[sa.Column[Any], ...]:
    """Return what the header of an instance says; null in a row of a schema before 0012."""
    return (
        sa.Column("content_sha256", sa.Text),
        sa.Column("transfer_syntax_uid", sa.Text),
        sa.Column("sop_class_uid", sa.Text),
        sa.Column("presentation_intent", sa.Text),
        sa.Column("view_position", sa.Text),
        sa.Column("patient_orientation", sa.Text),
        sa.Column("acquired_at", UtcTime),
        sa.Column("role", sa.Text),
        # No foreign key: to add one, a database reads every row.
        sa.Column("series_id", sa.Uuid),
    )


def _one_of(column: str, values: Iterable[StrEnum]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value.value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=column)


def _sites(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "sites",
        metadata,
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("weight", sa.Double, nullable=False),
        sa.CheckConstraint("weight > 0", name="weight"),
    )


def _submissions(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "submissions",
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("site", sa.Text, nullable=False),
        sa.Column("principal_kind", sa.Text, nullable=False),
        sa.Column("principal_id", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("patient_ref", sa.Text),
        sa.Column("priority", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("traceparent", sa.Text),
        sa.Column("calling_ae", sa.Text),
        sa.Column("received_at", UtcTime, nullable=False),
        _one_of("principal_kind", PrincipalKind),
        _one_of("priority", Priority),
    )


def _submission_items(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "submission_items",
        metadata,
        sa.Column("submission_id", sa.ForeignKey("submissions.id"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("filename", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        # No foreign key: the check would lock the job of an image that was sent again.
        sa.Column("job_id", sa.Uuid),
        sa.Column("reason_code", sa.Text),
        sa.Column("reason_detail", sa.Text),
        _one_of("outcome", Outcome),
    )


def _imaging_studies(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "imaging_studies",
        metadata,
        # Made of the site and the UID.
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("site", sa.Text, nullable=False),
        sa.Column("study_instance_uid", sa.Text, nullable=False),
        sa.Column("accession_number", sa.Text),
        sa.UniqueConstraint("site", "study_instance_uid"),
    )


def _imaging_series(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "imaging_series",
        metadata,
        # Made of the study and the UID.
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("imaging_study_id", sa.ForeignKey("imaging_studies.id"), nullable=False),
        sa.Column("series_instance_uid", sa.Text, nullable=False),
        sa.Column("modality", sa.Text),
        sa.Column("body_part", sa.Text),
        sa.UniqueConstraint("imaging_study_id", "series_instance_uid"),
    )
