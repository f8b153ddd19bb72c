"""Sealed contexts of deliveries, on each kind of database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilum.domain.delivery import DeliveredObject
from hilum.domain.destination import ObjectKind
from hilum.domain.work import Reason, WorkEvent
from tests.contract.test_deliveries import claim, queue

if TYPE_CHECKING:
    from hilum.application.ports.unit_of_work import UnitOfWork

SENT = (DeliveredObject(ObjectKind.SR),)


def test_a_context_stays_while_a_delivery_may_need_it(unit_of_work: UnitOfWork) -> None:
    """Queued, running, failed, or sent with a commitment that is awaited."""
    (first, second) = queue(unit_of_work, "pacs", "web")
    job_id = first.job_id
    with unit_of_work.begin() as transaction:
        assert set(transaction.delivery_contexts.wanted([job_id])) == {job_id}
        transaction.delivery_contexts.keep(job_id, b"old", "k1")
        transaction.delivery_contexts.keep(job_id, b"sealed", "k2")
        assert transaction.delivery_contexts.get(job_id) == b"sealed"
        assert transaction.delivery_contexts.get(second.id) is None
    running = claim(unit_of_work)
    assert running is not None
    with unit_of_work.begin() as transaction:
        assert transaction.delivery_contexts.drop_settled() == 0
        transaction.deliveries.finish(running, WorkEvent.DELIVER)
        transaction.deliveries.keep(running.id, SENT, "2.25.1")
    last = claim(unit_of_work)
    assert last is not None
    with unit_of_work.begin() as transaction:
        transaction.deliveries.park(last, reason=Reason("x", "y"), lost=False)
        assert transaction.delivery_contexts.drop_settled() == 0
        failed = transaction.deliveries.get(last.id)
        assert failed is not None
        transaction.deliveries.change(failed, WorkEvent.DISCARD, Reason("x", "y"))
        assert transaction.delivery_contexts.drop_settled() == 0  # a commitment is awaited
        sent = transaction.deliveries.get(running.id)
        assert sent is not None
        transaction.deliveries.change(sent, WorkEvent.CONFIRM)
        assert set(transaction.delivery_contexts.wanted([job_id])) == set()
        assert transaction.delivery_contexts.drop_settled() == 1
        assert transaction.delivery_contexts.get(job_id) is None
