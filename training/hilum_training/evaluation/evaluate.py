"""Run a trained network over validation and test films and write its reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hilum_training.evaluation.figures import draw_figures
from hilum_training.evaluation.headline_tables import headline_lines
from hilum_training.evaluation.measure import measure_panel
from hilum_training.evaluation.measured_network import HEATMAP_KINDS, MeasuredNetwork
from hilum_training.evaluation.panel_page import panel_page
from hilum_training.evaluation.report_files import (
    METRICS,
    PAGE,
    count_films,
    created,
    write_reports,
)
from hilum_training.export.figure_text import short
from hilum_training.export.other_reports import with_other_reports
from hilum_training.films.severity import read_severity
from hilum_training.population.limits import population_report
from hilum_training.population.probe import measures_of, probe_path
from hilum_training.weights import weights_digest

if TYPE_CHECKING:
    from pathlib import Path

    import keras

    from hilum_training.evaluation.shortcuts.lung_fields import Masks
    from hilum_training.films.library import Library
    from hilum_training.population.inside import Population
    from hilum_training.recipe import Recipe

HEATMAPS: Final = "heatmaps.png"


def evaluate(  # noqa: PLR0913, PLR0917 - one parameter for each thing that is read or written
    recipe: Recipe,
    library: Library,
    network: keras.Model,
    reports: Path,
    pack: Path | None = None,
    lungs: Masks | None = None,
    kept: Path | None = None,
    probe: Path | None = None,
) -> dict[str, Any]:
    """Measure a trained network.

    Args:
        recipe: What was trained.
        library: Its films.
        network: With its trained weights.
        reports: Where reports lie: one folder for the network and one for each of its panels.
        pack: The film pack, for boxes and masks that people drew; None does without.
        lungs: The segmentation's answer to films; None takes the pack's masks, which fewer have.
        kept: Where a page of maps over films of every source lies, for eyes on this machine; a
            report holds films that may be shown again.
        probe: Where what measures the population is written; None: beside the reports.

    Returns:
        What was written to the network's ``metrics.json``.
    """
    probe = probe or probe_path(reports.parent, recipe.name)
    measured = MeasuredNetwork(recipe, library, network)
    scoped, sections, population = _measure(measured, recipe, probe)
    for key, tables in measured.tables(pack, lungs).items():
        for name, rows in tables.items():
            sections[name][key] = rows
    digest = weights_digest(network)
    about: dict[str, Any] = {
        "version": recipe.version,
        "created": created(reports / recipe.name / METRICS, digest),
        "weights": digest,
        "parameters": int(network.count_params()),
        "films_used": count_films(library),
        **scoped,
    }
    if found := measured.headline(sections, read_severity(pack) if pack else {}, population):
        about["headline"] = found
    if any(panel.comparisons for panel in recipe.panels):
        about["source_probe"] = measured.source_probe()
    _draw(measured, recipe, sections, reports, kept)
    report = write_reports(reports, recipe.name, about, sections)
    for name, section in sections.items():
        files = {path.name for path in (reports / name).iterdir()}
        page = panel_page(name, section, files, with_other_reports(report, reports))
        (reports / name / PAGE).write_text(page, encoding="utf-8")
    return report


def _measure(
    measured: MeasuredNetwork, recipe: Recipe, probe: Path
) -> tuple[dict[str, Any], dict[str, dict[str, Any]], Population | None]:
    """The population's part of the report, each panel's section, and what is in scope."""
    scoped: dict[str, Any] = {}
    scopes: dict[str, dict[str, Any]] = {}
    population = None
    if measures_of(recipe):
        scoped["population"], scopes = population_report(recipe, measured.parts(), probe)
        population = measured.population(scopes, probe)
    sections = {
        name: measure_panel(chosen_on, measured.test[name], population)
        for name, chosen_on in measured.validation.items()
    }
    for name, scope in scopes.items():
        sections[name]["scope"] = scope
    return scoped, sections, population


def _draw(
    measured: MeasuredNetwork,
    recipe: Recipe,
    sections: dict[str, dict[str, Any]],
    reports: Path,
    kept: Path | None,
) -> None:
    """Draw each panel's figures, and its page of maps with what it shows."""
    for panel in recipe.panels:
        folder = reports / panel.name
        draw_figures(
            measured.test[panel.name],
            measured.calibrations[panel.name],
            sections[panel.name],
            folder,
        )
        if panel.kind in HEATMAP_KINDS:
            sections[panel.name] |= measured.draw_heatmaps(panel, folder / HEATMAPS)
            if kept is not None:
                measured.draw_heatmaps(panel, kept / panel.name / HEATMAPS, every=True)


def headlines(report: dict[str, Any]) -> list[str]:
    """A network's report in lines for people: the headline, then questions within one source."""
    lines = headline_lines(report["headline"]) if "headline" in report else []
    for name, section in report["panels"].items():
        for row in section["within_source"]:
            lines.append(f"{name}: {short(row['auroc'], 3)}  {row['question']}")
        worst = section["calibration_error"]["worst_source"]
        error = f"{worst['error']['value']} within {worst['source']}" if worst else "not measured"
        summary = section.get("accuracy", {}).get("value") or section.get("mean_auroc")
        lines.append(f"{name}: all sources {summary}, largest calibration error {error}")
    return lines
