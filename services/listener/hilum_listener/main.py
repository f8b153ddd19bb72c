"""``hilum-listener``: take DICOM objects until told to stop."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import structlog
from pydantic import ValidationError

from hilum.runtime.exit_codes import WRONG_SETTINGS
from hilum.runtime.logs import start_logging
from hilum.runtime.metrics import served
from hilum.runtime.setting_groups import known_names
from hilum.runtime.settings import misnamed, problems_of
from hilum_listener.metrics import SupervisorMetrics
from hilum_listener.probes import Probes
from hilum_listener.settings import ListenerSettings
from hilum_listener.supervisor import Supervisor

_LOG: Final = structlog.get_logger(__name__)


def main() -> int:
    """Read the environment, and supervise the processes that take associations.

    Returns:
        The exit code: 0, or 78 where settings are wrong.
    """
    try:
        settings = ListenerSettings()  # pyright: ignore[reportCallIssue] - from the environment
    except ValidationError as error:
        sys.stderr.writelines(f"{line}\n" for line in problems_of(error))
        return WRONG_SETTINGS
    start_logging(settings.log.level)
    for sentence in misnamed(ListenerSettings, known_names(), os.environ):
        _LOG.warning("setting.misnamed", detail=sentence)
    with ExitStack() as beside:
        folder = Path(beside.enter_context(tempfile.TemporaryDirectory(prefix="hilum-listener-")))
        metrics = SupervisorMetrics(folder)
        supervisor = Supervisor(settings, metrics, folder)
        told = settings.metrics
        try:
            beside.enter_context(
                served(
                    metrics.registry,
                    told.host,
                    told.port,
                    around=lambda figures: Probes(lambda: supervisor.ready, figures),
                )
            )
            return supervisor.run()
        except OSError as error:
            _LOG.error("start.failed", error=f"wrong_setting: cannot listen: {error}")
            return WRONG_SETTINGS
