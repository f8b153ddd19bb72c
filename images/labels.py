"""What an image says of itself: version, revision and source."""

from __future__ import annotations

import os
import subprocess
import tomllib
from typing import TYPE_CHECKING

from images.paths import ROOT

if TYPE_CHECKING:
    from images.catalogue import Image


def label_arguments(image: Image) -> dict[str, str]:
    """Build arguments of the labels, each of which the environment may set (VERSION=...)."""
    return {
        "VERSION": os.environ.get("VERSION") or product_version(),
        "REVISION": os.environ.get("REVISION") or revision(image),
        "SOURCE": os.environ.get("SOURCE", ""),
    }


def product_version() -> str:
    """The version that ``pyproject.toml`` states."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])


def revision(image: Image) -> str:
    """The last commit that changed what the image holds, ``-modified`` where that is not all.

    So a commit that touches other things gives the very same image. Without a git checkout it is
    ``unknown``.
    """
    commit = _git("log", "-1", "--format=%H", "--", *image.contents)
    if not commit:
        return "unknown"
    changed = _git("status", "--porcelain", "--", *image.contents)
    return f"{commit}-modified" if changed else commit


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=ROOT, check=False, capture_output=True, text=True
        )
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
