"""``/healthz``, ``/readyz`` and ``/metrics``: for machines that watch."""

from http import HTTPStatus
from typing import cast

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from hilum_gateway.auth.authentication import watching_key
from hilum_gateway.routes.descriptions import PROBLEMS
from hilum_gateway.wiring.dependencies import MetricsOf
from hilum_gateway.wiring.metrics import MEDIA_TYPE
from hilum_gateway.wiring.readiness import NEEDED, Readiness

router = APIRouter(tags=["health"])


class HealthBody(BaseModel):
    """The process answers."""

    status: str = "ok"


class CheckBody(BaseModel):
    """How one part is."""

    ok: bool
    detail: str


class ReadinessBody(BaseModel):
    """``ready``, ``degraded`` (accepts films, the broker is down) or ``unready``."""

    status: str
    checks: dict[str, CheckBody]


@router.get("/healthz", summary="Is the process alive")
async def healthz() -> HealthBody:
    """200 as long as the process answers; asks nothing else, so that an outage restarts nobody."""
    return HealthBody()


@router.get(
    "/readyz",
    summary="Can films be accepted",
    response_model=ReadinessBody,
    responses={503: {"model": ReadinessBody, "description": "Films cannot be accepted now."}},
)
async def readyz(request: Request) -> Response:
    """Database, store, models and broker, each by name.

    503 if a film could not be accepted now. A broker that is down alone gives 200 and `degraded`:
    films are accepted and read later.
    """
    checks = await cast("Readiness", request.app.state.readiness).checks()
    failed = {name for name, check in checks.items() if not check.ok}
    status = "unready" if failed & NEEDED else "degraded" if failed else "ready"
    body = ReadinessBody(
        status=status,
        checks={
            name: CheckBody(ok=check.ok, detail=check.detail) for name, check in checks.items()
        },
    )
    code = HTTPStatus.SERVICE_UNAVAILABLE if failed & NEEDED else HTTPStatus.OK
    return JSONResponse(body.model_dump(), code)


@router.get(
    "/metrics",
    summary="For Prometheus",
    response_class=Response,
    responses=PROBLEMS,
    dependencies=[Depends(watching_key)],
)
def metrics(gathered: MetricsOf) -> Response:
    """Requests, films at the door, and the queues as the database has them.

    Needs an API key where Prometheus has a port of its own (`HILUM_METRICS_PORT`).
    """
    return Response(gathered.render(), media_type=MEDIA_TYPE)
