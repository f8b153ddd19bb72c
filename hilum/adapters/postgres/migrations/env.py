"""How Alembic runs the steps: on the connection that :mod:`hilum.adapters.postgres.migrate` gives.

There is no ``alembic.ini`` and no URL here: timeouts, the lock and the one transaction around all
steps are that module's work, whoever asks for them.
"""

from __future__ import annotations

from alembic import context

from hilum.adapters.postgres.comparison import compared
from hilum.adapters.postgres.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    include_object=compared,
    # SQLite changes a table by making a new one and copying; PostgreSQL does not notice.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
