"""Where to go after sign-in: only to one of our own pages."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

HOME: Final = "/"


def local_path(text: str | None) -> str:
    r"""A path on this server, or the worklist where the text is anything else.

    ``//host`` and ``/\\host`` are addresses of other servers to a browser, and it drops tabs and
    line breaks from an address before it looks (WHATWG URL, sections 4.3 and 4.4).
    """
    if not text or not text.startswith("/") or text[1:2] in ("/", "\\"):
        return HOME
    if any(character <= " " or character == "\\" for character in text):
        return HOME
    return text


def path_of(address: str) -> str:
    """Path and query of an address."""
    parts = urlsplit(address)
    return local_path(parts.path + (f"?{parts.query}" if parts.query else ""))
