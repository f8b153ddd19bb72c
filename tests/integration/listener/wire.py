"""Bytes as peers put them on the wire, right and wrong (PS3.8 section 9.3)."""

from __future__ import annotations

import socket
import struct
from typing import Final

APPLICATION_CONTEXT: Final = b"1.2.840.10008.3.1.1.1"


def pdu(kind: int, body: bytes, length: int | None = None) -> bytes:
    """Return a PDU, whose length may be a lie."""
    return struct.pack(">BBL", kind, 0, len(body) if length is None else length) + body


def item(kind: int, body: bytes) -> bytes:
    """Return an item of an A-ASSOCIATE."""
    return struct.pack(">BBH", kind, 0, len(body)) + body


def associate_request(
    called: str = "HILUM",
    calling: str = "WIRE",
    *,
    sop_class: str = "1.2.840.10008.5.1.4.1.1.1.1",
    syntax: str = "1.2.840.10008.1.2.1",
) -> bytes:
    """Return an A-ASSOCIATE-RQ with one presentation context, 1."""
    context = b"\1\0\0\0" + item(0x30, sop_class.encode()) + item(0x40, syntax.encode())
    user = item(0x51, struct.pack(">L", 16384)) + item(0x52, b"1.2.3")
    head = struct.pack(">HH", 1, 0) + called.ljust(16).encode() + calling.ljust(16).encode()
    body = head + bytes(32) + item(0x10, APPLICATION_CONTEXT) + item(0x20, context)
    return pdu(1, body + item(0x50, user))


def fragment(data: bytes, *, command: bool = False, last: bool = True, context: int = 1) -> bytes:
    """Return a P-DATA-TF with one PDV."""
    header = bytes([context, command | last << 1])
    return pdu(4, struct.pack(">L", len(data) + 2) + header + data)


def element(number: int, value: bytes) -> bytes:
    """Return an element of a command set."""
    return struct.pack("<HHL", 0, number, len(value)) + value


def uid(number: int, value: str) -> bytes:
    """Return an element of a command set that holds a UID."""
    return element(number, value.encode() + b"\0" * (len(value) % 2))


def store_command(
    instance: str, sop_class: str = "1.2.840.10008.5.1.4.1.1.1.1", *, has_data: bool = True
) -> bytes:
    """Return the command set of a C-STORE-RQ."""
    body = uid(0x0002, sop_class)
    for number, value in ((0x0100, 1), (0x0110, 1), (0x0700, 0)):
        body += element(number, struct.pack("<H", value))
    body += element(0x0800, struct.pack("<H", 1 if has_data else 0x0101)) + uid(0x1000, instance)
    return element(0, struct.pack("<L", len(body))) + body


def connect(port: int, *sent: bytes) -> socket.socket:
    """Connect, and send."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=60)
    for one in sent:
        connection.sendall(one)
    return connection


def read(connection: socket.socket, count: int) -> bytes:
    """Return so many bytes, or those that came before the connection ended."""
    came = b""
    while len(came) < count and (more := connection.recv(count - len(came))):
        came += more
    return came


def read_pdu(connection: socket.socket) -> tuple[int, bytes] | None:
    """Return type and content of the next PDU, or None where the connection ended."""
    try:
        head = read(connection, 6)
        if len(head) < 6:
            return None
        return head[0], read(connection, int.from_bytes(head[2:], "big"))
    except ConnectionError:
        return None


def answer(connection: socket.socket) -> int | None:
    """Return the type of the next PDU, or None where the connection ended."""
    came = read_pdu(connection)
    return came and came[0]


def status_of(connection: socket.socket) -> int | None:
    """Return the status of the next answer, or None where the connection ended."""
    came = read_pdu(connection)
    if came is None or came[0] != 4:
        return None
    at = came[1].index(struct.pack("<HHL", 0, 0x0900, 2))
    return int.from_bytes(came[1][at + 8 : at + 10], "little")


def ends(connection: socket.socket) -> list[int]:
    """Return the types of PDUs that come until the connection ends."""
    kinds = []
    with connection:
        while (kind := answer(connection)) is not None:
            kinds.append(kind)
    return kinds
