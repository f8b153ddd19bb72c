"""Ways in which a Redis that answers refuses to work."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import redis

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hilum_stack.redis import RedisServer

_SOON_S = 60.0

REFUSALS = ("READONLY", "MASTERDOWN", "OOM", "MISCONF", "WRONGPASS")


@contextmanager
def refusing(server: RedisServer, word: str) -> Iterator[None]:
    """Have a server refuse what workers and gateways ask of it, until the end of the block."""
    with redis.Redis.from_url(server.url) as client:
        before = {name: _setting(client, name) for name in _CHANGED}
        _refuse(client, server, word)
        try:
            yield
        finally:
            client.execute_command("REPLICAOF", "NO", "ONE")
            for name, value in before.items():
                client.config_set(name, value)


_CHANGED = ("replica-serve-stale-data", "maxmemory", "save", "requirepass")


def _setting(client: redis.Redis[Any], name: str) -> str:
    return str(client.config_get(name)[name])


def _refuse(client: redis.Redis[Any], server: RedisServer, word: str) -> None:
    if word in {"READONLY", "MASTERDOWN"}:
        # Of a primary that nobody can reach.
        client.config_set("replica-serve-stale-data", "no" if word == "MASTERDOWN" else "yes")
        client.execute_command("REPLICAOF", "127.0.0.1", "1")
    elif word == "OOM":
        client.config_set("maxmemory", "1")
    elif word == "MISCONF":
        # A folder is in the place of the dump.
        (server.folder / "dump.rdb").mkdir(exist_ok=True)
        client.config_set("save", "3600 1")
        client.bgsave()
        until = time.monotonic() + _SOON_S
        while client.info("persistence")["rdb_last_bgsave_status"] == "ok":
            assert time.monotonic() < until, "the dump fails"
            time.sleep(0.01)
    else:
        client.config_set("requirepass", "another")
        client.client_kill_filter(_type="normal", skipme=True)
