"""Every doorbell: a fake, Celery on a folder, and Celery on a real Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.task_queue.bells import REAL, Bell, fake_bell, folder_bell, redis_bell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=["fake", "folder", *REAL])
def bell(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bell]:
    """A doorbell, of each kind."""
    if request.param == "fake":
        yield fake_bell()
    elif request.param == "folder":
        yield folder_bell(tmp_path)
    else:
        with redis_bell(request.getfixturevalue("redis_server")) as made:
            yield made
