"""``hilum jobs``, and what an operator does with single jobs."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from hilum.domain.job import JobState, Priority
from hilum_cli.failure import FILM_FAILED, NO_GATEWAY, USAGE, Failure, GatewayRefusal, readable
from hilum_cli.options import gateway_of, gateway_options
from hilum_cli.table import print_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from hilum_cli.gateway import Gateway

_COLUMNS = ("job", "state", "priority", "attempts", "file", "reason")


@click.command("jobs")
@click.option("--state", type=click.Choice([state.value for state in JobState]))
@click.option("--priority", type=click.Choice([priority.value for priority in Priority]))
@click.option("--site")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@gateway_options
@readable
def jobs(
    *,
    state: str | None,
    priority: str | None,
    site: str | None,
    limit: int,
    as_json: bool,
    url: str | None,
    api_key_file: Path | None,
) -> None:
    """List jobs, newest first."""
    asked = {"state": state, "priority": priority, "site": site}
    which = {name: value for name, value in asked.items() if value is not None}
    with gateway_of(url, api_key_file) as gateway:
        found = list(gateway.jobs(which, limit))
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        print_table(_COLUMNS, [_row(job) for job in found])


@click.command()
@click.argument("job_ids", nargs=-1, metavar="JOB...")
@click.option("--all-failed", is_flag=True, help="Every parked job that the key sees.")
@gateway_options
@readable
def retry(
    *, job_ids: tuple[str, ...], all_failed: bool, url: str | None, api_key_file: Path | None
) -> None:
    """Queue parked jobs again, with their attempts back at zero."""
    if all_failed == bool(job_ids):
        raise Failure("name jobs, or pass --all-failed", USAGE)
    with gateway_of(url, api_key_file) as gateway:
        if all_failed:
            # Listed to the end before the first is changed: a retried job leaves the list.
            parked = gateway.jobs({"state": JobState.FAILED.value}, None)
            job_ids = tuple(job["job_id"] for job in parked)
        _change(gateway, job_ids, "retry")


@click.command()
@click.argument("job_ids", nargs=-1, required=True, metavar="JOB...")
@gateway_options
@readable
def discard(*, job_ids: tuple[str, ...], url: str | None, api_key_file: Path | None) -> None:
    """End parked jobs for good."""
    with gateway_of(url, api_key_file) as gateway:
        _change(gateway, job_ids, "discard")


@click.command()
@click.argument("job_ids", nargs=-1, required=True, metavar="JOB...")
@click.option("--reason", required=True, help="Why; kept with the jobs and in the audit log.")
@gateway_options
@readable
def cancel(
    *, job_ids: tuple[str, ...], reason: str, url: str | None, api_key_file: Path | None
) -> None:
    """End queued jobs for good."""
    with gateway_of(url, api_key_file) as gateway:
        _change(gateway, job_ids, "cancel", {"reason": reason})


@click.command()
@click.argument("job_ids", nargs=-1, required=True, metavar="JOB...")
@gateway_options
@readable
def expedite(*, job_ids: tuple[str, ...], url: str | None, api_key_file: Path | None) -> None:
    """Let queued jobs run without waiting for the end of their backoff."""
    with gateway_of(url, api_key_file) as gateway:
        _change(gateway, job_ids, "expedite")


@click.command()
@click.argument("job_ids", nargs=-1, required=True, metavar="JOB...")
@click.option(
    "--priority", required=True, type=click.Choice([priority.value for priority in Priority])
)
@gateway_options
@readable
def reprioritise(
    *, job_ids: tuple[str, ...], priority: str, url: str | None, api_key_file: Path | None
) -> None:
    """Give queued jobs another priority."""
    with gateway_of(url, api_key_file) as gateway:
        _change(gateway, job_ids, "reprioritise", {"priority": priority})


def _change(
    gateway: Gateway,
    job_ids: Sequence[str],
    action: str,
    body: Mapping[str, Any] | None = None,
) -> None:
    """Change each job; one that cannot be changed does not stop the others."""
    refused = 0
    for job_id in job_ids:
        try:
            job = gateway.change(job_id, action, body)
        except GatewayRefusal as refusal:
            if refusal.exit_code == NO_GATEWAY:
                raise
            refused += 1
            click.echo(f"{job_id}  {refusal.message}", err=True)
        else:
            click.echo(f"{job_id}  {job['state']}")
    if refused:
        sys.exit(FILM_FAILED)


def _row(job: Mapping[str, Any]) -> tuple[str, ...]:
    reason = job.get("reason")
    return (
        job["job_id"],
        job["state"],
        job["priority"],
        str(job["attempts"]),
        job["filename"],
        f"{reason['code']}: {reason['detail']}" if reason else "",
    )
