"""A name server for tests: one name, whose addresses change as pods come and go."""

from __future__ import annotations

import socket
import struct
import threading
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME: Final = "triton.hilum.test"

_HEADER: Final = struct.Struct("!6H")
_ANSWERED: Final = 0x8580  # a response, authoritative, recursion available
_NO_SUCH_NAME: Final = 0x0003
_TYPE_A: Final = 1
_TYPE_CLASS: Final = struct.Struct("!HH")


class NameServer:
    """Answers over UDP (RFC 1035), without a cache and for IPv4 only.

    Attributes:
        addresses: What :data:`NAME` stands for from now on.
        asked: Questions so far.
    """

    def __init__(self, addresses: Sequence[str]) -> None:
        self.addresses = list(addresses)
        self.asked = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.sendto(b"", self._socket.getsockname())  # ends the thread
        self._thread.join()
        self._socket.close()

    def target(self, port: int) -> str:
        """A gRPC target that looks the name up here."""
        return f"dns://127.0.0.1:{self._socket.getsockname()[1]}/{NAME}:{port}"

    def _serve(self) -> None:
        while True:
            query, client = self._socket.recvfrom(4096)
            if not query:
                return
            self._socket.sendto(self._answer(query), client)

    def _answer(self, query: bytes) -> bytes:
        """The answer to a query with one question."""
        number, _, _, *_ = _HEADER.unpack_from(query)
        end = query.index(b"\0", _HEADER.size) + 1
        kind, _ = _TYPE_CLASS.unpack_from(query, end)
        question = query[_HEADER.size : end + _TYPE_CLASS.size]
        self.asked += 1
        known = question[: end - _HEADER.size].lower() == _encoded(NAME)
        found = self.addresses if known and kind == _TYPE_A else []
        flags = _ANSWERED if known else _ANSWERED | _NO_SUCH_NAME
        # Each record names the question (a pointer to it), is for the Internet, and lives 0 s.
        records = b"".join(
            struct.pack("!HHHIH", 0xC000 | _HEADER.size, _TYPE_A, 1, 0, 4) + socket.inet_aton(one)
            for one in found
        )
        return _HEADER.pack(number, flags, 1, len(found), 0, 0) + question + records


def _encoded(name: str) -> bytes:
    return b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"
