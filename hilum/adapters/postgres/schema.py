"""Which schema this release needs, and whether a database has it. Needs no Alembic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
from sqlalchemy import exc

from hilum.adapters.postgres.errors import translate
from hilum.domain.errors import DatabaseUnavailable, InternalError

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

HEAD: Final = "0003"
"""The newest revision in ``migrations/versions``; a test keeps the two together."""

_REVISION: Final = sa.text("SELECT version_num FROM alembic_version")


def require_head(connection: Connection) -> None:
    """Return if the schema of the database is the one this release needs.

    Raises:
        DatabaseUnavailable: It is another one, or the database is empty.
    """
    try:
        revision = connection.execute(_REVISION).scalar_one_or_none()
    except exc.DBAPIError as error:
        translated = translate(error)
        if not isinstance(translated, InternalError):
            raise translated from error
        revision = None  # the table does not exist
    if revision != HEAD:
        raise DatabaseUnavailable(
            f"the database has schema {revision or 'none'}, this release needs {HEAD}: "
            "run `hilum db upgrade`"
        )
