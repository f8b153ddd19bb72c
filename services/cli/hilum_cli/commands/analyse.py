"""``hilum analyse``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hilum.domain.job import Priority
from hilum_cli.failure import FILM_FAILED, USAGE, Failure, readable
from hilum_cli.film_files import find_films
from hilum_cli.findings import FilmOutcome, print_findings
from hilum_cli.following import follow
from hilum_cli.options import gateway_of, gateway_options
from hilum_cli.progress import progress
from hilum_cli.submission import SentFilm, send
from hilum_cli.table import NOTICE

if TYPE_CHECKING:
    from hilum_cli.gateway import Gateway


@click.command()
@click.argument(
    "paths",
    nargs=-1,
    required=True,
    metavar="FILE|FOLDER...",
    type=click.Path(exists=True, path_type=Path),
)
@click.option(
    "--priority",
    type=click.Choice([priority.value for priority in Priority]),
    default=Priority.ROUTINE.value,
    show_default=True,
    help="How urgent the films are.",
)
@click.option("--site", help="Site that owns the films, where the key is not bound to one.")
@click.option("--patient-ref", help="A pseudonym. Never a name or a number of a patient.")
@click.option("--force", is_flag=True, help="Analyse images again that have a job (operators).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.option("--all-labels", is_flag=True, help="Print every label in a row of its own.")
@click.option("--no-wait", is_flag=True, help="Send the films and leave.")
@gateway_options
@readable
def analyse(  # noqa: PLR0913 - one parameter an option
    *,
    paths: tuple[Path, ...],
    priority: str,
    site: str | None,
    patient_ref: str | None,
    force: bool,
    as_json: bool,
    all_labels: bool,
    no_wait: bool,
    url: str | None,
    api_key_file: Path | None,
) -> None:
    """Send films to the gateway, wait for their findings and print them.

    The impression of each comes first, in one line. Of each panel its positive labels are printed,
    or the most probable one. Experimental labels that are not switched on at the site are left
    out. --all-labels prints every label. A folder is searched for .dcm, .png, .jpg and .jpeg files
    and for DICOM files without a suffix. The exit code is 0 if every film was analysed, 1 if one
    was refused, rejected or failed, 2 if the command line is wrong, 3 if the gateway cannot be
    used.
    """
    films = list(find_films(paths))
    if not films:
        raise Failure(f"no films in {', '.join(str(path) for path in paths)}", USAGE)
    fields = {"priority": priority, "site": site, "patient_ref": patient_ref}
    fields["force"] = "true" if force else None
    given = {name: value for name, value in fields.items() if value is not None}
    with gateway_of(url, api_key_file) as gateway:
        with progress("sending", len(films)) as advance:
            sent = []
            for film in send(gateway, films, given):
                sent.append(film)
                advance()
        outcomes = _outcomes(gateway, sent, wait=not no_wait)
    if as_json:
        document = {"notice": NOTICE, "films": [outcome.document() for outcome in outcomes]}
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        print_findings(outcomes, every_label=all_labels, experimental=all_labels)
    if not all(outcome.good for outcome in outcomes):
        sys.exit(FILM_FAILED)


def _outcomes(gateway: Gateway, sent: list[SentFilm], *, wait: bool) -> list[FilmOutcome]:
    """How each film ended (or stands, where nobody waits), in the order of the films."""
    job_ids = [film.job_id for film in sent if film.job_id is not None]
    jobs: dict[str, dict[str, Any]] = {}
    if wait:
        with progress("analysing", len(set(job_ids))) as advance:
            for job in follow(gateway, job_ids):
                jobs[job["job_id"]] = job
                advance()
    else:
        jobs = {job_id: gateway.job(job_id) for job_id in dict.fromkeys(job_ids)}
    return [
        FilmOutcome(film.path, jobs[film.job_id] if film.job_id else None, film.refusal)
        for film in sent
    ]
