"""TLS with certificates that are exchanged while a server runs."""

from __future__ import annotations

import logging
import ssl
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_LOG = logging.getLogger(__name__)

_State = tuple[tuple[int, int, int] | None, ...]


class Certificates:
    """Gives each new connection what the files hold at that moment.

    A look at the files costs microseconds of a handshake's milliseconds, so there is no interval in
    which an exchanged certificate is not used. Connections that stand keep theirs. What cannot be
    loaded, because only one of the files has been exchanged yet or is damaged, is told once and
    changes nothing.
    """

    def __init__(
        self,
        certificate: Path,
        key: Path,
        *,
        clients: Path | None = None,
        protocols: Sequence[str] = (),
    ) -> None:
        """Load all files.

        Args:
            certificate: PEM: the server's certificate, then those of intermediate authorities.
            key: PEM: its private key.
            clients: PEM: authorities of clients. With it, each client has to show a certificate.
            protocols: Names for ALPN, as in ``http/1.1``.

        Raises:
            OSError: One cannot be read.
            ssl.SSLError: One is not PEM, or they do not belong together.
        """
        self._certificate = certificate
        self._key = key
        self._clients = clients
        self._protocols = list(protocols)
        self._looking = threading.Lock()
        self._seen = self._state()
        self._current = self._load()
        self.context = self._load()
        """For the server; every handshake on it is continued with the newest certificate."""
        self.context.sni_callback = self._choose

    def newest(self) -> ssl.SSLContext:
        """Return a context with what the files hold now, or held when they last fitted."""
        with self._looking:
            state = self._state()
            if state != self._seen:
                self._seen = state
                try:
                    self._current = self._load()
                except OSError as error:  # ssl.SSLError is one
                    _LOG.error("certificate.refused", extra={"error": str(error)})
                else:
                    _LOG.info("certificate.loaded")
            return self._current

    def _choose(self, connection: ssl.SSLObject, _name: str | None, _: ssl.SSLContext) -> None:
        """Called after each client's greeting, also where it names no server."""
        connection.context = self.newest()

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self._protocols:
            context.set_alpn_protocols(self._protocols)
        context.load_cert_chain(self._certificate, self._key)
        if self._clients is not None:
            context.load_verify_locations(self._clients)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def _state(self) -> _State:
        files = (self._certificate, self._key, self._clients)
        return tuple(_mark(path) for path in files if path is not None)


def _mark(path: Path) -> tuple[int, int, int] | None:
    """Changes when the file, or what its link leads to, is another one."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
