"""Exit codes of processes, beside 0 after a shutdown that was asked for."""

from __future__ import annotations

from typing import Final

WRONG_SETTINGS: Final = 78
"""No restart helps (EX_CONFIG of sysexits.h)."""
