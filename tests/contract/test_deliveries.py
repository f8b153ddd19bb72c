"""Destinations and deliveries, on each kind of database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from hilum.application.ports.deliveries import DeliveryFilter
from hilum.domain.delivery import (
    DELIVERY,
    DeliveredObject,
    Delivery,
    DeliveryState,
    ObjectState,
)
from hilum.domain.destination import (
    Destination,
    DestinationKind,
    EncodingOptions,
    ObjectKind,
    When,
)
from hilum.domain.work import AttemptOutcome, Priority, Reason, WorkEvent
from tests.contract.samples import LEASE, NOW, a_film, accept

if TYPE_CHECKING:
    from hilum.application.ports.unit_of_work import UnitOfWork

ALL = list(Priority)


def a_destination(name: str = "pacs", **changes: Any) -> Destination:
    known: dict[str, Any] = {
        "id": f"north/{name}",
        "site": "north",
        "kind": DestinationKind.C_STORE,
        "ae_title": "PACS",
        "host": "pacs.hospital.example",
        "port": 11112,
        "created_at": NOW,
    }
    return Destination(**known | changes)


def queue(unit_of_work: UnitOfWork, *names: str, **changes: Any) -> list[Delivery]:
    """Queue a delivery to each of these destinations, which are made, of one job."""
    film = a_film()
    accept(unit_of_work, film)
    with unit_of_work.begin() as transaction:
        for name in dict.fromkeys(names):
            if transaction.destinations.add(a_destination(name)):
                transaction.flows(DELIVERY.kind).limit(f"north/{name}", 2)
        known: dict[str, Any] = {
            "site": "north",
            "state": DeliveryState.QUEUED,
            "priority": Priority.ROUTINE,
            "created_at": NOW,
            "updated_at": NOW,
            "queued_at": NOW,
            "job_id": film.job.id,
            "objects": (DeliveredObject(ObjectKind.SR), DeliveredObject(ObjectKind.SC)),
        }
        wanted = [
            Delivery(id=uuid4(), destination_id=f"north/{name}", **known | changes)
            for name in names
        ]
        queued = transaction.flows(DELIVERY.kind).tagged(wanted)
        transaction.deliveries.add(queued)
    return list(queued)


def claim(unit_of_work: UnitOfWork) -> Delivery | None:
    with unit_of_work.begin() as transaction:
        claimed: Delivery | None = transaction.deliveries.claim(ALL, "w1", LEASE)
    return claimed


def test_a_destination_comes_back_as_it_was_kept(unit_of_work: UnitOfWork) -> None:
    """Each of its fields, after a change too; a second one of its name is refused."""
    wanted = a_destination(
        objects=(ObjectKind.SEG, ObjectKind.NO_RESULT),
        options=EncodingOptions(comprehensive_sr=True, series_number=77),
        when=When.POSITIVE,
        weak_labels=False,
        commitment=True,
        tls=True,
        calling_ae="HILUM2",
    )
    web = a_destination("web", kind=DestinationKind.STOW, url="https://pacs.example/dicom-web")
    with unit_of_work.begin() as transaction:
        assert transaction.destinations.add(wanted)
        assert not transaction.destinations.add(a_destination())
        assert transaction.destinations.add(web)
        assert transaction.destinations.get(wanted.id) == wanted
        off = replace(wanted, enabled=False, host="other")
        assert transaction.destinations.change(off)
        assert not transaction.destinations.change(a_destination("unknown"))
    with unit_of_work.begin() as transaction:
        assert list(transaction.destinations.all()) == [off, web]
        assert list(transaction.destinations.of_site("north")) == [web]
        assert list(transaction.destinations.of_site("south")) == []
        assert transaction.destinations.remove(web.id)
        assert not transaction.destinations.remove(web.id)
        assert transaction.destinations.get(web.id) is None


def test_a_flow_runs_as_many_deliveries_as_its_destination_takes(
    unit_of_work: UnitOfWork,
) -> None:
    """Two here, of every priority together; another destination is not held up."""
    queue(unit_of_work, "pacs", "pacs", priority=Priority.STAT)
    queue(unit_of_work, "pacs", "pacs", "web")
    claimed = [one for one in (claim(unit_of_work) for _ in range(5)) if one is not None]
    assert [one.destination_id for one in claimed] == ["north/pacs", "north/pacs", "north/web"]
    with unit_of_work.begin() as transaction:
        assert transaction.deliveries.claimable(Priority.ROUTINE, 9) == 0
        transaction.deliveries.finish(claimed[0], WorkEvent.DELIVER)
    again = claim(unit_of_work)
    assert again is not None
    assert again.priority is Priority.ROUTINE
    assert claim(unit_of_work) is None


def test_a_blocked_destination_is_tried_with_one_delivery(unit_of_work: UnitOfWork) -> None:
    """Nothing is claimed until the block ends, one at a time then, and all after a success."""
    queue(unit_of_work, "pacs", "pacs", "pacs")
    asked: list[int] = []

    def delay(failures: int) -> timedelta:
        asked.append(failures)
        return timedelta(seconds=0 if len(asked) > 1 else 3600)

    with unit_of_work.begin() as transaction:
        flows = transaction.flows(DELIVERY.kind)
        assert flows.block("north/pacs", delay)
        assert not flows.block("north/pacs", lambda _: timedelta())
        assert transaction.deliveries.claimable(Priority.ROUTINE, 9) == 0
        assert transaction.deliveries.claim(ALL, "w1", LEASE) is None
        assert {(flow.failures, flow.max_running) for flow in flows.all()} == {(1, 2)}
        assert flows.unblock("north/pacs")
        assert flows.block("north/pacs", delay)
    assert asked == [0, 0]
    trial = claim(unit_of_work)
    assert trial is not None
    assert claim(unit_of_work) is None
    with unit_of_work.begin() as transaction:
        assert transaction.flows(DELIVERY.kind).unblock("north/pacs")
        assert not transaction.flows(DELIVERY.kind).unblock("north/pacs")
    assert claim(unit_of_work) is not None
    assert claim(unit_of_work) is None


def test_the_objects_are_kept_while_the_claim_stands(unit_of_work: UnitOfWork) -> None:
    """Nobody writes them after the claim is over."""
    queue(unit_of_work, "pacs")
    claimed = claim(unit_of_work)
    assert claimed is not None
    sent = DeliveredObject(ObjectKind.SR, ObjectState.SENT, "1.2", "2.25.1", "ab", 0xB000, "warned")
    objects = (sent, claimed.objects[1])
    with unit_of_work.begin() as transaction:
        assert transaction.deliveries.progress(claimed, objects, "2.25.9")
        assert transaction.deliveries.of_transaction("2.25.9") == replace(
            claimed, objects=objects, transaction_uid="2.25.9"
        )
        assert transaction.deliveries.of_transaction("2.25.8") is None
        left = transaction.deliveries.release(claimed, AttemptOutcome.FAILED)
        assert left is not None
        assert left.objects == objects
        assert not transaction.deliveries.progress(claimed, claimed.objects)


def test_a_commitment_that_stays_silent_is_found(unit_of_work: UnitOfWork) -> None:
    """Only of what was sent and asked for; a denial queues it anew."""
    queue(unit_of_work, "pacs", "pacs")
    with unit_of_work.begin() as transaction:
        for uid in ("2.25.9", None):
            claimed = transaction.deliveries.claim(ALL, "w1", LEASE)
            assert claimed is not None
            transaction.deliveries.progress(claimed, claimed.objects, uid)
            sent = transaction.deliveries.finish(claimed, WorkEvent.DELIVER)
            assert sent is not None
            assert sent.sent_at is not None
        assert transaction.deliveries.silent(timedelta(days=1), 9) == []
        (silent,) = transaction.deliveries.silent(timedelta(), 9)
        assert silent.transaction_uid == "2.25.9"
        again = transaction.deliveries.change(silent, WorkEvent.DENY)
        assert again is not None
        assert (again.state, again.sent_at, again.transaction_uid, again.attempts) == (
            DeliveryState.QUEUED,
            None,
            None,
            0,
        )
        assert again.queued_at > NOW


def test_lists_show_the_newest_first(unit_of_work: UnitOfWork) -> None:
    """By state, destination, job and site, page by page."""
    first = queue(unit_of_work, "pacs", "web")
    (third,) = queue(unit_of_work, "pacs", created_at=NOW + timedelta(hours=1))
    with unit_of_work.begin() as transaction:
        deliveries = transaction.deliveries
        newest = list(deliveries.newest(DeliveryFilter(), None, 2))
        assert newest[0] == third
        (last,) = deliveries.newest(DeliveryFilter(), (newest[1].created_at, newest[1].id), 2)
        assert {one.id for one in (*newest, last)} == {one.id for one in (*first, third)}
        of_web = DeliveryFilter(destination_id="north/web", sites=frozenset({"north"}))
        assert [one.id for one in deliveries.newest(of_web, None, 9)] == [first[1].id]
        of_job = DeliveryFilter(job_id=third.job_id, states=frozenset({DeliveryState.QUEUED}))
        assert list(deliveries.newest(of_job, None, 9)) == [third]
        assert list(deliveries.newest(DeliveryFilter(sites=frozenset()), None, 9)) == []


def test_depths_are_told_by_destination(unit_of_work: UnitOfWork) -> None:
    """What waits, since when, and what failed."""
    queue(unit_of_work, "pacs", "pacs")
    with unit_of_work.begin() as transaction:
        claimed = transaction.deliveries.claim(ALL, "w1", LEASE)
        assert claimed is not None
        transaction.deliveries.park(claimed, reason=Reason("why", "because"), lost=False)
    queue(unit_of_work, "web")
    with unit_of_work.begin() as transaction:
        depths = transaction.deliveries.by_destination()
    of_pacs, of_web = depths["north/pacs"], depths["north/web"]
    assert (of_pacs.waiting, of_pacs.oldest_waiting_at, of_pacs.failed) == (1, NOW, 1)
    assert (of_web.waiting, of_web.failed) == (1, 0)


def test_what_a_destination_took_of_an_image_is_known(unit_of_work: UnitOfWork) -> None:
    """Of other deliveries of the same image to it; not of its own, nor of another destination."""
    (first, other) = queue(unit_of_work, "pacs", "web")
    sent = DeliveredObject(ObjectKind.SR, ObjectState.SENT, "1.2", "2.25.1", "d")
    refused = DeliveredObject(ObjectKind.SC, ObjectState.REFUSED, "1.2", "2.25.2", "d")
    again = replace(first, id=uuid4())
    with unit_of_work.begin() as transaction:
        transaction.deliveries.keep(first.id, (sent, refused), None)
        transaction.deliveries.add([again])
        assert set(transaction.deliveries.sent_of_image(again)) == {"2.25.1"}
        assert set(transaction.deliveries.sent_of_image(first)) == set()
        assert set(transaction.deliveries.sent_of_image(other)) == set()
