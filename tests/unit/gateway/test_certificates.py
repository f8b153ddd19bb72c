"""The gateway's own HTTPS, over a real connection."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from hilum_gateway.server import create_server
from hilum_stack.ports import reserve_port
from tests.certificates import Authority
from tests.unit.gateway.api import FakeGateway, fake_settings
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


class Mounted:
    """A Secret as kubelet mounts it: a link to a folder, exchanged in one step."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        self.certificate = folder / "data" / "tls.crt"
        self.key = folder / "data" / "tls.key"

    def put(self, certificate: bytes, key: bytes) -> None:
        self._count += 1
        fresh = self._folder / f"of-{self._count}"
        fresh.mkdir()
        (fresh / "tls.crt").write_bytes(certificate)
        (fresh / "tls.key").write_bytes(key)
        link = self._folder / f"link-{self._count}"
        link.symlink_to(fresh.name)
        link.replace(self._folder / "data")


@pytest.fixture
def mounted(tmp_path, authority) -> Mounted:
    secret = Mounted(tmp_path)
    signed = authority.sign("first")
    secret.put(signed.chain.read_bytes(), signed.key.read_bytes())
    return secret


@contextmanager
def served(mounted: Mounted) -> Iterator[int]:
    """The gateway's server in a thread; its port."""
    port = reserve_port()
    tls: dict[str, object] = {"certificate": mounted.certificate, "key": mounted.key}
    settings = fake_settings(http={"port": port}, tls=tls)
    server = create_server(FakeGateway().app, settings)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_for(lambda: server.started, "the server listens")
        yield port
    finally:
        server.should_exit = True
        thread.join()


def client(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority.certificate))


@contextmanager
def connection(port: int, context: ssl.SSLContext, name: str | None = "localhost"):
    with (
        socket.create_connection(("127.0.0.1", port), timeout=30) as plain,
        context.wrap_socket(plain, server_hostname=name) as secure,
    ):
        yield secure


def shown(port: int, context: ssl.SSLContext, name: str | None = "localhost") -> str:
    """The common name of the certificate that a new connection is shown."""
    with connection(port, context, name) as secure:
        subject = dict(pair for (pair,) in secure.getpeercert()["subject"])
    return subject["commonName"]


def ask(secure: ssl.SSLSocket) -> bytes:
    secure.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return secure.recv(4096).partition(b"\r\n")[0]


def test_it_answers_over_https_and_not_over_http(authority, mounted):
    """TLS 1.2 at least; nothing is answered in the clear."""
    with served(mounted) as port:
        with connection(port, client(authority)) as secure:
            assert ask(secure) == b"HTTP/1.1 200 OK"
            assert secure.version() == "TLSv1.3"
        with socket.create_connection(("127.0.0.1", port), timeout=30) as plain:
            plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b"HTTP" not in plain.recv(4096)


def test_an_old_version_of_tls_is_refused(authority, mounted):
    """1.2 is the oldest that is spoken."""
    oldest = client(authority)
    oldest.maximum_version = ssl.TLSVersion.TLSv1_2
    older = ssl.create_default_context(cafile=str(authority.certificate))
    older.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        older.minimum_version = older.maximum_version = ssl.TLSVersion.TLSv1_1
    with served(mounted) as port:
        assert shown(port, oldest) == "first"
        with pytest.raises(OSError, match=r"(?i)version|alert|reset|EOF"):
            shown(port, older)


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_a_new_certificate_is_shown_to_new_connections(authority, mounted, name):
    """Without a restart, whether or not the client names the server; what stands, stands."""
    second = authority.sign("second")
    with served(mounted) as port:
        assert shown(port, client(authority), name) == "first"
        with connection(port, client(authority), name) as standing:
            mounted.put(second.chain.read_bytes(), second.key.read_bytes())
            assert shown(port, client(authority), name) == "second"
            assert ask(standing) == b"HTTP/1.1 200 OK"


def test_half_an_exchange_changes_nothing(authority, mounted, caplog):
    """The old certificate is shown until both files belong together again."""
    second = authority.sign("third")
    with served(mounted) as port:
        first_key = mounted.key.read_bytes()
        mounted.put(second.chain.read_bytes(), first_key)
        assert [shown(port, client(authority)) for _ in range(2)] == ["first"] * 2
        assert caplog.messages.count("certificate.refused") == 1
        mounted.put(b"", b"")
        assert shown(port, client(authority)) == "first"
        os.unlink(mounted.certificate.parent)  # noqa: PTH108 - the link, not what it leads to
        assert shown(port, client(authority)) == "first"
        mounted.put(second.chain.read_bytes(), second.key.read_bytes())
        assert shown(port, client(authority)) == "third"


def test_a_client_of_another_authority_goes_away(authority, mounted, tmp_path):
    """What it is shown proves itself by this authority alone."""
    stranger = Authority(tmp_path / "stranger", "stranger")
    with served(mounted) as port, pytest.raises(ssl.SSLCertVerificationError):
        shown(port, client(stranger))
