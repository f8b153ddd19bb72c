"""Transactions on PostgreSQL and on SQLite."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from hilum.adapters.postgres import schema
from hilum.adapters.postgres.advisory_locks import advisory_key
from hilum.adapters.postgres.database_clock import database_now
from hilum.adapters.postgres.engine import WRITE_OPTION
from hilum.adapters.postgres.errors import translated_errors
from hilum.adapters.postgres.execution import Statement
from hilum.adapters.postgres.repositories.api_keys import SqlApiKeyRepository
from hilum.adapters.postgres.repositories.associations import SqlAssociationRepository
from hilum.adapters.postgres.repositories.attempts import (
    SqlAttemptRepository,
    SqlWorkerRepository,
)
from hilum.adapters.postgres.repositories.audit import SqlAuditLog
from hilum.adapters.postgres.repositories.deliveries import SqlDeliveryRepository
from hilum.adapters.postgres.repositories.delivery_contexts import SqlDeliveryContextRepository
from hilum.adapters.postgres.repositories.destinations import SqlDestinationRepository
from hilum.adapters.postgres.repositories.film_retention import SqlFilmRetention
from hilum.adapters.postgres.repositories.jobs import SqlJobRepository
from hilum.adapters.postgres.repositories.kinds import KINDS
from hilum.adapters.postgres.repositories.operating_points import SqlOperatingPointRepository
from hilum.adapters.postgres.repositories.operations import SqlOperationRepository
from hilum.adapters.postgres.repositories.peers import SqlPeerRepository
from hilum.adapters.postgres.repositories.promotions import SqlPromotionRepository
from hilum.adapters.postgres.repositories.results import SqlResultRepository
from hilum.adapters.postgres.repositories.sessions import SqlSessionRepository
from hilum.adapters.postgres.repositories.site_rules import SqlSiteRuleRepository
from hilum.adapters.postgres.repositories.sites import SqlSiteRepository
from hilum.adapters.postgres.repositories.submissions import SqlSubmissionRepository
from hilum.adapters.postgres.repositories.work import SqlWorkRepository
from hilum.adapters.postgres.repositories.work_flows import SqlWorkFlowRepository
from hilum.domain.errors import InternalError
from hilum.domain.job import ANALYSIS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy.engine import Connection, Engine


_NOW: Final = Statement(sa.select(database_now().label("now")))


class SqlTransaction:
    """One transaction; see :class:`hilum.application.ports.unit_of_work.Transaction`."""

    def __init__(self, connection: Connection, *, write: bool) -> None:
        self._connection = connection
        self._write = write
        self.submissions = SqlSubmissionRepository(connection)
        self.jobs = SqlJobRepository(connection)
        self.work_flows = self.flows(ANALYSIS.kind)
        self.operations = SqlOperationRepository(connection)
        self.attempts = SqlAttemptRepository(connection)
        self.workers = SqlWorkerRepository(connection)
        self.results = SqlResultRepository(connection)
        self.api_keys = SqlApiKeyRepository(connection)
        self.sessions = SqlSessionRepository(connection)
        self.operating_points = SqlOperatingPointRepository(connection)
        self.promotions = SqlPromotionRepository(connection)
        self.sites = SqlSiteRepository(connection)
        self.site_rules = SqlSiteRuleRepository(connection)
        self.peers = SqlPeerRepository(connection)
        self.associations = SqlAssociationRepository(connection)
        self.destinations = SqlDestinationRepository(connection)
        self.deliveries = SqlDeliveryRepository(connection)
        self.delivery_contexts = SqlDeliveryContextRepository(connection)
        self.film_retention = SqlFilmRetention(connection)
        self.audit = SqlAuditLog(connection)

    @cached_property
    def now(self) -> datetime:
        """One moment for the whole transaction."""
        moment: datetime
        ((moment,),) = _NOW.all(self._connection, {})
        return moment

    def work(self, kind: str) -> SqlWorkRepository[Any]:
        """Return the items of a kind of work."""
        return SqlWorkRepository(self._connection, KINDS[kind].work)

    def flows(self, kind: str) -> SqlWorkFlowRepository:
        """Return the flows of a kind of work."""
        return SqlWorkFlowRepository(self._connection, KINDS[kind].flows)

    def try_lock(self, name: str) -> bool:
        """Take a named lock until the transaction ends.

        On SQLite the write transaction is the lock: there is never a second one.

        Raises:
            InternalError: The transaction is read-only, and holds nothing on SQLite.
        """
        if not self._write:
            raise InternalError("a lock needs a write transaction")
        if self._connection.dialect.name == "sqlite":
            return True
        query = sa.select(sa.func.pg_try_advisory_xact_lock(advisory_key(name)))
        return bool(self._connection.execute(query).scalar_one())


class SqlUnitOfWork:
    """Begins transactions; see :class:`hilum.application.ports.unit_of_work.UnitOfWork`."""

    def __init__(self, engine: Engine) -> None:
        self._writing = engine.execution_options(**{WRITE_OPTION: True})
        self._reading = engine.execution_options(**{WRITE_OPTION: False})

    @contextmanager
    def begin(self, *, write: bool = True) -> Iterator[SqlTransaction]:
        """Begin a transaction."""
        engine = self._writing if write else self._reading
        with translated_errors(write=write), engine.begin() as connection:
            yield SqlTransaction(connection, write=write)

    def check(self) -> None:
        """Return if the database answers and this release can work with its schema."""
        with translated_errors(), self._reading.begin() as connection:
            schema.require_schema(connection)
