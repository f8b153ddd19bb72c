"""``hilum thresholds fit``."""

from __future__ import annotations

from pathlib import Path

import click

from hilum_cli.failure import USAGE, Failure, readable
from hilum_cli.options import model_options, models_of


@click.command()
@click.argument(
    "films", metavar="CSV", type=click.Path(path_type=Path, dir_okay=False, exists=True)
)
@click.option("--site", required=True, help="The site whose films these are.")
@click.option("--sensitivity", type=float, help="Wanted sensitivity, e.g. 0.95.")
@click.option("--specificity", type=float, help="Wanted specificity, instead of a sensitivity.")
@click.option("--panel", "panels", multiple=True, help="Only this panel; may be repeated.")
@click.option("--label", "labels", multiple=True, help="Only this label; may be repeated.")
@click.option("--model", help="The model, where the columns are of panels of several.")
@click.option("--version", help="Version of the model; the one in force if left out.")
@click.option(
    "--plot",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a picture of the fits (SVG).",
)
@click.option("--save", is_flag=True, help="Put the fitted operating points in force at the site.")
@click.option(
    "--beyond-scope",
    is_flag=True,
    help="Fit for images outside the panels' scopes, too, where enough of the films lie there.",
)
@model_options
@readable
def fit(  # noqa: PLR0913 - one parameter an option
    *,
    films: Path,
    site: str,
    sensitivity: float | None,
    specificity: float | None,
    panels: tuple[str, ...],
    labels: tuple[str, ...],
    model: str | None,
    version: str | None,
    plot: Path | None,
    save: bool,
    beyond_scope: bool,
    database_url: str | None,
    model_repository: Path | None,
) -> None:
    """Fit operating points on films of the site whose truth is known.

    CSV has one row a film. The columns job_id, sop_instance_uid or file say which film; patient
    (a pseudonym) which films belong together; a column named after a panel holds the label that is
    true (several set apart by |, or none), a column PANEL.LABEL holds 1 or 0. An empty cell: not
    known. With a column source (a ward, a device) the wanted value holds at the worst source. Films
    outside a panel's scope have no part in its fit without --beyond-scope. What
    would be flagged on the normal and the ill images is printed first. Nothing is changed without
    --save.
    """
    given = {"sensitivity": sensitivity, "specificity": specificity}
    aims = [(aim, value) for aim, value in given.items() if value is not None]
    if len(aims) != 1:
        raise Failure("pass one of --sensitivity and --specificity", USAGE)
    # Loaded here: the other commands do not wait for what does the sums.
    from hilum_cli.threshold_fit import Wanted, fit_thresholds  # noqa: PLC0415

    wanted = Wanted(*aims[0], site, model, version, panels, labels, save, beyond_scope)
    fit_thresholds(models_of(database_url, model_repository), films, wanted, plot)
