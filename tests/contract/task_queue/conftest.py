"""Every broker: a fake, a folder through Celery, and a real Redis through Celery."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.task_queue.brokers import (
    REAL,
    Broker,
    fake_broker,
    folder_broker,
    redis_broker,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=["fake", "folder", *REAL])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    """A broker, of each kind."""
    if request.param == "fake":
        yield fake_broker()
    elif request.param == "folder":
        yield folder_broker(tmp_path)
    else:
        with redis_broker(request.getfixturevalue("redis_server")) as made:
            yield made
