"""TLS with certificates that are exchanged while the gateway runs."""

from __future__ import annotations

import logging
import ssl
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_LOG = logging.getLogger(__name__)

_State = tuple[tuple[int, int, int] | None, ...]


class Certificates:
    """Gives each new connection what the two files hold at that moment.

    A look at two files costs microseconds of a handshake's milliseconds, so there is no interval in
    which an exchanged certificate is not used. Connections that stand keep theirs. What cannot be
    loaded, because only one of the files has been exchanged yet or is damaged, is told once and
    changes nothing.
    """

    def __init__(self, certificate: Path, key: Path) -> None:
        """Load both.

        Args:
            certificate: PEM: the server's certificate, then those of intermediate authorities.
            key: PEM: its private key.

        Raises:
            OSError: One cannot be read.
            ssl.SSLError: One is not PEM, or they do not belong together.
        """
        self._certificate = certificate
        self._key = key
        self._looking = threading.Lock()
        self._seen = self._state()
        self._current = self._load()
        self.context = self._load()
        """For the server; every handshake on it is continued with the newest certificate."""
        self.context.sni_callback = self._choose

    def _choose(self, connection: ssl.SSLObject, _name: str | None, _: ssl.SSLContext) -> None:
        """Called after each client's greeting, also where it names no server."""
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
            connection.context = self._current

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        context.load_cert_chain(self._certificate, self._key)
        return context

    def _state(self) -> _State:
        return tuple(_mark(path) for path in (self._certificate, self._key))


def _mark(path: Path) -> tuple[int, int, int] | None:
    """Changes when the file, or what its link leads to, is another one."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
