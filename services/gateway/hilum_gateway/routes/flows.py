"""``/v1/flows``: whose work waits, in which order, and who is paused."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from hilum.domain.job import ANALYSIS
from hilum.domain.principal import Permission
from hilum.domain.work import Priority
from hilum.domain.work_flow import WorkFlow
from hilum_gateway.auth.authentication import PrincipalOf
from hilum_gateway.http.json_body import json_body
from hilum_gateway.http.request_id import current_request_id
from hilum_gateway.routes.descriptions import PROBLEMS, json_request
from hilum_gateway.wiring.dependencies import ContainerOf

router = APIRouter(prefix="/v1/flows", tags=["flows"], responses=PROBLEMS)

LONGEST_PAUSE_S = 7 * 24 * 3600


class FlowBody(BaseModel):
    """The work of one site at one priority."""

    model_config = ConfigDict(from_attributes=True)

    kind: str
    priority: Priority
    site: str = Field(validation_alias="flow")
    weight: float
    paused_until: datetime | None
    pause_reason: str


class FlowsBody(BaseModel):
    """Flows that the key sees."""

    flows: list[FlowBody]


class ResumeBody(BaseModel):
    """Which flow."""

    site: str = Field(min_length=1, max_length=64)
    priority: Priority
    kind: str = Field(default=ANALYSIS.kind, max_length=64)

    @property
    def flow(self) -> WorkFlow:
        """Return the flow of this name."""
        return WorkFlow(self.kind, self.priority, self.site)


class PauseBody(ResumeBody):
    """Which flow, for how long and why."""

    seconds: float = Field(gt=0, le=LONGEST_PAUSE_S)
    reason: str = Field(min_length=1, max_length=500)


async def _pause(request: Request, principal: PrincipalOf) -> PauseBody:
    """What to pause; read only for somebody who may operate."""
    principal.require(Permission.OPERATE_QUEUE)
    return await json_body(request, PauseBody)


async def _resume(request: Request, principal: PrincipalOf) -> ResumeBody:
    """What to resume; read only for somebody who may operate."""
    principal.require(Permission.OPERATE_QUEUE)
    return await json_body(request, ResumeBody)


@router.get("", summary="List flows")
def list_flows(container: ContainerOf, principal: PrincipalOf) -> FlowsBody:
    """Flows that the key sees, with their pauses."""
    found = container.operate_flows.all(principal)
    return FlowsBody(flows=[FlowBody.model_validate(flow) for flow in found])


@router.post("/pause", summary="Pause a flow", openapi_extra=json_request(PauseBody))
def pause(
    container: ContainerOf, principal: PrincipalOf, wanted: Annotated[PauseBody, Depends(_pause)]
) -> FlowsBody:
    """Let no item of a flow be claimed for a while. What runs is finished."""
    length = timedelta(seconds=wanted.seconds)
    act = container.operate_flows.pause
    act(wanted.flow, length, wanted.reason, principal, current_request_id())
    return list_flows(container, principal)


@router.post("/resume", summary="Resume a flow", openapi_extra=json_request(ResumeBody))
def resume(
    container: ContainerOf, principal: PrincipalOf, wanted: Annotated[ResumeBody, Depends(_resume)]
) -> FlowsBody:
    """End a pause. The flow gets no credit for the time in which it stood."""
    container.operate_flows.resume(wanted.flow, principal, current_request_id())
    return list_flows(container, principal)
