"""A running stack of this release, and the previous release beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hilum_stack.errors import ServerMissing
from hilum_stack.real import RealStack
from tests.previous.images import of_the_pack, pack_folder, phantoms
from tests.previous.release import CommitMissing, Release, previous_release
from tests.servers import run_folder, server_missing

if TYPE_CHECKING:
    from collections.abc import Mapping


@pytest.fixture(scope="session")
def previous() -> Release:
    """The previous release in an environment of its own; skips in a clone without history."""
    try:
        return previous_release()
    except CommitMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def images() -> Mapping[str, bytes]:
    """Phantoms, and 200 images of the pack where there is one."""
    pack = pack_folder()
    return {**phantoms(), **({} if pack is None else of_the_pack(pack))}


@pytest.fixture(scope="module", params=["embedded", pytest.param("real", marks=pytest.mark.real)])
def kind(request) -> str:
    """The kind of a stack; that of real servers only where they are installed."""
    kind: str = request.param
    if kind == "real":
        with run_folder() as folder:
            try:
                for server in RealStack(folder).servers:
                    server.require_installed()
            except ServerMissing as missing:
                server_missing(missing)
    return kind
