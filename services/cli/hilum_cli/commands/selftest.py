"""``hilum selftest``."""

from __future__ import annotations

import json
import sys

import click

from hilum.domain.job import Priority
from hilum_cli.failure import FILM_FAILED, readable
from hilum_cli.options import database_of, database_options, gateway_at
from hilum_cli.selftest import KEY_NAME, SelfTest, Step
from hilum_cli.table import NOTICE


@click.command()
@click.option("--url", help="Address of the gateway [HILUM_API_URL, http://127.0.0.1:8080].")
@click.option(
    "--site", default=KEY_NAME, show_default=True, help="Site that the test's film belongs to."
)
@click.option(
    "--priority",
    type=click.Choice([priority.value for priority in Priority]),
    default=Priority.ROUTINE.value,
    show_default=True,
    help="Queue to test.",
)
@click.option(
    "--patience",
    type=click.FloatRange(min=0, min_open=True),
    default=120.0,
    show_default=True,
    help="Seconds that the film may take.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
@database_options
@readable
def selftest(
    *,
    url: str | None,
    site: str,
    priority: str,
    patience: float,
    as_json: bool,
    database_url: str | None,
) -> None:
    """Send a phantom through the whole installation and say what works.

    Makes a key in the database, sends a film that was never sent before, waits for its findings,
    fetches a picture, and revokes the key. The exit code is 0 if all of it worked, 1 if not, 2 if
    the command line is wrong.
    """

    def told(step: Step) -> None:
        if not as_json:
            mark = "ok    " if step.passed else "FAILED"
            click.echo(f"{mark}  {step.name:<10}  {step.seconds:7.2f} s  {step.detail}")

    report = SelfTest(
        database=database_of(database_url),
        open_gateway=gateway_at(url),
        site=site,
        priority=priority,
        patience_s=patience,
        told=told,
    ).run()
    if as_json:
        click.echo(json.dumps({"notice": NOTICE, **report.document()}, indent=2))
    else:
        click.echo("the installation works" if report.passed else "the installation does not work")
    if not report.passed:
        sys.exit(FILM_FAILED)
