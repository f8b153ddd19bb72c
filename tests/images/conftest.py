"""Every image, built for real by what ``make images`` calls, when a test first asks for it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from images.catalogue import BY_NAME
from images.container_engine import ContainerEngine, find_engine
from images.errors import ImagesFailed
from images.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Built = Callable[[str], str]


@pytest.fixture(scope="session")
def engine() -> ContainerEngine:
    """The installed podman or docker; without one a skip, on CI a failure."""
    try:
        return find_engine(os.environ.get("CONTAINER_ENGINE"))
    except ImagesFailed as missing:
        if os.environ.get("CI", "").lower() in {"1", "true"}:
            pytest.fail(str(missing))
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def image(engine: ContainerEngine) -> Built:
    """Builds an image by its short name, once, and gives its reference.

    On the base that PYTHON_IMAGE names, else on one made of this machine's Debian packages.
    """
    base = "registry" if os.environ.get("PYTHON_IMAGE") else "debian"
    references: dict[str, str] = {}

    def built(name: str) -> str:
        if name not in references:
            command = [sys.executable, "-m", "images", "build", name, "--base", base]
            done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
            assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
            references[name] = BY_NAME[name].reference
        return references[name]

    return built


@pytest.fixture
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that a stranger in a container may write to."""
    folder = tmp_path_factory.mktemp("shared")
    folder.chmod(0o777)
    for parent in list(folder.parents)[:2]:  # pytest's own folders are closed to others
        parent.chmod(parent.stat().st_mode | 0o055)
    return folder
