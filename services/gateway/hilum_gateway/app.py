"""The application: routes, errors and middleware around one container."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import anyio.to_thread
from fastapi import FastAPI

from hilum_gateway import NOTICE, pages
from hilum_gateway.http.problems import install_problems
from hilum_gateway.live.job_changes import JobChanges
from hilum_gateway.openapi import install_openapi
from hilum_gateway.routes import (
    events,
    flows,
    health,
    images,
    jobs,
    keys,
    models,
    operations,
    sites,
    submissions,
)
from hilum_gateway.wiring.metrics import Metrics
from hilum_gateway.wiring.middleware import QUIET_ROUTES, AroundRequests
from hilum_gateway.wiring.readiness import Readiness

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from hilum_gateway.wiring.container import Container

API_VERSION: Final = "1.0"

_DESCRIPTION: Final = f"""Chest X-rays in, findings out.

**{NOTICE}**

Every route under `/v1` needs `Authorization: Bearer <API key>`. Errors are problem details
(RFC 9457) with a stable `code`.
"""


def create_app(container: Container) -> FastAPI:
    """The gateway as an ASGI application; nothing connects before its first request.

    Args:
        container: The parts; closed when the application shuts down.
    """
    app = FastAPI(
        title="Hilum",
        version=API_VERSION,
        description=_DESCRIPTION,
        docs_url=None,  # its scripts come from a CDN, which the content security policy forbids
        redoc_url=None,
        lifespan=_lifespan,
        # Spans of requests alone: its logs hold texts of exceptions, and metrics are our own.
        telemetry={
            "metrics": False,
            "logs": False,
            "operation_spans": False,
            "auto_configure": False,
            "exclude": lambda scope: scope.get("path") in QUIET_ROUTES,
        },
    )
    settings = container.settings
    app.state.container = container
    app.state.metrics = Metrics(container.measure_queues)
    app.state.readiness = Readiness(container)
    app.state.changes = JobChanges(
        read_jobs=container.read_jobs,
        manage_sessions=container.manage_sessions,
        poll_s=settings.events.poll_seconds,
        key_check_s=settings.events.key_check_seconds,
    )
    for subject in (submissions, jobs, operations, flows, sites, images, events, models, keys):
        app.include_router(subject.router)
    app.include_router(health.router)
    install_problems(app)
    install_openapi(app)
    pages.install(app, container)
    app.add_middleware(AroundRequests, metrics=app.state.metrics)  # added last: outermost
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    container: Container = app.state.container
    limiter = anyio.to_thread.current_default_thread_limiter()
    limiter.total_tokens = container.settings.http.max_threads
    try:
        yield
    finally:
        app.state.changes.close()
        container.close()
