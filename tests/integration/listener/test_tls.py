"""Associations over TLS, with certificates on both sides."""

from __future__ import annotations

import hashlib
import shutil
import ssl
import subprocess
from typing import TYPE_CHECKING

import pytest

from hilum_stack.ports import reserve_port
from tests.certificates import Authority
from tests.integration.listener.running import Running, run
from tests.integration.listener.wire import answer, associate_request, connect
from tests.servers import run_folder
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hilum_stack.certificate import Certificate

pytestmark = pytest.mark.real

ACCEPT, REJECT = 2, 3


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def sender(authority) -> Certificate:
    return authority.sign("sender", usage="clientAuth")


class Secured(Running):
    """A listener with a port for TLS."""

    def __init__(self, folder: Path, authority: Authority, *, strangers: bool = True) -> None:
        self.files = folder / "tls"
        self.files.mkdir()
        self.tls_port = reserve_port()
        self.put(authority.sign("listener"))
        super().__init__(
            folder,
            strangers=strangers,
            HILUM_LISTENER_TLS_PORT=self.tls_port,
            HILUM_LISTENER_TLS_CERTIFICATE_FILE=self.files / "tls.crt",
            HILUM_LISTENER_TLS_KEY_FILE=self.files / "tls.key",
            HILUM_LISTENER_TLS_CA_FILE=authority.certificate,
            HILUM_LISTENER_TIMEOUT_SECONDS=5,
        )

    def put(self, certificate: Certificate) -> None:
        shutil.copy(certificate.key, self.files / "tls.key")
        shutil.copy(certificate.chain, self.files / "tls.crt")

    def rejected(self) -> int:
        """Return how many handshakes failed."""
        return self.reasons().count("tls_handshake")


@pytest.fixture(scope="module")
def listener(authority) -> Iterator[Secured]:
    with run_folder() as folder:
        running = Secured(folder, authority)
        with running.server.launch():
            yield running


def echo(listener: Secured, authority: Authority, sender: Certificate) -> bool:
    """Whether DCMTK's C-ECHO over TLS succeeds."""
    from hilum_stack.server import find_program  # noqa: PLC0415

    command = [str(find_program("DCMTK", "echoscu")), "-aec", "HILUM"]
    command += ["+tls", str(sender.key), str(sender.chain), "+cf", str(authority.certificate)]
    return run(*command, "127.0.0.1", str(listener.tls_port)).returncode == 0


def context_of(authority: Authority, sender: Certificate | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(authority.certificate))
    context.check_hostname = False
    if sender is not None:
        context.load_cert_chain(sender.chain, sender.key)
    return context


def accepted(listener: Secured, context: ssl.SSLContext) -> bool:
    """Whether an association comes about."""
    try:
        with context.wrap_socket(connect(listener.tls_port)) as connection:
            connection.sendall(associate_request())
            return answer(connection) == ACCEPT
    except (ssl.SSLError, ConnectionError):
        return False


def test_a_sender_with_a_certificate_is_served(listener: Secured, authority, sender):
    """DCMTK's echoscu, and TLS 1.2 as well as 1.3."""
    assert echo(listener, authority, sender)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = context_of(authority, sender)
        context.minimum_version = context.maximum_version = version
        assert accepted(listener, context)


def test_a_failed_handshake_is_recorded(listener: Secured, authority, sender, tmp_path):
    """Without a certificate, with one of a stranger, with plain DICOM, and with an old version."""
    stranger = Authority(tmp_path, "others").sign("stranger", usage="clientAuth")
    before = listener.rejected()
    assert not accepted(listener, context_of(authority))
    assert not accepted(listener, context_of(authority, stranger))
    assert answer(connect(listener.tls_port, associate_request())) != ACCEPT
    old = context_of(authority, sender)
    old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    old.set_ciphers("DEFAULT@SECLEVEL=0")
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    assert not accepted(listener, old)
    wait_for(lambda: listener.rejected() == before + 4, "four records")


def test_a_certificate_tells_one_peer_from_another(authority, sender):
    """The same AE title with the certificate of the peer, and with another one."""
    other = authority.sign("other", usage="clientAuth")
    der = ssl.PEM_cert_to_DER_cert(sender.chain.read_text())
    digest = hashlib.sha256(der).hexdigest()
    with run_folder() as folder:
        listener = Secured(folder, authority, strangers=False)
        listener.command("pacs", "peers", "add", "WIRE", "--site", "south", "--certificate", digest)
        with listener.server.launch():
            assert accepted(listener, context_of(authority, sender))
            assert not accepted(listener, context_of(authority, other))
            with connect(listener.port, associate_request()) as plain:
                assert answer(plain) == REJECT
            wait_for(lambda: len(listener.associations()) == 3, "records")
            assert listener.rows(
                "SELECT DISTINCT site FROM associations WHERE reason IS NULL OR reason = 'aborted'"
            ) == [("south",)]
            assert listener.reasons().count("unknown_caller") == 2


def test_silent_peers_hold_up_nobody(listener: Secured, authority, sender):
    """Neither those that say nothing nor those that begin a handshake."""
    before = listener.rejected()
    silent = [connect(listener.tls_port) for _ in range(10)]
    begun = [connect(listener.tls_port, b"\x16\x03\x01\x02\x00") for _ in range(10)]
    assert accepted(listener, context_of(authority, sender))
    wait_for(lambda: listener.rejected() >= before + len(begun), "ends of the handshakes")
    for one in (*silent, *begun):
        one.close()


def test_a_certificate_that_changes_is_shown_to_the_next_sender(listener, authority, sender):
    """One that does not fit is not taken."""
    shown = serial(listener)
    listener.put(authority.sign("listener-2"))
    assert accepted(listener, context_of(authority, sender))
    assert serial(listener) != shown
    (listener.files / "tls.crt").write_text("damaged")
    assert accepted(listener, context_of(authority, sender))
    wait_for(
        lambda: "certificate.refused" in {one["message"] for one in listener.lines()}, "a line"
    )


def serial(listener: Secured) -> str:
    """The serial number of the certificate that is shown."""
    address = f"127.0.0.1:{listener.tls_port}"
    shown = subprocess.run(
        ["openssl", "s_client", "-connect", address],
        input="",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    ).stdout
    return shown[shown.index("-----BEGIN") : shown.index("-----END")]
