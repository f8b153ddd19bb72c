"""Asks a server on this machine whether it is well."""

from __future__ import annotations

import http.client

from hilum_stack.ports import LOOPBACK


def is_healthy(port: int, path: str) -> bool:
    """Whether ``GET http://127.0.0.1:PORT/PATH`` answers 200 within two seconds.

    Plain ``http.client``: it is asked many times a second while a server starts, and must not
    take the way through a proxy that the environment names.
    """
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=2.0)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
