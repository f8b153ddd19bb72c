"""The pages over all reports show what the reports hold."""

from __future__ import annotations

import re
import shutil
from string import Template

import pytest

from hilum_training.evaluation import details_page
from hilum_training.evaluation import summary as summary_page
from hilum_training.evaluation.checklist import CHECKLIST
from hilum_training.evaluation.details_page import DETAILS, details
from hilum_training.evaluation.report_files import read_json
from hilum_training.evaluation.report_index import REPORTS, read_reports
from hilum_training.evaluation.summary import pages, summary
from hilum_training.export.cards import card_of, later_fits_of
from hilum_training.export.figure_text import NOTHING, short
from hilum_training.recipe import read_recipe
from tests.unit.training.guessed_reports import VERSION, write_guessed
from tests.unit.training.panel_answers import ROOT

MOST_LINES = 110
MOST_LINES_OF_A_CARD = 120
CARDS = sorted((ROOT / "training/recipes").glob("*.card.md"))
TEMPLATES = [
    summary_page.TEMPLATE,
    details_page.TEMPLATE,
    *CARDS,
    ROOT / "training/hilum_training/export/neutral.card.md",
]
# Names, citations, terms and levels that hold digits and are no figures of a report.
NO_FIGURES = re.compile(
    r"`[^`]*`|\]\([^)]*\)|\$\w+|<[^>]*>|https?://\S+|doi:\S+|arXiv:\S+"
    r"|COVID-19|ChestX-ray\w+|EfficientNet-Lite0|Apache-2\.0|CC BY(-NC-SA)? \d\.\d|V7|F1"
    r"|uint8|efficientnet-lite0|ieee8023"
    r"|(TRIPOD\+AI|CLAIM) \(2024[^)]*\)|IEEE TMI 2014|Neurocomputing 2023;540:126208|10\.17632\S+"
    r"|95 %|farthest 5 %|90 % sensitivity|255 times|above 0\.5|reaches 0\.5",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Reports of a chest network and a gate that guess, and what is kept beside reports."""
    folder = tmp_path_factory.mktemp("reports")
    write_guessed(folder)
    for name in ("external", "previous"):
        shutil.copytree(REPORTS / name, folder / name)
    (folder / "baselines").mkdir()
    shutil.copy(REPORTS / "baselines/thumbnail_ridge.json", folder / "baselines")
    return folder


@pytest.fixture(scope="module")
def reports(folder):
    return read_reports(folder)


def test_the_two_pages_lead_with_flags_by_source(reports):
    """The first table has a row for each source, and each flag as the report has it."""
    page = summary(reports)
    table = page.split("## Results")[1].split("\n\n")[2].splitlines()
    headline = reports["network/chest"]["headline"]["default"]
    assert len(table) == 2 + len(headline["by_source"]) + 1
    for row in [*headline["by_source"], headline["overall"]]:
        name = "all sources" if row["source"] == "all" else row["source"]
        (line,) = [line for line in table if line.startswith(f"| {name} |")]
        assert f"| {short(row['flags_a_normal_film'])} |" in line
        assert f"| {short(row['ill_films_without_a_flag'])} |" in line
    assert f"Release {VERSION}" in page
    assert "not for diagnosis" in page


def test_the_details_hold_every_figure_within_a_source(reports):
    """Also of sources with few images, which the two pages leave out."""
    page = details(reports)
    for name in ("pneumonia", "infection", "tuberculosis"):
        for row in reports[name]["within_source"]:
            assert f"| {row['question']} | {row['source']} |" in page
    assert "Tuberculosis across sites" in page
    assert "| chest | features | 0.9 (0.8 to 0.95) |" in page
    assert "frontal images accepted" in page


def test_the_pages_say_what_a_thumbnail_an_unseen_hospital_and_the_release_before_showed(reports):
    """Figures that are kept as data beside the reports stand in the sentences."""
    page = summary(reports)
    kept = reports["others"]
    for row in kept["thumbnail_ridge"]["splits"]:
        assert short(row["auroc"], 3) in page
        assert row["split"] in page
    hospital = kept["external"]["unseen_hospital"]
    assert f"{hospital['covid19_images']} COVID-19 images" in page
    assert short(hospital["covid19_named"]) in page
    version = reports["network/chest"]["version"]
    assert f"release {hospital['release']}. Version {version} was not measured there." in page
    assert f"{kept['external']['regrouped_patients']['images']} images of" in page
    assert "AUROCs within a source of 0.2.0" in page


@pytest.mark.parametrize(
    ("interval", "line"),
    [
        ([0.01, 0.05], "| cnn | 2 | 1 | 0 | 1.5 | yes |"),
        ([-0.05, -0.01], "| cnn | 2 | 0 | 1 | 1.5 | no |"),
    ],
)
def test_an_ensemble_pays_where_it_gains_and_loses_nothing(interval, line):
    """One of two figures is better, or worse, at half as much again."""
    moved = {"question": "normal", "value": sum(interval) / 2, "interval": interval}
    gain = {"within_source": [moved], "accuracy": {"value": 0.0, "interval": [-0.1, 0.1]}}
    row = {"ensemble_gain": gain, "hilum": {"cpu_ms": 10.0}, "networks": [{"cpu_ms": 5.0}]}
    assert line in details({"baselines": {"cnn": row}}).splitlines()


def test_a_comparison_with_other_weights_is_named():
    """A rival and a baseline that ran beside an earlier network are said to be of it."""
    reports = {
        "network/chest": {"panels": {}, "version": "9.0.0", "weights": "new"},
        "baselines": {"cnn": {"hilum": {"weights": "old"}}, "svm": {"hilum": {"weights": "new"}}},
        "rivals/again": {"shipped_weights": "old", "rows": []},
    }
    text = details_page.stale(reports)
    assert "`baselines/cnn` and `rivals/again`" in text
    assert "svm" not in text


def test_what_was_not_measured_is_called_so():
    """Without reports the pages hold no figure of a model."""
    for page, text in (("summary", summary({})), ("details", details({}))):
        assert text.count(NOTHING) >= 8, page
        assert not re.search(r"\| 0\.\d", text.split("## The five apps")[0]), page


def test_the_two_pages_are_two_pages():
    """Of the committed reports, and of networks that guess."""
    assert len(summary(read_reports(REPORTS)).splitlines()) <= MOST_LINES


@pytest.mark.parametrize(
    "card",
    sorted((ROOT / "model_repository").glob("*/MODEL_CARD.md")),
    ids=lambda path: path.parent.name,
)
def test_a_card_is_two_pages(card):
    """Each shipped card."""
    assert len(card.read_text(encoding="utf-8").splitlines()) <= MOST_LINES_OF_A_CARD


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_holds_a_figure(template):
    """Every sentence with a number is made from a report."""
    text = NO_FIGURES.sub("", template.read_text(encoding="utf-8"))
    assert [line for line in text.splitlines() if re.search(r"\d", line)] == []


def test_the_committed_pages_are_of_the_committed_reports():
    """Nobody edited a page, and nobody forgot to write it again."""
    written = dict(pages(REPORTS))
    assert {REPORTS / "README.md", REPORTS / DETAILS, REPORTS / CHECKLIST} <= set(written)
    other = [
        path.relative_to(REPORTS).as_posix()
        for path, text in written.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    assert other == []


@pytest.mark.parametrize("network", ["chest", "gate"])
def test_every_placeholder_of_a_card_is_in_its_report(reports, network):
    """The exporter finds every figure that a card asks for."""
    path = ROOT / f"training/recipes/{network}.toml"
    report = reports[f"network/{network}"]
    recipe = read_recipe(path)
    card = card_of(path, recipe.data, report, later_fits_of(recipe))
    manifest = {"name", "version", "created", "preprocessing", "size", "data", "below_validated"}
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


def test_reports_are_read_by_panel_network_and_run(folder, reports):
    """A panel's long report goes before the network's short one."""
    assert "by" in reports["pneumonia"]
    assert "by" not in reports["network/chest"]["panels"]["pneumonia"]
    assert reports["shifts/tb-learnt-in-shenzhen"]["epochs"] == 9
    assert (read_json(folder / "gate/metrics.json") or {})["version"] == VERSION
