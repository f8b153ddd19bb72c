"""What routes are given: the parts of the application that serves the request."""

from typing import Annotated, cast

from fastapi import Depends, Request

from hilum_gateway.live.job_changes import JobChanges
from hilum_gateway.wiring.container import Container
from hilum_gateway.wiring.metrics import Metrics


def container_of(request: Request) -> Container:
    """The container of the application."""
    return cast("Container", request.app.state.container)


def changes_of(request: Request) -> JobChanges:
    """The application's one watcher of job changes."""
    return cast("JobChanges", request.app.state.changes)


def metrics_of(request: Request) -> Metrics:
    """The application's metrics."""
    return cast("Metrics", request.app.state.metrics)


# FastAPI sends every plain function that it depends on through a worker thread, which costs more
# than all of these do. A coroutine runs where it is.


async def _container(request: Request) -> Container:
    return container_of(request)


async def _changes(request: Request) -> JobChanges:
    return changes_of(request)


async def _metrics(request: Request) -> Metrics:
    return metrics_of(request)


ContainerOf = Annotated[Container, Depends(_container)]
ChangesOf = Annotated[JobChanges, Depends(_changes)]
MetricsOf = Annotated[Metrics, Depends(_metrics)]
