"""``hilum operations``: work on many jobs, which outlives the command."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Final

import click

from hilum.domain.operation import OperationState
from hilum.domain.work import Priority
from hilum_cli.failure import FILM_FAILED, readable
from hilum_cli.options import gateway_of, gateway_options
from hilum_cli.table import print_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from hilum_cli.gateway import Gateway

_COLUMNS: Final = ("operation", "kind", "site", "state", "done", "failed", "total", "reason")
_GOING_ON: Final = (OperationState.QUEUED.value, OperationState.RUNNING.value)
_PAUSE_S: Final = 0.5


@click.group("operations")
def operations() -> None:
    """Start, watch and stop work on many jobs.

    A worker does it in chunks. It goes on when this command ends.
    """


@operations.command("list")
@click.option("--limit", type=click.IntRange(min=1, max=200), default=50, show_default=True)
@gateway_options
@readable
def list_operations(*, limit: int, url: str | None, api_key_file: Path | None) -> None:
    """List operations, newest first."""
    with gateway_of(url, api_key_file) as gateway:
        _print(gateway.get("operations", limit=str(limit))["operations"])


@operations.command("show")
@click.argument("operation_id")
@gateway_options
@readable
def show(*, operation_id: str, url: str | None, api_key_file: Path | None) -> None:
    """Show an operation and how far it is."""
    with gateway_of(url, api_key_file) as gateway:
        _print([gateway.get(f"operations/{operation_id}")])


@operations.command("retry-jobs")
@click.option("--site", help="Of this site alone; every site of the key by default.")
@click.option("--priority", type=click.Choice([priority.value for priority in Priority]))
@click.option("--code", help="Of jobs that failed with this code alone.")
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), help="Most jobs a second.")
@click.option("--reason", required=True, help="Why; kept in the audit log.")
@click.option("--wait", is_flag=True, help="Return when it has ended.")
@gateway_options
@readable
def retry_jobs(
    *, wait: bool, url: str | None, api_key_file: Path | None, **wanted: str | float | None
) -> None:
    """Queue failed jobs again."""
    body = {name: value for name, value in wanted.items() if value is not None}
    with gateway_of(url, api_key_file) as gateway:
        started = gateway.post("operations", {"kind": "retry_jobs", **body})
        _print([_ended(gateway, started) if wait else started])


@operations.command("stop")
@click.argument("operation_id")
@gateway_options
@readable
def stop(*, operation_id: str, url: str | None, api_key_file: Path | None) -> None:
    """End an operation after its present chunk."""
    with gateway_of(url, api_key_file) as gateway:
        _print([gateway.post(f"operations/{operation_id}/stop")])


@operations.command("retry")
@click.argument("operation_id")
@gateway_options
@readable
def retry(*, operation_id: str, url: str | None, api_key_file: Path | None) -> None:
    """Go on with a failed operation where it was."""
    with gateway_of(url, api_key_file) as gateway:
        _print([gateway.post(f"operations/{operation_id}/retry")])


def _ended(gateway: Gateway, operation: Mapping[str, Any]) -> Mapping[str, Any]:
    while operation["state"] in _GOING_ON:
        time.sleep(_PAUSE_S)
        operation = gateway.get(f"operations/{operation['operation_id']}")
    return operation


def _print(found: Iterable[Mapping[str, Any]]) -> None:
    found = list(found)
    print_table(_COLUMNS, [_row(operation) for operation in found])
    if any(operation["state"] == OperationState.FAILED.value for operation in found):
        sys.exit(FILM_FAILED)


def _row(operation: Mapping[str, Any]) -> tuple[str, ...]:
    numbers = (str(operation[name]) for name in ("done", "failed", "total"))
    names = ("operation_id", "kind", "site", "state")
    return (*(operation[name] for name in names), *numbers, operation["reason"])
