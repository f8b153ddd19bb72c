"""File names from outside: shown to people and sent back, never used as a path or a key."""

from __future__ import annotations

import unicodedata
from typing import Final
from urllib.parse import quote

LONGEST: Final = 200
UNNAMED: Final = "unnamed"


def display_name(sent: str | None) -> str:
    """A file name that is safe to show: the last part of a path, printable, not too long."""
    last = (sent or "").replace("\\", "/").rpartition("/")[2]
    spaced = (" " if unicodedata.category(c) == "Zs" else c for c in last)
    # Not printable are control and format characters, the bidirectional overrides among them,
    # with which "film_gnp.exe" shows as "film_exe.png".
    printable = "".join(c for c in spaced if c.isprintable())
    return printable.strip()[:LONGEST].strip() or UNNAMED


def attachment(filename: str) -> str:
    """A ``Content-Disposition`` that makes a browser save the file (RFC 6266).

    The plain form is ASCII without quotes or backslashes; the extended one (RFC 8187) carries
    every other name.
    """
    name = display_name(filename)
    plain = "".join(c if c.isascii() and c not in '"\\%' else "_" for c in name)
    extended = "" if plain == name else f"; filename*=UTF-8''{quote(name, safe='')}"
    return f'attachment; filename="{plain}"{extended}'
