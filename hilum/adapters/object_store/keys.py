"""Which keys an object may have."""

from __future__ import annotations

import re
from typing import Final

_SEGMENT = r"[a-z0-9_-][a-z0-9._-]{0,199}"
_KEY: Final = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT}){{0,15}}")


def is_valid_key(key: str) -> bool:
    """Whether :func:`require_valid_key` would take a key; what else a store holds is not ours."""
    return _KEY.fullmatch(key) is not None


def require_valid_key(key: str) -> str:
    """Check that a key is a plain relative path.

    A segment never begins with a dot, so ``..`` cannot leave a folder and the stores have dotted
    names for themselves. No key may be the folder of another one (``a`` beside ``a/b``): a folder
    cannot hold that, and MinIO refuses it too.

    Returns:
        The key.

    Raises:
        ValueError: It is not; keys are made by the program, so this is a defect.
    """
    if not _KEY.fullmatch(key):
        raise ValueError(f"{key!r} cannot be the key of an object")
    return key
