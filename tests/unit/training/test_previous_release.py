"""What is kept of a release, and what is measured of it again."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace

import numpy as np

from hilum_training.evaluation.previous_release import Served, flags_by_source, kept, same_sources
from hilum_training.evaluation.report_index import REPORTS
from hilum_training.films.library import FilmSet
from tests.unit.training.panel_answers import RECIPE, film

MANIFEST = {
    "panels": [
        {
            "name": "infection",
            "labels": [{"name": "normal", "abnormal": False}, {"name": "infected"}],
            "operating_points": [
                {"label": "normal", "threshold": 0.5},
                {"label": "infected", "threshold": 0.3},
            ],
        }
    ]
}
FILMS = [
    film(place, source, label)
    for place, (source, label) in enumerate(
        [
            ("kermany", "normal"),
            ("kermany", "normal"),
            ("kermany", "pneumonia_viral"),
            ("shenzhen", "normal"),
            ("shenzhen", "tuberculosis"),
        ]
    )
]
INFECTED = [0.1, 0.4, 0.9, 0.2, 0.8]


@dataclass(frozen=True)
class Told(Served):
    """Gives what the test says instead of asking a graph."""

    manifest: dict = field(default_factory=lambda: MANIFEST)
    graph: bytes = b""

    def chances(self, inputs):
        values = np.array([[1 - value, value] for value in INFECTED[: len(inputs)]])
        return {"infection": values}


def unseen():
    return FilmSet(
        tuple(FILMS),
        np.zeros((len(FILMS), 8, 8, 1), dtype=np.uint8),
        tuple(item.group for item in FILMS),
    )


def reported(kermany=1.0, shenzhen=1.0):
    questions = {
        "normal or pneumonia, children of one hospital": kermany,
        "normal or tuberculosis, mostly adults of one hospital": shenzhen,
    }
    rows = [{"question": name, "auroc": {"value": value}} for name, value in questions.items()]
    empty = {"within_source": []}
    panels = {panel.name: empty for panel in RECIPE.panels}
    return {"panels": {**panels, "infection": {"within_source": rows}}}


def test_flags_are_those_of_every_label_by_itself():
    """A normal image with 0.4 is flagged at 0.3; the normal label is no flag."""
    rows = flags_by_source(Told(), RECIPE, unseen(), reported())
    kermany = next(row for row in rows if row["source"] == "kermany")
    assert kermany["flags_a_normal_film"]["value"] == 0.5
    assert (kermany["normal_films"], kermany["ill_films"]) == (2, 1)


def test_a_source_whose_auroc_comes_out_otherwise_has_other_test_images():
    """It is left out."""
    chances = Told().chances(unseen().inputs)
    assert same_sources(RECIPE, unseen(), chances, reported(shenzhen=0.7)) == ["kermany"]


def test_one_auroc_that_comes_out_otherwise_rules_a_source_out():
    """Another question of the source that agrees does not make its images the same."""
    infection = next(part for part in RECIPE.panels if part.name == "infection")
    (asked,) = [item for item in infection.comparisons if item.source == "kermany"]
    twice = replace(infection, comparisons=(asked, replace(asked, name="again")))
    recipe = replace(RECIPE, panels=(twice,))
    report = reported()
    rows = report["panels"]["infection"]["within_source"]
    chances = Told().chances(unseen().inputs)
    for area, found in ((1.0, ["kermany"]), (0.7, [])):
        again = [*rows, {"question": "again", "auroc": {"value": area}}]
        panels = {"panels": {"infection": {"within_source": again}}}
        assert same_sources(recipe, unseen(), chances, panels) == found


def test_no_flag_on_few_images_has_an_upper_end():
    """An interval from nought to nought would claim that there never is one."""
    row = next(
        row
        for row in flags_by_source(Told(), RECIPE, unseen(), reported())
        if row["source"] == "shenzhen"
    )
    assert row["flags_a_normal_film"]["value"] == 0.0
    assert row["flags_a_normal_film"]["interval"][1] > 0.9


def test_the_kept_file_holds_what_is_compared():
    """AUROC of each question and finding with its interval, and calibration."""
    report = json.loads((REPORTS / "chest/metrics.json").read_text(encoding="utf-8"))
    found = kept(report)
    assert found["version"] == report["version"]
    questions = [row for part in report["panels"].values() for row in part["within_source"]]
    assert [row["auroc"] for row in found["within_source"]] == [row["auroc"] for row in questions]
    assert {row["label"] for row in found["findings"]} <= set(
        report["panels"]["pathology"]["labels"]
    )
    assert set(found["calibration_error"]) == set(report["panels"])


def test_the_release_before_is_kept_with_its_flags():
    """0.2.0, whose report had none."""
    found = json.loads((REPORTS / "previous/0.2.0.json").read_text(encoding="utf-8"))
    flags = {
        row["source"]: row["flags_a_normal_film"]["value"] for row in found["flags_measured_again"]
    }
    assert set(flags) >= {"kermany", "shenzhen", "montgomery"}
    assert flags["kermany"] > 9
    assert {row["source"] for row in found["findings"]} == {"nih14"}


def test_findings_of_an_old_report_are_of_the_source_that_is_named():
    """A new report has them by source, and none where a kind is missing."""
    area = {"value": 0.6, "interval": None}
    labels = {
        "mass": {"auroc": area},
        "nodule": {
            "auroc": area,
            "test_by_source": [
                {"source": "nih14", "auroc": area},
                {"source": "kermany", "auroc": {"value": None, "interval": None}},
            ],
        },
    }
    error = {"calibration_error": {"after": area}}
    panels = {"pathology": {"kind": "multi_label", "labels": labels, "within_source": [], **error}}
    found = kept({"version": "1", "created": "", "panels": panels}, "nih14")["findings"]
    assert [(row["label"], row["source"]) for row in found] == [
        ("mass", "nih14"),
        ("nodule", "nih14"),
    ]
