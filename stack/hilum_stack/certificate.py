"""A certificate that a server shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Certificate:
    """PEM files; with one, a server speaks TLS and nothing else.

    Attributes:
        chain: The server's certificate, then those of intermediate authorities.
        key: Its private key, not encrypted.
        authority: The authority's own certificate, which clients check it against.
    """

    chain: Path
    key: Path
    authority: Path
