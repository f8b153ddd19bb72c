"""``hilum-gateway``: run the gateway until it is told to stop."""

from __future__ import annotations

import sys
from contextlib import ExitStack

from pydantic import ValidationError

from hilum.runtime.logs import start_logging
from hilum.runtime.metrics import served
from hilum_gateway.app import create_app
from hilum_gateway.bootstrap import bootstrap
from hilum_gateway.server import create_server
from hilum_gateway.settings import Settings


def main() -> None:
    """Read the environment, wire the parts, serve."""
    try:
        settings = Settings()
    except ValidationError as error:
        # Names and messages, not the values: some are secrets.
        for item in error.errors():
            name = "_".join(str(part) for part in item["loc"])
            sys.stderr.write(f"HILUM_{name.upper()}: {item['msg']}\n")
        sys.exit(2)
    start_logging(settings.log_level)
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
            beside.enter_context(served(registry, settings.metrics_host, settings.metrics_port))
        except OSError as error:
            sys.stderr.write(f"HILUM_METRICS_PORT: cannot be listened on: {error}\n")
            sys.exit(2)
        server.run()


if __name__ == "__main__":
    main()
