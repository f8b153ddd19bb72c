"""Transactions: one request or one task is one of these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from datetime import datetime

    from hilum.application.ports.associations import AssociationRepository
    from hilum.application.ports.attempts import AttemptRepository, WorkerRepository
    from hilum.application.ports.deliveries import DeliveryRepository
    from hilum.application.ports.delivery_contexts import DeliveryContextRepository
    from hilum.application.ports.destinations import DestinationRepository
    from hilum.application.ports.film_retention import FilmRetention
    from hilum.application.ports.operating_points import OperatingPointRepository
    from hilum.application.ports.operations import OperationRepository
    from hilum.application.ports.peers import PeerRepository
    from hilum.application.ports.promotions import PromotionRepository
    from hilum.application.ports.repositories import (
        ApiKeyRepository,
        AuditLog,
        JobRepository,
        ResultRepository,
    )
    from hilum.application.ports.sessions import SessionRepository
    from hilum.application.ports.site_rules import SiteRuleRepository
    from hilum.application.ports.sites import SiteRepository
    from hilum.application.ports.submissions import SubmissionRepository
    from hilum.application.ports.work import WorkRepository
    from hilum.application.ports.work_flows import WorkFlowRepository


class Transaction(Protocol):
    """What can be read and written inside one transaction."""

    @property
    def submissions(self) -> SubmissionRepository:
        """Submissions and instances."""
        ...

    @property
    def jobs(self) -> JobRepository:
        """Jobs."""
        ...

    def work(self, kind: str) -> WorkRepository[Any]:
        """Return the items of a kind of work."""
        ...

    def flows(self, kind: str) -> WorkFlowRepository:
        """Return the flows of a kind of work."""
        ...

    @property
    def work_flows(self) -> WorkFlowRepository:
        """Flows of jobs."""
        ...

    @property
    def operations(self) -> OperationRepository:
        """Operations."""
        ...

    @property
    def attempts(self) -> AttemptRepository:
        """Attempts at items of every kind."""
        ...

    @property
    def workers(self) -> WorkerRepository:
        """Workers."""
        ...

    @property
    def results(self) -> ResultRepository:
        """Results."""
        ...

    @property
    def api_keys(self) -> ApiKeyRepository:
        """API keys."""
        ...

    @property
    def sessions(self) -> SessionRepository:
        """Sessions of people."""
        ...

    @property
    def operating_points(self) -> OperatingPointRepository:
        """Operating points of sites."""
        ...

    @property
    def promotions(self) -> PromotionRepository:
        """Promotions of models at sites."""
        ...

    @property
    def sites(self) -> SiteRepository:
        """Sites and their weights."""
        ...

    @property
    def site_rules(self) -> SiteRuleRepository:
        """Rules of sites."""
        ...

    @property
    def peers(self) -> PeerRepository:
        """DICOM peers."""
        ...

    @property
    def associations(self) -> AssociationRepository:
        """Associations of peers."""
        ...

    @property
    def destinations(self) -> DestinationRepository:
        """Destinations of results."""
        ...

    @property
    def deliveries(self) -> DeliveryRepository:
        """Deliveries."""
        ...

    @property
    def delivery_contexts(self) -> DeliveryContextRepository:
        """What deliveries need of images that retention took."""
        ...

    @property
    def film_retention(self) -> FilmRetention:
        """Films whose bytes are removed after a time."""
        ...

    @property
    def audit(self) -> AuditLog:
        """The audit log."""
        ...

    @property
    def now(self) -> datetime:
        """One moment for the whole transaction, by the database's clock.

        It is asked for when it is used first, which costs a round trip.
        """
        ...

    def try_lock(self, name: str) -> bool:
        """Take a named advisory lock until the transaction ends; False if another holds it."""
        ...


class UnitOfWork(Protocol):
    """Begins transactions.

    ``with unit_of_work.begin() as transaction:`` commits when the block ends and rolls back when
    it raises. A read-only block is a transaction too.
    """

    def begin(self, *, write: bool = True) -> AbstractContextManager[Transaction]:
        """Begin a transaction.

        Args:
            write: Whether the block will write. SQLite takes its write lock at once then, so
                that two writers queue instead of failing; PostgreSQL opens a read-only
                transaction when it is False.

        Raises:
            DatabaseUnavailable: On entry, inside or on commit: nothing was written. If the
                connection broke during the commit itself, the outcome is unknown; every use case
                is safe to repeat for that reason.
        """
        ...

    def check(self) -> None:
        """Return if the database answers and this release can work with its schema.

        Raises:
            DatabaseUnavailable: It does not, or it is behind this release.
            SchemaIncompatible: A newer release changed it too far for this one.
        """
        ...
