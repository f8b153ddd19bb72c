"""``hilum-triton-probe``: the process.

It has its former name ``hilum-golden-film``, too, until 0.4.0.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hilum.domain.errors import Permanent
from hilum.runtime.exit_codes import WRONG_SETTINGS
from hilum.runtime.logs import start_logging
from hilum_triton_probe.bootstrap import bootstrap
from hilum_triton_probe.endpoint import endpoint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hilum_triton_probe.known_answers import KnownAnswerTest

_LOG = logging.getLogger(__name__)

_RETRY_S: Final = 5.0
"""Pause after a run that was not right, if it is shorter than the ordinary one."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the known-answer test until SIGTERM or SIGINT.

    Returns:
        0 after a shutdown that was asked for; 78 where address or models are wrong.
    """
    options = _parser().parse_args(arguments)
    start_logging("INFO")
    try:
        test = bootstrap(options.triton, options.models)
    except (Permanent, ValueError, OSError) as error:
        code = getattr(error, "code", "wrong_setting")
        _LOG.error("start.failed", extra={"error": f"{code}: {error}"})
        return WRONG_SETTINGS
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with endpoint(test, options.host, options.port, options.build_metrics) as port:
        _LOG.info("probes.served", extra={"port": port})
        watch(test, options.every, stop)
    return 0


def watch(test: KnownAnswerTest, every_s: float, stop: threading.Event) -> None:
    """Run the test at once and then again and again, sooner where something was not right."""
    pause = 0.0
    while not stop.wait(pause):
        right = test.run().ready
        pause = every_s if right else min(every_s, _RETRY_S)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hilum-triton-probe",
        description="Compare what a Triton answers with what is known: GET /ready is 503 after the "
        "first wrong answer, GET /alive after three in a row.",
    )
    parser.add_argument("--triton", required=True, help="triton://127.0.0.1:8001?secure=true")
    parser.add_argument(
        "--models", required=True, type=Path, help="what `hilum-engine install` or `build` wrote"
    )
    parser.add_argument(
        "--host",
        default="0.0.0.0",  # noqa: S104 - kubelet asks at the pod's address
        help="address of the probes (default: every one)",
    )
    parser.add_argument("--port", type=int, default=8010, help="their port (default 8010)")
    parser.add_argument(
        "--build-metrics",
        type=Path,
        metavar="FILE",
        help="what `hilum-engine build --metrics` wrote: given out under /metrics, too",
    )
    parser.add_argument("--every", type=float, default=30.0, help="seconds (default 30)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
