"""What every way of sending to a PACS does: on the fake, scripted peers, DCMTK and Orthanc."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import pytest
from pydicom.uid import ImplicitVRLittleEndian

from hilum.adapters.dicom.encoding.result_encoder import HighdicomEncoder
from hilum.adapters.dicom.network.dimse_sender import DimseSender, Timeouts
from hilum.adapters.dicom.network.stow_sender import StowSender
from hilum.adapters.dicom.network.tls import TlsFiles
from hilum.application.ports.pacs import Answer
from hilum.domain.destination import DestinationKind, EncodingOptions, ObjectKind
from hilum.domain.errors import DestinationRefuses, DestinationUnavailable
from hilum_stack.orthanc import OrthancServer
from hilum_stack.ports import LOOPBACK, reserve_port
from hilum_stack.storescp import StorescpServer
from tests.certificates import Authority
from tests.contract.scripted_peer import ScriptedPeer, StorageCommitmentPushModel
from tests.contract.test_deliveries import a_destination
from tests.fakes.pacs_network import InMemoryPacs
from tests.servers import started
from tests.unit.adapters.dicom.encoding import results
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hilum.application.ports.result_encoder import DicomObject
    from hilum.domain.destination import Destination

PATIENT = Timeouts(connect=5, associate=20, answer=60)
HASTY = Timeouts(connect=1, associate=1, answer=1)
KINDS = (ObjectKind.SR, ObjectKind.SC, ObjectKind.GSPS, ObjectKind.SEG)


@pytest.fixture(scope="module")
def objects() -> list[DicomObject]:
    made = HighdicomEncoder().encode(results.result(), KINDS, EncodingOptions())
    return list(made.values())


@pytest.fixture
def sender() -> Iterator[DimseSender]:
    sender = DimseSender(PATIENT)
    yield sender
    sender.close()


def at(port: int, ae_title: str = "PEER", **changes: Any) -> Destination:
    return a_destination(ae_title=ae_title, host=LOOPBACK, port=port, **changes)


@contextmanager
def fake() -> Iterator[tuple[Any, Destination, Any]]:
    pacs = InMemoryPacs()
    yield pacs, a_destination(), lambda: set(pacs.held)


@contextmanager
def scripted() -> Iterator[tuple[Any, Destination, Any]]:
    with ScriptedPeer() as peer:
        yield DimseSender(PATIENT), at(peer.port), lambda: set(peer.held)


@contextmanager
def dcmtk() -> Iterator[tuple[Any, Destination, Any]]:
    with started(StorescpServer) as server:
        destination = at(server.dicom_port, server.ae_title)
        pacs = DimseSender(PATIENT)
        answers(pacs, destination)
        yield (
            pacs,
            destination,
            lambda: {path.name.split(".", 1)[1] for path in server.received.iterdir()},
        )


@contextmanager
def orthanc() -> Iterator[tuple[Any, Destination, Any]]:
    with started(OrthancServer) as server:
        destination = at(server.dicom_port, server.ae_title)
        pacs = DimseSender(PATIENT)
        answers(pacs, destination)
        yield pacs, destination, lambda: held_by(server)


@contextmanager
def stow() -> Iterator[tuple[Any, Destination, Any]]:
    with started(OrthancServer) as server:
        url = f"{server.url}/dicom-web"
        destination = a_destination(kind=DestinationKind.STOW, url=url)
        pacs = StowSender(PATIENT)
        answers(pacs, destination)
        yield pacs, destination, lambda: held_by(server)


def answers(pacs: Any, destination: Destination) -> None:
    """Wait until the server behind a relay takes connections."""

    def echoed() -> bool:
        try:
            return pacs.echo(destination) >= 0
        except DestinationUnavailable:
            return False

    wait_for(echoed, "the server answers")


def held_by(server: OrthancServer) -> set[str]:
    found = json.load(urlopen(f"{server.url}/instances?expand"))  # noqa: S310 - on this machine
    return {one["MainDicomTags"]["SOPInstanceUID"] for one in found}


EVERY = {"fake": fake, "scripted": scripted, "dcmtk": dcmtk, "orthanc": orthanc, "stow": stow}


@pytest.mark.parametrize("kind", EVERY)
def test_what_is_sent_is_held_once(kind, objects):
    """Each object has its answer, in their order; sent again, nothing is added."""
    with EVERY[kind]() as (pacs, destination, held):
        wanted = [one.sop_instance_uid for one in objects]
        for _ in range(2):
            told = pacs.send(destination, objects)
            assert [one.sop_instance_uid for one in told] == wanted
            assert {one.answer for one in told} == {Answer.SENT}
        wait_for(lambda: len(held()) == len(wanted), "all is held")
        if kind != "dcmtk":  # whose files carry a prefix of the modality
            assert held() == set(wanted)
        assert pacs.echo(destination) >= 0


def test_a_peer_gets_the_bytes_that_were_encoded(sender, objects):
    """In Explicit VR Little Endian, on one association for many objects."""
    with ScriptedPeer() as peer:
        for _ in range(5):
            sender.send(at(peer.port), objects)
        assert peer.associations == 1
        assert {uid: encoded for uid, (encoded, _) in peer.held.items()} == {
            one.sop_instance_uid: one.data_set for one in objects
        }


def test_a_peer_that_takes_implicit_vr_alone_gets_that(sender, objects):
    """The same values, sequences included."""
    with ScriptedPeer(syntaxes=(ImplicitVRLittleEndian,)) as peer:
        told = sender.send(at(peer.port), objects)
        assert {one.answer for one in told} == {Answer.SENT}
        assert {syntax for _, syntax in peer.held.values()} == {ImplicitVRLittleEndian}


def test_a_class_that_a_peer_does_not_know_is_refused_and_the_rest_stands(sender, objects):
    """Its words say that there was no presentation context."""
    with ScriptedPeer(without=(objects[0].sop_class_uid,)) as peer:
        told = sender.send(at(peer.port), objects)
        assert [one.answer for one in told] == [Answer.REFUSED, *[Answer.SENT] * 3]
        assert told[0].status is None
        assert "presentation context" in told[0].words
        assert set(peer.held) == {one.sop_instance_uid for one in objects[1:]}


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (0x0000, Answer.SENT),
        (0xB000, Answer.SENT),
        (0xB006, Answer.SENT),
        (0xB007, Answer.SENT),
        (0xA700, Answer.LATER),
        (0xA7FF, Answer.LATER),
        (0xA900, Answer.REFUSED),
        (0xC000, Answer.REFUSED),
        (0xCFFF, Answer.REFUSED),
        (0x0122, Answer.REFUSED),
        (0x0124, Answer.REFUSED),
    ],
)
def test_each_status_has_its_meaning(sender, objects, status, answer):
    """And the peer's own words come along, without the patient's name and number."""
    comment = "no room for Phantom, id PHANTOM-1" if status else ""
    with ScriptedPeer() as peer:
        peer.statuses = {objects[0].sop_class_uid: (status, comment)}
        first, *rest = sender.send(at(peer.port), objects)
        assert (first.answer, first.status) == (answer, status)
        if comment:
            assert first.words == "no room for ..., id ..."
        assert {one.answer for one in rest} == {Answer.SENT}


def test_a_rejection_for_good_and_one_for_now_differ(sender, objects):
    """A wrong called AE title is refused. Too many associations are an outage."""
    with ScriptedPeer(calls_itself="PEER") as peer, pytest.raises(DestinationRefuses) as refused:
        sender.send(at(peer.port, "ANOTHER"), objects)
    assert "Called AE title not recognised" in refused.value.detail
    with ScriptedPeer(most=1) as peer:
        sender.send(at(peer.port), objects[:1])  # which keeps its association
        another = DimseSender(PATIENT)
        with pytest.raises(DestinationUnavailable) as busy:
            another.send(at(peer.port), objects[:1])
    assert "Local limit exceeded" in busy.value.detail


def test_an_abort_in_the_middle_leaves_what_was_taken(sender, objects):
    """The rest is to be sent later."""
    with ScriptedPeer() as peer:
        peer.abort_at = 3
        told = sender.send(at(peer.port), objects)
        assert [one.answer for one in told] == [Answer.SENT, Answer.SENT, *[Answer.LATER] * 2]
        peer.abort_at = 0
        again = sender.send(at(peer.port), objects[2:])
        assert {one.answer for one in again} == {Answer.SENT}


def test_an_association_that_the_peer_closed_is_replaced(sender, objects):
    """No outage, and nothing is lost."""
    with ScriptedPeer() as peer:
        sender.send(at(peer.port), objects[:1])
        peer.close_associations()
        (told,) = sender.send(at(peer.port), objects[1:2])
        assert told.answer is Answer.SENT
        assert peer.associations == 2


def test_an_address_at_which_nobody_listens_is_an_outage(sender, objects):
    """With the reason of the network."""
    gone = at(reserve_port())
    for call in (lambda: sender.send(gone, objects), lambda: sender.echo(gone)):
        with pytest.raises(DestinationUnavailable, match="no connection: Connection refused"):
            call()
    web = a_destination(kind=DestinationKind.STOW, url=f"http://{LOOPBACK}:{reserve_port()}/d")
    with pytest.raises(DestinationUnavailable):
        StowSender(HASTY).send(web, objects)


def test_a_silent_peer_holds_up_no_other(objects):
    """It is an outage of its own."""
    silent = DimseSender(HASTY)
    with socket.create_server((LOOPBACK, 0)) as listening, ScriptedPeer() as peer:
        failed: list[Exception] = []

        def send() -> None:
            try:
                silent.send(at(listening.getsockname()[1]), objects)
            except DestinationUnavailable as error:
                failed.append(error)

        waiting = threading.Thread(target=send)
        waiting.start()
        told = silent.send(at(peer.port), objects)
        assert {one.answer for one in told} == {Answer.SENT}
        waiting.join()
    assert len(failed) == 1
    silent.close()


def test_idle_associations_are_released(objects):
    """None is open when a sender is closed."""
    sender = DimseSender(PATIENT)
    with ScriptedPeer() as peer:
        sender.send(at(peer.port), objects[:1])
        sender.close()
        wait_for(lambda: not peer.entity.active_associations, "associations are released")


def test_commitment_is_asked_under_its_transaction(sender):
    """A peer that knows none refuses."""
    named = [("1.2.840.10008.5.1.4.1.1.7", "1.2.3")]
    with ScriptedPeer() as peer:
        sender.request_commitment(at(peer.port), "2.25.7", named)
        assert peer.committed == ["2.25.7"]
    with (
        ScriptedPeer(without=(StorageCommitmentPushModel,)) as peer,
        pytest.raises(DestinationRefuses, match="knows no storage commitment"),
    ):
        sender.request_commitment(at(peer.port), "2.25.7", named)
    web = a_destination(kind=DestinationKind.STOW, url="http://127.0.0.1:1/d")
    with pytest.raises(DestinationRefuses):
        StowSender().request_commitment(web, "2.25.7", named)


def test_tls_shows_our_certificate_and_checks_theirs(tmp_path, objects):
    """Another authority ends in a sentence that says so."""
    ours, theirs = Authority(tmp_path / "ours"), Authority(tmp_path / "theirs")
    own = ours.sign("sender", usage="clientAuth")
    server = ours.sign("peer")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server.chain, server.key)
    context.load_verify_locations(ours.certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    with ScriptedPeer(tls=context) as peer:
        good = DimseSender(PATIENT, TlsFiles(ours.certificate, own.chain, own.key))
        told = good.send(at(peer.port, tls=True), objects[:1])
        assert told[0].answer is Answer.SENT
        good.close()
        bad = DimseSender(PATIENT, TlsFiles(theirs.certificate, own.chain, own.key))
        with pytest.raises(DestinationUnavailable, match="TLS: CERTIFICATE_VERIFY_FAILED"):
            bad.send(at(peer.port, tls=True), objects[:1])
        missing = DimseSender(PATIENT, TlsFiles(tmp_path / "none.pem"))
        with pytest.raises(DestinationUnavailable, match="our own TLS files"):
            missing.send(at(peer.port, tls=True), objects[:1])
