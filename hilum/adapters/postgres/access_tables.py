"""Tables of who may do what: keys, people, grants and sessions."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from hilum.adapters.postgres.column_types import UtcTime
from hilum.domain.access import FIRST_ROLES
from hilum.domain.principal import PrincipalKind, Role


class AccessTables(NamedTuple):
    """Each by its name."""

    api_keys: sa.Table
    users: sa.Table
    role_grants: sa.Table
    sessions: sa.Table


def access_tables(metadata: sa.MetaData) -> AccessTables:
    """Add the tables to the others."""
    return AccessTables(
        _api_keys(metadata), _users(metadata), _role_grants(metadata), _sessions(metadata)
    )


def _one_of(column: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=column)


def _api_keys(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "api_keys",
        metadata,
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        # A role that releases before schema 0009 do not know is `viewer` here and whole in
        # `role_grants`.
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("site", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.Column("revoked_at", UtcTime),
        _one_of("role", FIRST_ROLES),
    )


def _users(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "users",
        metadata,
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("issuer", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.Column("revoked_at", UtcTime),
        sa.UniqueConstraint("issuer", "subject"),
    )


def _role_grants(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "role_grants",
        metadata,
        sa.Column("principal_kind", sa.Text, primary_key=True),
        sa.Column("principal_id", sa.Text, primary_key=True),
        sa.Column("role", sa.Text, primary_key=True),
        sa.Column("site", sa.Text, primary_key=True),
        sa.Column("granted_by", sa.Text, nullable=False),
        sa.Column("granted_at", UtcTime, nullable=False),
        sa.Column("revoked_at", UtcTime),
        _one_of("principal_kind", tuple(PrincipalKind)),
        _one_of("role", tuple(Role)),
    )


def _sessions(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "sessions",
        metadata,
        sa.Column("id_digest", sa.Text, primary_key=True),
        sa.Column("principal_kind", sa.Text, nullable=False),
        sa.Column("principal_id", sa.Text, nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.Column("expires_at", UtcTime, nullable=False),
        sa.Column("revoked_at", UtcTime),
        _one_of("principal_kind", tuple(PrincipalKind)),
        sa.Index(None, "expires_at"),
    )
