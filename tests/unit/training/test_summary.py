"""The page over all reports holds what the reports hold."""

from __future__ import annotations

import re
from string import Template

import numpy as np
import pytest

from hilum_training.evaluation.measure import measure_panel
from hilum_training.evaluation.report_files import write_json, write_reports
from hilum_training.evaluation.summary import NOTHING, REPORTS, read_reports, summary
from hilum_training.export.cards import card_of
from hilum_training.recipe import read_recipe
from tests.unit.training.panel_answers import GATE, RECIPE, ROOT, answers, film

ABOUT = {"version": "0.2.0", "created": "2020-01-02", "weights": "abc", "films_used": []}


def section(panel):
    """A section from random answers to films of every source and label that the panel knows."""
    generator = np.random.default_rng(0)
    sources = panel.sources or ("kermany", "nih14", "shenzhen", "montgomery", "cohen")
    labels = list(panel.candidates) or ["normal", "other"]
    films = [
        film(index, sources[index % len(sources)], labels[index // len(sources) % len(labels)])
        for index in range(40 * len(labels))
    ]
    logits = generator.normal(size=(len(films), len(panel.labels)))
    told = answers(panel, films, logits.tolist())
    return measure_panel(told, told)


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """Reports of a chest network and a gate that guess."""
    folder = tmp_path_factory.mktemp("reports")
    probe = {"features": {"accuracy": {"value": 0.9, "interval": [0.8, 0.95]}}}
    sections = {panel.name: section(panel) for panel in RECIPE.panels}
    write_reports(folder, "chest", {**ABOUT, "parameters": 1, "source_probe": probe}, sections)
    write_reports(folder, "gate", {**ABOUT, "parameters": 1}, {"gate": section(GATE)})
    row = {"seen_in_training": False, **sections["tuberculosis"]["within_source"][1]}
    write_json(
        folder / "shifts/tb-learnt-in-shenzhen/metrics.json",
        {
            "shift": "tb-learnt-in-shenzhen",
            "about": "Tuberculosis across sites",
            "series": "sites",
            "learnt_from": {"shenzhen: normal": 3},
            "pixels": 224,
            "epochs": 9,
            "within_source": [row],
        },
    )
    return folder


def test_the_page_shows_the_figures_of_the_reports(reports):
    """Headline figures, gate, shift and probe stand there with their intervals."""
    found = read_reports(reports)
    page = summary(found)
    row = found["pneumonia"]["within_source"][0]
    low, high = row["auroc"]["interval"]
    for value in (row["auroc"]["value"], low, high):
        assert f"{value:.4f}".rstrip("0").rstrip(".") in page
    assert "Tuberculosis across sites" in page
    assert "| chest | features | 0.9 (0.8 to 0.95) |" in page
    assert "frontal films that pass" in page
    assert "not for diagnosis" in page


def test_a_missed_aim_is_called_missed(reports):
    """A network that guesses does not reach AUROC 0.997, and the page says no."""
    (line,) = [
        line
        for line in summary(read_reports(reports)).splitlines()
        if line.startswith("| normal or pneumonia within Kermany")
    ]
    assert line.endswith("| **no** |")


@pytest.mark.parametrize(
    ("interval", "line"),
    [
        ([0.01, 0.05], "| cnn | 2 | 1 | 0 | 1.5 | yes |"),
        ([-0.05, -0.01], "| cnn | 2 | 0 | 1 | 1.5 | no |"),
    ],
)
def test_an_ensemble_pays_where_it_gains_and_loses_nothing(interval, line):
    """One of two figures is surely better, or surely worse, at half as much again."""
    moved = {"question": "normal", "value": sum(interval) / 2, "interval": interval}
    gain = {"within_source": [moved], "accuracy": {"value": 0.0, "interval": [-0.1, 0.1]}}
    row = {"ensemble_gain": gain, "hilum": {"cpu_ms": 10.0}, "networks": [{"cpu_ms": 5.0}]}
    assert line in summary({"baselines": {"cnn": row}}).splitlines()


def test_what_was_not_measured_is_called_so():
    """Without reports the page stands, and claims nothing."""
    page = summary({})
    assert page.count(NOTHING) >= 8
    assert not re.search(r"\| 0\.\d", page.split("## The five apps")[0])


def test_the_committed_page_is_of_the_committed_reports():
    """Nobody edited the page, and nobody forgot to write it again."""
    page = REPORTS / "README.md"
    assert page.read_text(encoding="utf-8") == summary(read_reports(REPORTS))


@pytest.mark.parametrize("network", ["chest", "gate"])
def test_every_placeholder_of_a_card_is_in_its_report(reports, network):
    """The exporter finds every figure that a card asks for."""
    path = ROOT / f"training/recipes/{network}.toml"
    report = read_reports(reports)[f"network/{network}"]
    recipe = read_recipe(path)
    card = card_of(path, recipe.data, report, recipe.settle)
    manifest = {"name", "version", "created", "preprocessing", "size", "data", "weak"}
    names = manifest | {f"{panel}_grid" for panel in report["panels"]}
    for name, value in card.metrics.items():
        names |= names_below(name, value) if name != "panels" else set()
    for panel, value in report["panels"].items():
        names |= names_below(panel, value)
    assert set(Template(card.template).get_identifiers()) <= names


def names_below(prefix, value):
    names = {prefix}
    if isinstance(value, dict):
        for key, below in value.items():
            names |= names_below(f"{prefix}_{key}", below)
    return names
