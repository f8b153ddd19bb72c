"""One process that takes associations: ``python -m hilum_listener.acceptor``.

The supervisor starts it, with the ports in its settings. It writes a line to standard output once
it listens, and drains when standard input ends: then nobody supervises it any longer.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Final

import structlog
from pydantic import ValidationError

from hilum.domain.errors import Permanent
from hilum.runtime.exit_codes import WRONG_SETTINGS
from hilum.runtime.logs import start_logging
from hilum.runtime.settings import problems_of
from hilum.runtime.timers import Timers
from hilum.runtime.tracing import flush_traces, start_tracing
from hilum_listener.bootstrap import bootstrap
from hilum_listener.settings import ListenerSettings

if TYPE_CHECKING:
    from hilum_listener.bootstrap import Container

READY: Final = b"ready\n"

_LOG: Final = structlog.get_logger(__name__)
_LOOK_S: Final = 2.0
_RECORDS_WITHIN_S: Final = 5.0


def main() -> int:
    """Take associations until SIGTERM or SIGINT.

    Returns:
        The exit code: 0, or 78 where settings are wrong.
    """
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    try:
        settings = ListenerSettings()  # pyright: ignore[reportCallIssue] - from the environment
        start_logging(settings.log.level, *start_tracing("listener", settings.tracing))
    except ValidationError as error:
        sys.stderr.writelines(f"{line}\n" for line in problems_of(error))
        return WRONG_SETTINGS
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return WRONG_SETTINGS
    try:
        container = bootstrap(settings)
    except (Permanent, ValueError, OSError) as error:
        code = getattr(error, "code", "wrong_setting")
        _LOG.error("start.failed", error=f"{code}: {error}")
        return WRONG_SETTINGS
    return serve(container, stopping)


def serve(container: Container, stopping: threading.Event) -> int:
    """Take associations until the event, then let running requests finish."""
    connections, metrics = container.connections, container.metrics
    threading.Thread(target=_until_alone, args=(stopping,), daemon=True).start()
    with Timers().every(_LOOK_S, "figures", lambda: metrics.look(connections)):
        for server in container.servers:
            server.start()
        sys.stdout.buffer.write(READY)
        sys.stdout.buffer.flush()
        stopping.wait()
        for server in container.servers:
            server.shutdown()
        if not connections.drain(container.settings.listener.shutdown_grace_seconds):
            _LOG.warning("drain.incomplete", associations=connections.associations)
    container.records.close(_RECORDS_WITHIN_S)
    container.close()
    flush_traces()
    return 0


def _until_alone(stopping: threading.Event) -> None:
    """Stop when whoever supervises this process is gone."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    stopping.set()


if __name__ == "__main__":
    sys.exit(main())
