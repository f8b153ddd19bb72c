from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.listener.running import Running
from tests.servers import run_folder

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def listener() -> Iterator[Running]:
    """A listener that takes all callers, for the tests of a module."""
    with run_folder() as folder:
        running = Running(folder)
        with running.server.launch():
            yield running
