from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hilum_stack.errors import ServerMissing
from hilum_stack.server import find_program
from tests.integration.listener.running import Running
from tests.servers import run_folder, server_missing

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session", autouse=True)
def peers() -> None:
    """DCMTK is there, or is missed."""
    try:
        find_program("DCMTK", "dcmsend")
    except ServerMissing as missing:
        server_missing(missing)


@pytest.fixture(scope="module")
def listener() -> Iterator[Running]:
    """A listener that takes all callers, for the tests of a module."""
    with run_folder() as folder:
        running = Running(folder)
        with running.server.launch():
            yield running
