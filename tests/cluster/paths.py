"""Where the cluster's programs and runs lie."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "cluster"
# What `make cluster-tools` builds; built once, git ignores it.
PROGRAMS = CACHE / "bin"
# One folder per running cluster; it goes when the cluster goes.
RUNS = CACHE / "run"
MODULES = Path(__file__).resolve().parent / "modules"
