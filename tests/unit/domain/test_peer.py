"""Which peer calls, and what an AE title, a network and a digest may be."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from hilum.domain.errors import InvalidRequest, NotPermitted
from hilum.domain.peer import (
    Peer,
    valid_ae_title,
    valid_certificate_digest,
    valid_network,
    who_calls,
)
from hilum.domain.principal import Permission, PrincipalKind

PLAIN = Peer(id=uuid4(), site="north", ae_title="CR1", created_at=datetime(2026, 12, 1, tzinfo=UTC))
ONE, TWO = "1" * 64, "2" * 64


def peer(**changed: object) -> Peer:
    return replace(PLAIN, id=uuid4(), **changed)


def test_a_peer_acts_for_its_site_alone():
    """It submits images there, and nothing else."""
    principal = PLAIN.principal()
    assert (principal.kind, principal.id) == (PrincipalKind.AE_TITLE, "CR1")
    assert principal.site_for(Permission.SUBMIT_IMAGES, None) == "north"
    with pytest.raises(NotPermitted):
        principal.require(Permission.SUBMIT_IMAGES, "south")
    with pytest.raises(NotPermitted):
        principal.require(Permission.OPERATE_QUEUE)
    with pytest.raises(NotPermitted):
        peer(may_send=False).principal().require(Permission.SUBMIT_IMAGES)


@pytest.mark.parametrize(
    ("asked", "address", "certificate", "admitted"),
    [
        ({}, "10.0.0.1", None, True),
        ({}, "::1", ONE, True),
        ({"network": "10.0.0.0/8"}, "10.200.0.1", None, True),
        ({"network": "10.0.0.0/8"}, "::ffff:10.0.0.1", None, True),
        ({"network": "10.0.0.0/8"}, "11.0.0.1", None, False),
        ({"network": "10.0.0.0/8"}, "fe80::1", None, False),
        ({"network": "fe80::/10"}, "fe80::1", None, True),
        ({"certificate_sha256": ONE}, "10.0.0.1", ONE, True),
        ({"certificate_sha256": ONE}, "10.0.0.1", TWO, False),
        ({"certificate_sha256": ONE}, "10.0.0.1", None, False),
        ({"certificate_sha256": ONE, "network": "10.0.0.1"}, "10.0.0.2", ONE, False),
    ],
)
def test_a_caller_has_to_be_what_was_asked_for(asked, address, certificate, admitted):
    """Network and certificate, each where one is named."""
    assert peer(**asked).admits(address, certificate) is admitted


def test_the_peer_of_which_most_is_asked_is_the_one_that_calls():
    """A certificate before a network, a narrow network before a wide one, all before none."""
    anyone = peer(site="a")
    wide = peer(site="b", network="10.0.0.0/8")
    narrow = peer(site="c", network="10.0.0.0/24")
    certified = peer(site="d", certificate_sha256=ONE)
    peers = [anyone, wide, narrow, certified]
    assert who_calls(peers, "10.0.0.1", ONE) is certified
    assert who_calls(peers, "10.0.0.1", None) is narrow
    assert who_calls(peers, "10.9.0.1", TWO) is wide
    assert who_calls(peers, "11.0.0.1", None) is anyone
    assert who_calls(peers[1:], "11.0.0.1", None) is None


def test_nobody_is_guessed():
    """Two that fit equally well would give one site's images to another."""
    twins = [peer(site="a"), peer(site="b")]
    assert who_calls(twins, "10.0.0.1", None) is None
    apart = [peer(site="a", certificate_sha256=ONE), peer(site="b", certificate_sha256=TWO)]
    assert who_calls(apart, "10.0.0.1", TWO) is apart[1]


@pytest.mark.parametrize("text", ["CR1", "  CR 1  ", "A" * 16, "~!{}"])
def test_an_ae_title_loses_the_spaces_around_it(text):
    """They have no meaning (PS3.5)."""
    assert valid_ae_title(text) == text.strip()


@pytest.mark.parametrize("text", ["", " " * 16, "A" * 17, "A\\B", "A\nB", "Ä", "A\tB"])
def test_what_is_no_ae_title_is_refused(text):
    """With the reason, and without the text."""
    with pytest.raises(InvalidRequest, match="1 to 16 ASCII characters"):
        valid_ae_title(text)


def test_networks_and_digests_have_one_form():
    """However they were typed."""
    assert valid_network("10.1.2.3") == "10.1.2.3/32"
    assert valid_network("fe80::/10") == "fe80::/10"
    assert valid_certificate_digest(":".join(["AB"] * 32)) == "ab" * 32
    for wrong in ("10.0.0.0/33", "10.0.0.1/8", "pacs.hospital.example", "fe80::1%eth0", ""):
        with pytest.raises(InvalidRequest):
            valid_network(wrong)
    for wrong in ("ab" * 31, "zz" * 32, ""):
        with pytest.raises(InvalidRequest):
            valid_certificate_digest(wrong)
