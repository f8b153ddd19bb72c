"""Advisory locks of PostgreSQL, by name."""

from __future__ import annotations

import hashlib


def advisory_key(name: str) -> int:
    """Return the advisory lock, a signed 64-bit number, that a name stands for."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
