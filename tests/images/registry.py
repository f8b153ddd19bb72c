"""A real registry on a loopback port: crane's, which keeps what it is given in a folder."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from hilum_stack.ports import reserve_port
from images.paths import PROGRAMS
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def registry(folder: Path) -> Iterator[str]:
    """Runs it while the context lasts; gives its ``host:port``.

    Args:
        folder: Keeps the blobs.
    """
    address = f"127.0.0.1:{reserve_port()}"
    command = [crane(), "registry", "serve", "--address", address, "--disk", str(folder)]
    with (folder / "registry.log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        wait_for(lambda: _answers(address), "the registry to answer")
        yield address
    finally:
        server.terminate()
        server.wait()


def crane() -> str:
    """The program; without it a skip, on CI a failure."""
    found = shutil.which("crane", path=os.pathsep.join((str(PROGRAMS), os.environ["PATH"])))
    if found is not None:
        return found
    missing = "no crane here; `make services` builds it"
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(missing)
    pytest.skip(missing)


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"http://{address}/v2/", trust_env=False).is_success
    except httpx.TransportError:
        return False
