"""A unit of work in memory, with the database's semantics.

A write transaction works on a copy and holds the lock, so writers take turns, and what raises
leaves no trace. A read transaction sees what was committed when it began.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from hilum.adapters.clock.clock import SystemClock
from hilum.domain.delivery import DELIVERY
from hilum.domain.errors import DatabaseUnavailable, InternalError
from hilum.domain.job import ANALYSIS
from hilum.domain.operation import OPERATION
from tests.fakes.attempts import InMemoryAttempts, InMemoryWorkers
from tests.fakes.deliveries import (
    InMemoryDeliveries,
    InMemoryDeliveryContexts,
    InMemoryDestinations,
)
from tests.fakes.film_retention import InMemoryFilmRetention
from tests.fakes.job_repository import InMemoryJobs
from tests.fakes.operations import InMemoryOperations
from tests.fakes.pacs import InMemoryAssociations, InMemoryPeers
from tests.fakes.repositories import (
    InMemoryApiKeys,
    InMemoryAuditLog,
    InMemoryResults,
    InMemorySessions,
    InMemorySubmissions,
    Rows,
)
from tests.fakes.site_models import InMemoryOperatingPoints, InMemoryPromotions, InMemorySiteRules
from tests.fakes.work_flows import InMemorySites, InMemoryWorkFlows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hilum.application.ports.clock import Clock
    from hilum.domain.work import LifeCycle
    from tests.fakes.work import InMemoryWork

LIVES: dict[str, LifeCycle[Any]] = {life.kind: life for life in (ANALYSIS, DELIVERY, OPERATION)}


class InMemoryTransaction:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.submissions = InMemorySubmissions(rows)
        self.jobs = InMemoryJobs(rows)
        self.work_flows = InMemoryWorkFlows(rows)
        self.operations = InMemoryOperations(rows)
        self.attempts = InMemoryAttempts(rows)
        self.workers = InMemoryWorkers(rows)
        self.results = InMemoryResults(rows)
        self.api_keys = InMemoryApiKeys(rows)
        self.sessions = InMemorySessions(rows)
        self.operating_points = InMemoryOperatingPoints(rows)
        self.promotions = InMemoryPromotions(rows)
        self.sites = InMemorySites(rows)
        self.site_rules = InMemorySiteRules(rows)
        self.peers = InMemoryPeers(rows)
        self.associations = InMemoryAssociations(rows)
        self.destinations = InMemoryDestinations(rows)
        self.deliveries = InMemoryDeliveries(rows)
        self.delivery_contexts = InMemoryDeliveryContexts(rows)
        self.film_retention = InMemoryFilmRetention(rows)
        self.audit = InMemoryAuditLog(rows)
        self.now = rows.now()

    def work(self, kind: str) -> InMemoryWork:
        return {
            ANALYSIS.kind: self.jobs,
            DELIVERY.kind: self.deliveries,
            OPERATION.kind: self.operations,
        }[kind]

    def flows(self, kind: str) -> InMemoryWorkFlows:
        return InMemoryWorkFlows(self._rows, LIVES[kind])

    def try_lock(self, name: str) -> bool:  # noqa: ARG002 - the port's name
        """True: the write transaction is the lock, there is never a second one."""
        if not self._rows.writable:
            raise InternalError("a lock needs a write transaction")
        return True


class InMemoryUnitOfWork:
    """Fake of :class:`hilum.application.ports.unit_of_work.UnitOfWork`.

    Attributes:
        available: Set it to False to make the database unavailable, also to open transactions.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.available = True
        self._rows = Rows(now=(clock or SystemClock()).now)
        self._turn = threading.RLock()
        self._writing = False

    @contextmanager
    def begin(self, *, write: bool = True) -> Iterator[InMemoryTransaction]:
        self.check()
        if not write:
            yield InMemoryTransaction(self._rows.copy(writable=False))
            return
        with self._turn:
            if self._writing:
                raise InternalError("a write transaction inside another waits for itself")
            self._writing = True
            try:
                rows = self._rows.copy(writable=True)
                yield InMemoryTransaction(rows)
                self.check()
                rows.require_references()
                self._rows = rows
            finally:
                self._writing = False

    @property
    def rows(self) -> Rows:
        """What is committed."""
        return self._rows

    def check(self) -> None:
        if not self.available:
            raise DatabaseUnavailable("the database does not answer: it was told not to")
