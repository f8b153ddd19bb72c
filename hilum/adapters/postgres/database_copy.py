"""Which way a database is copied out and in; see the port."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from hilum.adapters.postgres.address import read_address
from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.postgresql_copy import FACTS_SQL, OWN_NAME, PostgresqlCopy
from hilum.adapters.postgres.sqlite_copy import SqliteCopy
from hilum.domain.backup import DatabaseFacts, read_facts
from hilum.domain.errors import DatabaseCopyFailed

if TYPE_CHECKING:
    from hilum.application.ports.database_copy import DatabaseCopy

_SCRIPT = Path(__file__).with_name("dump.sh")


def open_database_copy(url: str) -> DatabaseCopy:
    """The way for the database at this address; connects to nothing yet.

    Raises:
        InternalError: The URL names no supported database.
    """
    parsed = read_address(url)
    if parsed.get_backend_name() == "sqlite":
        return SqliteCopy(create_database_engine(url, pool_size=2))
    named = parsed.update_query_dict({"application_name": OWN_NAME})
    engine = create_database_engine(
        named.render_as_string(hide_password=False),
        pool_size=2,
        statement_timeout_s=0,  # a count of every row takes as long as it takes
    )
    return PostgresqlCopy(engine, parsed)


def dump_script() -> str:
    """A POSIX shell script that dumps PostgreSQL where nothing of Hilum is installed."""
    return _SCRIPT.read_text(encoding="utf-8").replace("@FACTS@", FACTS_SQL)


def facts_beside(dump: Path) -> DatabaseFacts:
    """What the script wrote beside a dump; for another's dump only that it is PostgreSQL's.

    Raises:
        DatabaseCopyFailed: What is there cannot be read.
    """
    facts = dump.with_name(f"{dump.name}.facts")
    try:
        return read_facts(json.loads(facts.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return DatabaseFacts(kind="postgresql")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatabaseCopyFailed(f"{facts.name} cannot be read") from error
