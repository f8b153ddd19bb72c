"""``hilum-gateway``: run the gateway until it is told to stop."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from typing import Final

import structlog
from pydantic import ValidationError

from hilum.runtime.logs import start_logging
from hilum.runtime.metrics import served
from hilum.runtime.setting_groups import known_names
from hilum.runtime.settings import misnamed, problems_of
from hilum.runtime.tracing import start_tracing
from hilum_gateway.app import create_app
from hilum_gateway.bootstrap import bootstrap
from hilum_gateway.server import create_server
from hilum_gateway.wiring.settings import Settings

_LOG: Final = structlog.get_logger(__name__)


def main() -> None:
    """Read the environment, wire the parts, serve."""
    try:
        settings = Settings()
    except ValidationError as error:
        sys.stderr.writelines(f"{line}\n" for line in problems_of(error))
        sys.exit(2)
    try:
        start_logging(settings.log.level, *start_tracing("gateway", settings.tracing))
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    for sentence in misnamed(Settings, known_names(), os.environ):
        _LOG.warning("setting.misnamed", detail=sentence)
    container = bootstrap(settings)
    app = create_app(container)
    try:
        server = create_server(app, settings)
    except OSError as error:
        sys.stderr.write(f"HILUM_TLS_CERTIFICATE, HILUM_TLS_KEY: cannot be loaded: {error}\n")
        sys.exit(2)
    with ExitStack() as beside:
        try:
            registry = app.state.metrics.registry
            beside.enter_context(served(registry, settings.metrics.host, settings.metrics.port))
        except OSError as error:
            sys.stderr.write(f"HILUM_METRICS_PORT: cannot be listened on: {error}\n")
            sys.exit(2)
        server.run()


if __name__ == "__main__":
    main()
