"""Where things lie in a checkout."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# What a run leaves behind: data, logs, the API key.
RUN_FOLDER = ROOT / ".hilum"
# Where `make services` puts what the system's package manager does not have.
CACHE = ROOT / ".cache"
MODEL_REPOSITORY = ROOT / "model_repository"
DEFAULT_CXR_FOLDER = ROOT.parent / "shared" / "cxr"
