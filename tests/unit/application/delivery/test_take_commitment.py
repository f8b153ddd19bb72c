"""Storage commitment: confirmed, denied, silent."""

from __future__ import annotations

import pytest

from hilum.application.delivery.take_commitment import take_commitment
from hilum.domain.delivery import DeliveryState
from hilum.domain.errors import DestinationUnavailable, NotFound, TransitionNotAllowed
from hilum.domain.principal import Role
from tests.unit.application.delivery.desk import DeliveryDesk
from tests.unit.application.stage import key

PEER = key(Role.SUBMITTER, "north")


@pytest.fixture
def desk() -> DeliveryDesk:
    desk = DeliveryDesk()
    desk.destination(commitment=True)
    desk.send()
    desk.work()
    assert desk.delivery.state is DeliveryState.SENT
    return desk


def test_a_report_of_success_confirms_and_may_come_twice(desk):
    """Under the UID that was asked with, for all that was sent."""
    ((uid, named),) = desk.pacs.asked
    assert uid == desk.delivery.transaction_uid
    assert [instance for _, instance in named] == list(desk.pacs.held)
    for _ in range(2):
        take_commitment(desk.unit_of_work, uid, {}, PEER)
        assert desk.delivery.state is DeliveryState.CONFIRMED
    assert desk.stage.actions()[-1] == "delivery.confirmed"


def test_what_a_peer_did_not_keep_is_sent_again(desk):
    """That alone, and commitment is asked for under another UID."""
    ((uid, named),) = desk.pacs.asked
    lost = named[1][1]
    take_commitment(desk.unit_of_work, uid, {lost: 0x0112}, PEER)
    assert desk.delivery.state is DeliveryState.QUEUED
    desk.pacs.sent.clear()
    desk.work()
    assert desk.pacs.sent == [lost]
    assert desk.delivery.state is DeliveryState.SENT
    assert desk.delivery.transaction_uid not in {None, uid}


def test_silence_for_a_day_sends_everything_again(desk):
    """The reconciler sees to it."""
    desk.pacs.sent.clear()
    desk.later(23 * 3600)
    assert desk.pacs.sent == []
    desk.later(2 * 3600)
    assert len(desk.pacs.sent) == 2
    assert len(desk.pacs.asked) == 2
    assert "delivery.denied" in desk.stage.actions()


def test_a_report_that_nobody_asked_for_changes_nothing(desk):
    """Of another site's peer, or under another UID."""
    ((uid, _),) = desk.pacs.asked
    for transaction, principal in (("2.25.1", PEER), (uid, key(Role.SUBMITTER, "south"))):
        with pytest.raises(NotFound):
            take_commitment(desk.unit_of_work, transaction, {}, principal)
    assert desk.delivery.state is DeliveryState.SENT


def test_a_report_that_comes_too_early_is_to_come_again(desk):
    """The peer may be faster than our own commit."""
    ((uid, _),) = desk.pacs.asked
    take_commitment(desk.unit_of_work, uid, {"1.2": 0x0110}, PEER)
    with pytest.raises((TransitionNotAllowed, NotFound)):
        take_commitment(desk.unit_of_work, uid, {}, PEER)


def test_a_request_for_commitment_that_fails_sends_nothing_again():
    """It alone is repeated."""
    desk = DeliveryDesk()
    desk.destination(commitment=True)
    ask, desk.pacs.request_commitment = desk.pacs.request_commitment, unavailable
    desk.send()
    desk.work()
    assert desk.delivery.state is DeliveryState.QUEUED
    desk.pacs.request_commitment = ask
    desk.later(60)
    assert desk.delivery.state is DeliveryState.SENT
    assert len(desk.pacs.sent) == 2
    assert [uid for uid, _ in desk.pacs.asked] == [desk.delivery.transaction_uid]


def unavailable(*_: object) -> None:
    raise DestinationUnavailable("aborted")


def test_a_peer_without_storage_commitment_is_a_dead_letter():
    """It was asked for what it does not do."""
    desk = DeliveryDesk()
    desk.pacs.unknown = {"commitment"}
    desk.destination(commitment=True)
    desk.send()
    desk.work()
    assert desk.delivery.state is DeliveryState.FAILED
    assert "knows no storage commitment" in desk.delivery.reason.detail
