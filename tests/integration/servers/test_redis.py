"""Redis as the stack runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil
import pytest
import redis

from hilum_stack.redis import RedisServer
from tests.servers import started

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    """A Redis of this module's own: its tests stop and kill it."""
    with started(RedisServer) as started_server:
        yield started_server


def test_it_never_evicts_and_logs_every_write(server: RedisServer) -> None:
    """A broker that evicts or forgets loses messages."""
    with redis.Redis.from_url(server.url) as client:
        settings = client.config_get("maxmemory-policy", "appendonly", "bind", "protected-mode")
    assert settings == {
        "maxmemory-policy": "noeviction",
        "appendonly": "yes",
        "bind": "127.0.0.1",
        "protected-mode": "yes",
    }


def test_it_wants_the_password(server: RedisServer) -> None:
    """Another user of the machine cannot read the queue."""
    with (
        redis.Redis(host="127.0.0.1", port=server.port) as client,
        pytest.raises(redis.AuthenticationError),
    ):
        client.ping()


def test_a_restart_keeps_what_was_queued(server: RedisServer) -> None:
    """A list survives a restart in good order."""
    with redis.Redis.from_url(server.url) as client:
        client.rpush("queue", "film")
    server.restart()
    with redis.Redis.from_url(server.url) as client:
        assert client.lrange("queue", 0, -1) == [b"film"]


def test_a_killed_server_comes_back_on_its_address(server: RedisServer) -> None:
    """After SIGKILL a restart answers at the same address."""
    url = server.url
    server.kill()
    with redis.Redis.from_url(url) as client, pytest.raises(redis.ConnectionError):
        client.ping()
    server.restart()
    with redis.Redis.from_url(url) as client:
        assert client.ping()


def test_stop_leaves_no_process(server: RedisServer) -> None:
    """The process is gone when stop returns."""
    process = psutil.Process(server.pid)
    server.stop()
    assert not process.is_running()
    assert not server.running
    server.restart()
