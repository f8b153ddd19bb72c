"""Which schema this release needs, and whether it can work with the one a database has.

A database may be ahead: after a rollback an older release meets what a newer one made. Each step
says the oldest revision whose release goes on working after it, and the database keeps that, so an
older release can tell without knowing the step (docs/adr/0013). Needs no Alembic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
from sqlalchemy import exc

from hilum.adapters.postgres.errors import translate
from hilum.adapters.postgres.tables import SCHEMA_STEPS
from hilum.domain.errors import DatabaseUnavailable, InternalError, SchemaIncompatible

if TYPE_CHECKING:
    from typing import Any

    from sqlalchemy.engine import Connection

HEAD: Final = "0014"
"""The newest revision in ``migrations/versions``; a test keeps the two together.

Revisions are numbers of four digits, so that a newer one is a greater text.
"""

_REVISION: Final = sa.text("SELECT version_num FROM alembic_version")


def require_schema(connection: Connection) -> str:
    """The revision of the database, if this release can work with it.

    Raises:
        DatabaseUnavailable: The database is behind this release, or empty.
        SchemaIncompatible: It is ahead, and does not say that this release can work with it.
    """
    found = _rows(connection, _REVISION)
    revision = found[0][0] if found else None
    if revision is None or revision < HEAD:
        raise DatabaseUnavailable(
            f"the database has schema {revision or 'none'}, this release needs {HEAD}: "
            "run `hilum db upgrade`"
        )
    if revision != HEAD:
        require_compatible(connection, revision)
    return str(revision)


def require_compatible(connection: Connection, revision: str) -> None:
    """Return if every step that this release does not know lets it go on.

    Args:
        connection: To a database that is ahead of this release.
        revision: That it has.

    Raises:
        SchemaIncompatible: One of the steps does not, or the database has no record of them.
    """
    unknown = sa.select(SCHEMA_STEPS).where(SCHEMA_STEPS.c.revision > HEAD)
    works_from = {step: oldest for step, oldest in _rows(connection, unknown) if step <= revision}
    if revision not in works_from:
        raise SchemaIncompatible(
            f"the database has schema {revision}, which this release (schema {HEAD}) does not "
            "know: install the release that made it, or a newer one"
        )
    oldest = max(works_from.values())
    if oldest > HEAD:
        raise SchemaIncompatible(
            f"the database has schema {revision}, made by a newer release; only releases with "
            f"schema {oldest} or newer can work with it, this one has {HEAD}: install such a "
            "release, or restore the backup that was made before the upgrade"
        )


def _rows(connection: Connection, query: sa.Executable) -> list[tuple[Any, ...]]:
    """What a query gives; nothing where its table does not exist."""
    try:
        return [tuple(row) for row in connection.execute(query)]
    except exc.DBAPIError as error:
        translated = translate(error)
        if not isinstance(translated, InternalError):
            raise translated from error
        return []
