"""Who runs the command, as the audit log names them."""

from __future__ import annotations

import getpass


def operator() -> str:
    """``operator:<user>``."""
    try:
        return f"operator:{getpass.getuser()}"
    except (KeyError, OSError):  # a container may run as a number without a name
        return "operator:unknown"
