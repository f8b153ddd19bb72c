"""Asks a server on this machine whether it is well."""

from __future__ import annotations

import http.client
import ssl
from typing import TYPE_CHECKING

from hilum_stack.ports import LOOPBACK

if TYPE_CHECKING:
    from pathlib import Path


def is_healthy(port: int, path: str, authority: Path | None = None) -> bool:
    """Whether ``GET http://127.0.0.1:PORT/PATH`` answers 200 within two seconds.

    With the certificate of an authority it is ``https``, and the server has to prove itself by it.

    Plain ``http.client``: it is asked many times a second while a server starts, and must not
    take the way through a proxy that the environment names.
    """
    if authority is None:
        connection = http.client.HTTPConnection(LOOPBACK, port, timeout=2.0)
    else:
        context = ssl.create_default_context(cafile=authority)
        connection = http.client.HTTPSConnection(LOOPBACK, port, timeout=2.0, context=context)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
