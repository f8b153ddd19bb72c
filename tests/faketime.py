"""Clocks of processes that are wrong, by libfaketime (Debian's package of that name)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from hilum_stack.errors import ServerMissing
from tests.servers import server_missing

if TYPE_CHECKING:
    from collections.abc import Mapping

_LIBRARY: Final = "faketime/libfaketimeMT.so.1"


def clock_off_by(seconds: int) -> Mapping[str, str]:
    """Return the environment of a process whose clock goes before the machine's, or behind it.

    Durations stay right, as with a clock that is set wrong. Fails where CI=true and the library is
    missing, skips elsewhere.
    """
    found = sorted(Path("/usr/lib").glob(f"*/{_LIBRARY}"))
    if not found:
        server_missing(ServerMissing("libfaketime", f"/usr/lib/*/{_LIBRARY}"))
    return {
        "LD_PRELOAD": str(found[0]),
        "FAKETIME": f"{seconds:+d}s",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
