"""Where things lie."""

from __future__ import annotations

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
CACHE: Final = ROOT / ".cache" / "images"
"""Archives, the base that stands in for the registry's, and the report; git ignores it."""

REPORT: Final = CACHE / "images.json"

PROGRAMS: Final = ROOT / ".cache" / "bin"
"""Where `make services` puts programs that it builds."""
