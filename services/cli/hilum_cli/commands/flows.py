"""``hilum flows``: whose work waits, and who is paused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from hilum.domain.job import ANALYSIS
from hilum.domain.work import Priority
from hilum_cli.failure import readable
from hilum_cli.options import gateway_of, gateway_options
from hilum_cli.table import print_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_COLUMNS: Final = ("kind", "priority", "site", "weight", "paused until", "reason")


@click.group("flows")
def flows() -> None:
    """Show, pause and resume the work of sites.

    A flow is the work of one kind, priority and site. A pause ends by itself.
    """


def _flow_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--kind", default=ANALYSIS.kind, show_default=True),
        click.option(
            "--priority",
            required=True,
            type=click.Choice([priority.value for priority in Priority]),
        ),
        click.option("--site", required=True),
    ):
        command = option(command)
    return command


@flows.command("list")
@gateway_options
@readable
def list_flows(*, url: str | None, api_key_file: Path | None) -> None:
    """List flows."""
    with gateway_of(url, api_key_file) as gateway:
        _print(gateway.get("flows"))


@flows.command("pause")
@_flow_options
@click.option("--seconds", required=True, type=click.FloatRange(min=0, min_open=True))
@click.option("--reason", required=True, help="Why; shown in the list.")
@gateway_options
@readable
def pause(*, url: str | None, api_key_file: Path | None, **wanted: str | float) -> None:
    """Let no work of a site start for a while. What runs is finished."""
    with gateway_of(url, api_key_file) as gateway:
        _print(gateway.post("flows/pause", wanted))


@flows.command("resume")
@_flow_options
@gateway_options
@readable
def resume(*, url: str | None, api_key_file: Path | None, **wanted: str) -> None:
    """End a pause."""
    with gateway_of(url, api_key_file) as gateway:
        _print(gateway.post("flows/resume", wanted))


def _print(document: Mapping[str, Any]) -> None:
    print_table(_COLUMNS, [_row(flow) for flow in document["flows"]])


def _row(flow: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        flow["kind"],
        flow["priority"],
        flow["site"],
        f"{flow['weight']:g}",
        flow["paused_until"] or "",
        flow["pause_reason"],
    )
