"""``/v1/operations``: work on many jobs, in chunks, with progress and a stop."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from hilum.application.operations.manage_operations import WantedOperation
from hilum.domain.operation import Operation, OperationState
from hilum.domain.principal import Permission
from hilum.domain.work import Priority
from hilum.runtime.tracing import current_traceparent
from hilum_gateway.auth.authentication import PrincipalOf
from hilum_gateway.http.json_body import json_body
from hilum_gateway.http.request_id import current_request_id
from hilum_gateway.routes.descriptions import PROBLEMS, json_request
from hilum_gateway.schemas.jobs import ReasonBody
from hilum_gateway.wiring.dependencies import ContainerOf

router = APIRouter(prefix="/v1/operations", tags=["operations"], responses=PROBLEMS)


class NewOperationBody(BaseModel):
    """An operation to be started. Filters that are absent let every job through."""

    kind: str = Field(max_length=64, description="`retry_jobs` queues failed jobs again.")
    reason: str = Field(min_length=1, max_length=500)
    site: str | None = Field(default=None, max_length=64)
    priority: Priority | None = None
    code: str | None = Field(default=None, max_length=64, description="Code of the jobs' reason.")
    arguments: dict[str, str] = Field(
        default_factory=dict, max_length=20, description="What an operation of this kind needs."
    )
    rate: float | None = Field(default=None, gt=0, le=10_000, description="Most jobs a second.")


class OperationBody(BaseModel):
    """An operation and how far it is."""

    operation_id: UUID
    kind: str
    site: str = Field(description="`*` is every site.")
    state: OperationState
    reason: str = Field(description="Why it was started.")
    principal: str
    arguments: dict[str, str]
    rate: float | None
    total: int = Field(description="Items that there were when it was started.")
    done: int
    failed: int
    error: ReasonBody | None = Field(description="Why it failed, or was last released.")
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, operation: Operation) -> Self:
        """Of an operation."""
        return cls(
            operation_id=operation.id,
            kind=operation.does,
            site=operation.site,
            state=operation.state,
            reason=operation.purpose,
            principal=operation.principal,
            arguments=dict(operation.arguments),
            rate=operation.rate,
            total=operation.total,
            done=operation.done,
            failed=operation.failed,
            error=ReasonBody.of(operation.reason),
            created_at=operation.created_at,
            updated_at=operation.updated_at,
            finished_at=operation.finished_at,
        )


class OperationsBody(BaseModel):
    """Operations, newest first."""

    operations: list[OperationBody]


async def _wanted(request: Request, principal: PrincipalOf) -> NewOperationBody:
    """The operation to be started; read only for somebody who may operate."""
    principal.require(Permission.OPERATE_QUEUE)
    return await json_body(request, NewOperationBody)


@router.post(
    "",
    status_code=HTTPStatus.ACCEPTED,
    summary="Start an operation",
    openapi_extra=json_request(NewOperationBody),
)
def start(
    container: ContainerOf,
    principal: PrincipalOf,
    wanted: Annotated[NewOperationBody, Depends(_wanted)],
) -> OperationBody:
    """Start an operation. It outlives the request. Needs an operator's key."""
    filters = {"priority": wanted.priority, "code": wanted.code}
    operation = container.operations.start(
        WantedOperation(
            does=wanted.kind,
            purpose=wanted.reason,
            site=wanted.site,
            arguments=wanted.arguments
            | {name: str(value) for name, value in filters.items() if value is not None},
            rate=wanted.rate,
        ),
        principal,
        current_request_id(),
        current_traceparent(),
    )
    return OperationBody.of(operation)


@router.get("", summary="List operations")
def list_operations(
    container: ContainerOf,
    principal: PrincipalOf,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> OperationsBody:
    """Operations that the key sees, newest first."""
    found = container.operations.all(principal, limit)
    return OperationsBody(operations=[OperationBody.of(operation) for operation in found])


@router.get("/{operation_id}", summary="An operation and its progress")
def read(container: ContainerOf, principal: PrincipalOf, operation_id: UUID) -> OperationBody:
    """An operation and how far it is."""
    return OperationBody.of(container.operations.get(operation_id, principal))


@router.post("/{operation_id}/stop", summary="Stop an operation")
def stop(container: ContainerOf, principal: PrincipalOf, operation_id: UUID) -> OperationBody:
    """End an operation after its present chunk. Needs an operator's key."""
    stopped = container.operations.stop(operation_id, principal, current_request_id())
    return OperationBody.of(stopped)


@router.post("/{operation_id}/retry", summary="Go on with a failed operation")
def retry(container: ContainerOf, principal: PrincipalOf, operation_id: UUID) -> OperationBody:
    """Queue a failed operation again. It goes on where it was. Needs an operator's key."""
    queued = container.operations.retry(operation_id, principal, current_request_id())
    return OperationBody.of(queued)
