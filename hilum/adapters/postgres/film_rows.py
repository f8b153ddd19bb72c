"""The rows that name objects, on PostgreSQL and on SQLite."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from hilum.adapters.postgres.tables import INSTANCES, JOBS, STUDIES
from hilum.application.ports.database_copy import FilmObject

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from sqlalchemy.engine import Connection

_BATCH: Final = 5000


def holds_films(connection: Connection) -> bool:
    """Whether a film was ever accepted; False for a database without tables."""
    if not sa.inspect(connection).has_table(STUDIES.name):
        return False
    query = sa.select(sa.exists(sa.select(STUDIES.c.id)))
    return bool(connection.execute(query).scalar_one())


def film_rows(connection: Connection) -> Iterator[FilmObject]:
    """The objects that rows name, in the order of their keys' bytes, without holding them all.

    Not those of films that retention removed; a database of schema 0005 or older knows of none.
    """
    order = "C" if connection.dialect.name == "postgresql" else "BINARY"
    query = sa.select(INSTANCES.c.object_key, INSTANCES.c.size_bytes, INSTANCES.c.sha256)
    query = query.where(_kept(connection)).order_by(INSTANCES.c.object_key.collate(order))
    streamed = connection.execution_options(yield_per=_BATCH).execute(query)
    for key, size_bytes, sha256 in streamed:
        yield FilmObject(key, size_bytes, sha256)


def named_keys(connection: Connection, keys: Collection[str]) -> set[str]:
    """Those of these keys that a row names whose film retention did not remove."""
    query = sa.select(INSTANCES.c.object_key).where(INSTANCES.c.object_key.in_(list(keys)))
    return set(connection.execute(query.where(_kept(connection))).scalars())


def _kept(connection: Connection) -> sa.ColumnElement[bool]:
    """Of films, those that are not expired."""
    columns = {column["name"] for column in sa.inspect(connection).get_columns(JOBS.name)}
    if JOBS.c.film_expired_at.name not in columns:
        return sa.true()
    gone = (JOBS.c.instance_id == INSTANCES.c.id, JOBS.c.film_expired_at.is_not(None))
    return ~sa.exists().where(*gone)
