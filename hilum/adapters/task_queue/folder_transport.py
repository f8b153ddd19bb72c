"""Celery's filesystem transport, made safe for several processes.

Kombu's own writes a message in its final place and moves it through the system's temporary
folder: under load, a consumer now and then opens a message that is not written yet, and the worker
ends with a JSONDecodeError (seen: 48 of 18,000 with three producers and three consumers). It also
takes queues in turn. Here a message appears whole, whoever unlinks it owns it, and queues are
emptied in the order in which they are consumed.

A message that a killed worker had taken is gone. That is allowed: it was a wake-up, and the
database still knows the work.
"""

from __future__ import annotations

import contextlib
import logging
import time
import uuid
from collections import deque
from pathlib import Path
from queue import Empty
from typing import TYPE_CHECKING, Any

from kombu.transport import filesystem
from kombu.utils.json import dumps, loads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_LOG = logging.getLogger(__name__)

_SUFFIX = ".msg"


class Channel(filesystem.Channel):
    """One folder per queue, one file per message, oldest name first."""

    supports_fanout = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._listed: dict[str, deque[Path]] = {}
        super().__init__(*args, **kwargs)

    def _folder(self, queue: str) -> Path:
        return Path(self.data_folder_in) / queue

    def check(self) -> None:
        """Write a file, which no consumer takes for a message."""
        folder = Path(self.data_folder_in)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f".check-{uuid.uuid4().hex}"
        path.touch()
        path.unlink()

    def _new_queue(self, queue: str, **_: Any) -> None:
        self._folder(queue).mkdir(mode=0o700, parents=True, exist_ok=True)

    def _has_queue(self, queue: str, **_: Any) -> bool:
        return self._folder(queue).is_dir()

    def _queue_bind(self, *_: Any) -> None:
        """Nothing: messages are sent to the default exchange, whose routing key is the queue."""

    def get_table(self, exchange: str) -> list[Any]:
        """No bindings, see above."""
        del exchange
        return []

    def _put(self, queue: str, message: dict[str, Any], **_: Any) -> None:
        name = f"{time.time_ns():020d}-{uuid.uuid4().hex}"
        folder = self._folder(queue)
        hidden = folder / f".{name}"
        hidden.write_text(dumps(message), encoding="utf-8")
        hidden.rename(folder / f"{name}{_SUFFIX}")

    def _get(self, queue: str) -> Any:
        for path in self._oldest_first(queue):
            with contextlib.suppress(FileNotFoundError):  # another consumer was faster
                content = path.read_bytes()
                path.unlink()
                try:
                    return loads(content.decode())
                except ValueError:
                    # What a power cut left of a message must not end every worker that takes it.
                    _LOG.warning("message.dropped", extra={"queue": queue, "path": str(path)})
        raise Empty

    def _oldest_first(self, queue: str) -> Iterator[Path]:
        """Names in order; one listing of the folder serves until it is used up."""
        listed = self._listed.setdefault(queue, deque())
        if not listed:
            listed.extend(self._messages(queue))
        while listed:
            yield listed.popleft()

    def _messages(self, queue: str) -> list[Path]:
        return sorted(path for path in self._folder(queue).iterdir() if path.suffix == _SUFFIX)

    def _size(self, queue: str) -> int:
        return len(self._messages(queue))

    def _purge(self, queue: str) -> int:
        messages = self._messages(queue)
        for path in messages:
            path.unlink(missing_ok=True)
        return len(messages)

    def _delete(self, queue: str, *_: Any, **__: Any) -> None:
        self._purge(queue)

    def _poll(self, cycle: Any, callback: Callable[..., Any], timeout: float | None = None) -> None:
        """Deliver one message of the first queue that has any."""
        del cycle, timeout
        for queue in list(self._active_queues):
            with contextlib.suppress(Empty):
                self._get_and_deliver(queue, callback)
                return
        raise Empty


class Transport(filesystem.Transport):
    """A folder that cannot be used is a broker that is down: Celery's worker connects again."""

    Channel = Channel
    connection_errors = (*filesystem.Transport.connection_errors, OSError)
