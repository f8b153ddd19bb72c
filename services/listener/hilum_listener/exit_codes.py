"""Exit codes of the listener."""

from typing import Final

WRONG_SETTINGS: Final = 78
"""No restart helps (EX_CONFIG of sysexits.h)."""
