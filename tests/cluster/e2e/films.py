"""Where the films of these tests come from, as `make demo` finds them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from hilum_stack.paths import DEFAULT_CXR_FOLDER

COLLECTION: Final = Path(os.environ.get("HILUM_CXR_DIR") or DEFAULT_CXR_FOLDER)
"""A folder of films; where it is not there, films are drawn."""
