"""``hilum status``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hilum.domain.job import JobState
from hilum_cli.failure import FILM_FAILED, readable
from hilum_cli.findings import FilmOutcome, print_findings
from hilum_cli.options import gateway_of, gateway_options
from hilum_cli.platform_state import checks_of, read_depths
from hilum_cli.table import print_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hilum_cli.gateway import Gateway

_MOST_COUNTED = 1000


@click.command()
@click.argument("job_id", required=False, metavar="[JOB]")
@click.option(
    "--all-labels", is_flag=True, help="Print experimental labels without a verdict, too."
)
@gateway_options
@readable
def status(
    *, job_id: str | None, all_labels: bool, url: str | None, api_key_file: Path | None
) -> None:
    """Show a job, or how the platform is.

    The impression of a job comes first. Without a job: whether database, store and broker answer
    (exit code 1 where one does not), and how much work waits.
    """
    with gateway_of(url, api_key_file) as gateway:
        if job_id is not None:
            _show_job(gateway.job(job_id), experimental=all_labels)
        else:
            _show_platform(gateway)


def _show_job(job: Mapping[str, Any], *, experimental: bool) -> None:
    film = Path(str(job.get("filename") or job["job_id"]))
    if job.get("result"):
        print_findings([FilmOutcome(film, job)], every_label=True, experimental=experimental)
        click.echo()
    facts = [
        (name, str(job[name]))
        for name in ("job_id", "study_id", "filename", "state", "priority", "attempts")
        if job.get(name) is not None
    ]
    if reason := job.get("reason"):
        facts.append(("reason", f"{reason['code']}: {reason['detail']}"))
        if advice := reason.get("advice"):
            facts.append(("advice", advice))
    if not job.get("result"):  # otherwise they are printed with the findings
        facts.extend(
            (note["kind"], f"{note['text']} ({note['code']})") for note in job.get("notes") or ()
        )
    if gate := job.get("gate"):
        told = ", ".join(f"{item['label']} {item['probability']:.3f}" for item in gate["scores"])
        facts.append((f"gate ({gate['model']} {gate['version']})", told))
    facts.extend((f"{stage} ms", f"{ms:.1f}") for stage, ms in (job["timings_ms"] or {}).items())
    print_table(("fact", "value"), facts)


def _show_platform(gateway: Gateway) -> None:
    ready, document = gateway.readiness()
    click.echo(document.get("status", "unready"))
    print_table(("part", "state", "detail"), checks_of(document))
    if not ready:
        sys.exit(FILM_FAILED)
    click.echo()
    print_table(
        ("priority", "queued", "running", "oldest waits"),
        [
            (name, str(depth.queued), str(depth.running), f"{depth.oldest_seconds:.0f} s")
            for name, depth in read_depths(gateway.metrics()).items()
        ],
    )
    click.echo()
    parked = list(gateway.jobs({"state": JobState.FAILED.value}, _MOST_COUNTED))
    more = "+" if len(parked) == _MOST_COUNTED else ""
    click.echo(f"parked: {len(parked)}{more}")
