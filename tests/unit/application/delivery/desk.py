"""Deliveries on fakes: a site whose images are DICOM, a worker, and a PACS in memory."""

from __future__ import annotations

import random
from contextlib import nullcontext
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from hilum.adapters.dicom.delivery_context import context_of
from hilum.adapters.dicom.encoding.result_encoder import HighdicomEncoder
from hilum.adapters.dicom.film_reader import DicomFilmReader
from hilum.adapters.sealing.sealer import AesSealer
from hilum.application.delivery.deliver_result import DeliverResult
from hilum.application.delivery.manage_destinations import ManageDestinations, WantedDestination
from hilum.application.delivery.operate_deliveries import OperateDeliveries
from hilum.application.delivery.queue_deliveries import queue_deliveries
from hilum.application.delivery.take_commitment import deny_silent
from hilum.application.intake.submission import SubmissionLimits
from hilum.application.ports.deliveries import DeliveryFilter
from hilum.application.queue.dependencies import Dependencies
from hilum.application.queue.handler import Follows, Kind
from hilum.application.queue.reconcile import Periods, Reconcile
from hilum.application.queue.run_next import RunNext
from hilum.domain.delivery import DELIVERY
from hilum.domain.destination import DestinationKind
from hilum.domain.job import ANALYSIS
from hilum.domain.principal import Role
from hilum.domain.retry_policy import RetryPolicy
from hilum.domain.work import Priority
from hilum.imaging.film import FilmLimits
from tests.fakes.pacs_network import InMemoryPacs
from tests.unit.adapters.dicom.encoding import results
from tests.unit.application.stage import AGEING, KEEP_ATTEMPTS, LEASE, Stage, key

if TYPE_CHECKING:
    from hilum.domain.delivery import Delivery
    from hilum.domain.destination import Destination
    from hilum.domain.job import Job

POLICY = RetryPolicy(
    max_attempts=None,
    base=timedelta(seconds=5),
    cap=timedelta(minutes=15),
    max_age=timedelta(days=1),
)
LIMIT = 4 * 1024 * 1024


class DeliveryDesk:
    """A stage whose jobs are followed by deliveries."""

    def __init__(self) -> None:
        self.stage = Stage(reader=DicomFilmReader(FilmLimits()), limits=SubmissionLimits(LIMIT, 5))
        self.unit_of_work = self.stage.unit_of_work
        self.pacs = InMemoryPacs()
        self.sealer = AesSealer([bytes(32)])
        self.manage = ManageDestinations(
            unit_of_work=self.unit_of_work, open_pacs=lambda _: self.pacs
        )
        self.operate = OperateDeliveries(unit_of_work=self.unit_of_work, queue=self.stage.queue)
        self.handler = DeliverResult(
            unit_of_work=self.unit_of_work,
            store=self.stage.store,
            reader=self.stage.reader,
            encoder=HighdicomEncoder(),
            pacs={DestinationKind.C_STORE: self.pacs},
            context_of=context_of,
            sealer=self.sealer,
        )
        self.run_next = RunNext(
            unit_of_work=self.unit_of_work,
            kinds={
                DELIVERY.kind: Kind(self.handler, POLICY, released=self.handler.blocked),
                ANALYSIS.kind: Kind(
                    self.stage._handler,  # noqa: SLF001 - the stage's own
                    RetryPolicy(),
                    ended=queue_deliveries,
                ),
            },
            leases=self.stage.leases,
            dependencies=Dependencies(
                self.handler.probes | self.stage._handler.probes,  # noqa: SLF001
                unit_of_work=self.unit_of_work,
                slots=2,
                clock=lambda: self.stage.clock.now().timestamp(),
            ),
            chance=random.Random(1),  # noqa: S311 - a seed
            around=lambda _: nullcontext(),
        )
        self.reconcile = Reconcile(
            unit_of_work=self.unit_of_work,
            queue=self.stage.queue,
            policies={ANALYSIS.kind: RetryPolicy(), DELIVERY.kind: POLICY},
            follows=Follows({ANALYSIS.kind: queue_deliveries}, deny_silent),
            chance=random.Random(1),  # noqa: S311 - a seed
            periods=Periods(ageing=AGEING, lease=LEASE, attempts=KEEP_ATTEMPTS),
            clock=lambda: self.stage.clock.now().timestamp(),
        )

    def destination(self, name: str = "pacs", **wanted: Any) -> Destination:
        known: dict[str, Any] = {"ae_title": "PACS", "host": "pacs", "port": 104}
        return self.manage.add(
            WantedDestination(site="north", name=name, **known | wanted), key(Role.ADMIN)
        )

    def send(self, content: bytes | None = None) -> Job:
        """Take an image for the site ``north``."""
        answer = self.stage.send(content or results.image(), by=key(Role.SUBMITTER, "north"))
        return answer.accepted[0].job

    def work(self, most: int = 20) -> None:
        """Run what can be claimed now."""
        for _ in range(most):
            if not self.run_next(list(Priority), lambda *_: None):
                return

    def later(self, seconds: float) -> None:
        """Let time pass, then reconcile and work."""
        self.stage.advance(seconds)
        self.reconcile()
        self.work()

    @property
    def deliveries(self) -> list[Delivery]:
        """Every delivery, the oldest first."""
        with self.unit_of_work.begin(write=False) as transaction:
            found = transaction.deliveries.newest(DeliveryFilter(), None, 100)
        return sorted(found, key=lambda one: (one.created_at, one.destination_id))

    @property
    def delivery(self) -> Delivery:
        """The only one."""
        (only,) = self.deliveries
        return only
