"""Who runs the command, as the audit log names them."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

from hilum.domain.principal import local_command

if TYPE_CHECKING:
    from hilum.domain.principal import Principal


def local_principal() -> Principal:
    """Return who is signed in on this machine."""
    try:
        return local_command(getpass.getuser())
    except (KeyError, OSError):  # a container may run as a number without a name
        return local_command("unknown")
