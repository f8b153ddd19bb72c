"""DICOM peers and their associations, on each kind of database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from hilum.application.access.manage_peers import ManagePeers, WantedPeer
from hilum.application.access.record_associations import RecordAssociations
from hilum.domain.association import Association, AssociationOutcome
from hilum.domain.errors import InvalidRequest, NotFound, NotPermitted
from hilum.domain.principal import Role
from tests.unit.application.stage import Stage, key

if TYPE_CHECKING:
    from hilum.application.ports.unit_of_work import UnitOfWork

NORTH = key(Role.ADMIN, "north")
DIGEST = "ab" * 32


@pytest.fixture
def peers(unit_of_work: UnitOfWork) -> ManagePeers:
    return ManagePeers(unit_of_work=unit_of_work)


def audited(unit_of_work: UnitOfWork) -> list[tuple[str, object]]:
    with unit_of_work.begin(write=False) as transaction:
        events = [record.event for record in transaction.audit.records()]
    return [(event.action, event.details["ae_title"]) for event in events]


def test_a_peer_is_added_found_and_removed(peers: ManagePeers, unit_of_work: UnitOfWork) -> None:
    """What was asked of it comes back, and the audit log has both."""
    wanted = WantedPeer(
        site="north",
        ae_title=" PACS 1 ",
        host="pacs.hospital.example",
        port=11112,
        network="10.1.0.0/16",
        certificate_sha256=DIGEST.upper(),
        may_query=True,
    )
    peer = peers.add(wanted, NORTH)
    assert (peer.ae_title, peer.certificate_sha256, peer.may_query) == ("PACS 1", DIGEST, True)
    assert list(peers.all(NORTH)) == [peer]
    assert peers.identify("PACS 1  ", "10.1.2.3", DIGEST) == peer
    assert peers.identify("PACS 1", "10.2.2.3", DIGEST) is None
    assert peers.identify("pacs 1", "10.1.2.3", DIGEST) is None
    assert peers.remove("north", "PACS 1", NORTH) == peer
    assert peers.identify("PACS 1", "10.1.2.3", DIGEST) is None
    assert audited(unit_of_work) == [("peer.added", "PACS 1"), ("peer.removed", "PACS 1")]


def test_one_that_may_not_send_is_not_identified(peers: ManagePeers) -> None:
    """It may be there to be sent to."""
    peers.add(WantedPeer(site="north", ae_title="WS1", may_send=False), NORTH)
    assert peers.identify("WS1", "10.0.0.1", None) is None


def test_two_sites_may_have_one_ae_title_if_they_can_be_told_apart(peers: ManagePeers) -> None:
    """By a network here. Without one the second is refused."""
    everywhere = key()
    north = peers.add(WantedPeer(site="north", ae_title="CR1"), everywhere)
    with pytest.raises(InvalidRequest, match="another site"):
        peers.add(WantedPeer(site="south", ae_title="CR1"), everywhere)
    south = peers.add(WantedPeer(site="south", ae_title="CR1", network="10.2.0.0/16"), everywhere)
    assert peers.identify("CR1", "10.1.0.1", None) == north
    assert peers.identify("CR1", "10.2.0.1", None) == south
    assert list(peers.all(NORTH)) == [north]
    assert list(peers.all(everywhere)) == [north, south]


@pytest.mark.parametrize(
    "changed",
    [
        {"ae_title": ""},
        {"network": "10.0.0.0/40"},
        {"certificate_sha256": "ab"},
        {"host": "pacs"},
        {"port": 104},
        {"host": "pacs", "port": 0},
    ],
)
def test_what_is_no_peer_is_refused(
    peers: ManagePeers, unit_of_work: UnitOfWork, changed: dict[str, object]
) -> None:
    """Nothing is written."""
    with pytest.raises(InvalidRequest):
        peers.add(replace(WantedPeer(site="north", ae_title="CR1"), **changed), NORTH)
    assert audited(unit_of_work) == []


def test_a_peer_is_managed_by_who_manages_its_site(
    peers: ManagePeers, unit_of_work: UnitOfWork
) -> None:
    """Nobody else adds or removes one, and a second of the same name is refused."""
    wanted = WantedPeer(site="north", ae_title="CR1")
    for who in (key(Role.OPERATOR, "north"), key(Role.ADMIN, "south")):
        with pytest.raises(NotPermitted):
            peers.add(wanted, who)
    peers.add(wanted, NORTH)
    with pytest.raises(InvalidRequest, match="has a peer"):
        peers.add(wanted, NORTH)
    with pytest.raises(NotPermitted):
        peers.remove("north", "CR1", key(Role.ADMIN, "south"))
    with pytest.raises(NotFound):
        peers.remove("north", "CR2", NORTH)
    with pytest.raises(NotPermitted):
        peers.all(key(Role.OPERATOR, "north"))
    assert audited(unit_of_work) == [("peer.added", "CR1")]


def an_association(began_at: datetime, **changed: object) -> Association:
    association = Association(
        id=uuid4(),
        began_at=began_at,
        ended_at=began_at + timedelta(seconds=1),
        calling_ae="CR1",
        called_ae="HILUM",
        address="10.0.0.1",
        site="north",
        outcome=AssociationOutcome.ACCEPTED,
        stored=3,
        refused=1,
    )
    return replace(association, **changed)


def test_associations_come_back_newest_first(unit_of_work: UnitOfWork) -> None:
    """Those that were rejected by themselves, too; each site sees its own."""
    associations = RecordAssociations(unit_of_work=unit_of_work)
    began = datetime(2026, 12, 1, tzinfo=UTC)
    taken = an_association(began)
    unknown = an_association(
        began + timedelta(minutes=1),
        site=None,
        ended_at=None,
        outcome=AssociationOutcome.REJECTED,
        reason="unknown_caller",
        stored=0,
    )
    aborted = an_association(
        began + timedelta(minutes=2), site="south", outcome=AssociationOutcome.ABORTED
    )
    for one in (unknown, aborted, taken):
        associations.record(one)
    everywhere = key()
    assert list(associations.newest(everywhere, 10)) == [aborted, unknown, taken]
    assert list(associations.newest(everywhere, 1)) == [aborted]
    assert list(associations.newest(everywhere, 10, accepted=False)) == [aborted, unknown]
    assert list(associations.newest(everywhere, 10, accepted=True)) == [taken]
    assert list(associations.newest(NORTH, 10)) == [taken]
    with pytest.raises(NotPermitted):
        associations.newest(key(Role.OPERATOR), 10)


def test_reconciliation_removes_old_associations(unit_of_work: UnitOfWork) -> None:
    """By the database's clock, after the age of records of attempts."""
    stage = Stage(unit_of_work=unit_of_work)
    with unit_of_work.begin(write=False) as transaction:
        now = transaction.now
    old, young = an_association(now - timedelta(days=91)), an_association(now)
    associations = RecordAssociations(unit_of_work=unit_of_work)
    associations.record(old)
    associations.record(young)
    stage.reconcile()
    assert list(associations.newest(key(), 10)) == [young]
