"""Flags a normal image, and ill images without any flag."""

from __future__ import annotations

import numpy as np
import pytest

from hilum_training.evaluation.headline import headline
from hilum_training.evaluation.headline_tables import (
    headline_lines,
    headline_rows,
)
from hilum_training.evaluation.verdicts import PanelPoints
from hilum_training.films.severity import read_severity
from tests.unit.training.panel_answers import film, panel

INFECTION, TUBERCULOSIS, PATHOLOGY = (
    panel(name) for name in ("infection", "tuberculosis", "pathology")
)
PANELS = [
    PanelPoints.of_recipe(INFECTION, {"normal": 0.5, "infected": 0.5}),
    PanelPoints.of_recipe(
        TUBERCULOSIS, {"normal": 0.5, "tuberculosis": 0.5, "other_abnormal": 0.5}
    ),
    PanelPoints.of_recipe(PATHOLOGY, {"effusion": 0.5, "mass": 0.5}),
]
# Source, recorded label, and what infection, tuberculosis and pathology hold most probable.
ROWS = [
    ("kermany", "normal", "normal", "normal", ()),
    ("kermany", "normal", "infected", "other_abnormal", ("effusion", "mass")),
    ("kermany", "pneumonia_viral", "infected", "other_abnormal", ()),
    ("nih14", "normal", "normal", "normal", ("mass",)),
    ("nih14", "other:mass", "normal", "normal", ("mass",)),
    ("nih14", "other:mass", "normal", "normal", ()),
    ("covid_cxnet", "covid19", "infected", "normal", ()),
]


def made(rows=ROWS, severity=None, inside=None):
    films = [film(place, source, label) for place, (source, label, *_) in enumerate(rows)]
    chances = {
        "infection": [[0.9 if name == row[2] else 0.1 for name in INFECTION.names] for row in rows],
        "tuberculosis": [
            [0.8 if name == row[3] else 0.1 for name in TUBERCULOSIS.names] for row in rows
        ],
        "pathology": [[0.9 if name in row[4] else 0.1 for name in PATHOLOGY.names] for row in rows],
    }
    arrays = {name: np.array(values) for name, values in chances.items()}
    return headline(films, [item.group for item in films], PANELS, arrays, severity, inside)


def row_of(report, switched, source):
    return next(row for row in headline_rows(report, switched) if row["source"] == source)


def test_flags_are_counted_over_all_panels_and_by_source():
    """One of two healthy children is flagged by two validated labels; adults by none."""
    report = made()
    children, adults = (row_of(report, "default", name) for name in ("kermany", "nih14"))
    assert (children["normal_films"], children["ill_films"]) == (2, 1)
    assert children["flags_a_normal_film"]["value"] == 1.0
    assert children["normal_films_without_a_flag"]["value"] == 0.5
    assert children["ill_films_without_a_flag"]["value"] == 0.0
    assert adults["flags_a_normal_film"]["value"] == 0.0
    assert adults["ill_films_without_a_flag"]["value"] == 1.0


def test_experimental_labels_count_in_a_part_of_their_own():
    """With them on, the child has two flags more and one ill adult is found."""
    report = made()
    children, adults = (row_of(report, "with_experimental", name) for name in ("kermany", "nih14"))
    assert children["flags_a_normal_film"]["value"] == 2.0
    assert adults["flags_a_normal_film"]["value"] == 1.0
    assert adults["ill_films_without_a_flag"]["value"] == 0.5


def test_the_row_over_all_sources_holds_every_image():
    """Three normal images and four ill ones, whatever their source."""
    whole = row_of(made(), "default", "all")
    assert (whole["normal_films"], whole["normal_patients"]) == (3, 3)
    assert (whole["ill_films"], whole["ill_patients"]) == (4, 4)
    assert whole["flags_a_normal_film"]["value"] == pytest.approx(2 / 3, abs=1e-4)
    low, high = whole["flags_a_normal_film"]["interval"]
    assert low <= 2 / 3 <= high


def test_a_source_without_normal_images_has_no_figure_for_them():
    """A collection of ill people says nothing of healthy ones."""
    row = row_of(made(), "default", "covid_cxnet")
    assert row["normal_films"] == 0
    assert row["flags_a_normal_film"] == {"value": None, "interval": None}
    assert row["ill_films_without_a_flag"]["value"] == 0.0


def test_no_flag_among_few_images_is_no_proof_of_none():
    """Without any flag the upper end is that of the share of images with one."""
    row = row_of(made([("nih14", "normal", "normal", "normal", ())] * 10), "default", "nih14")
    assert row["flags_a_normal_film"]["value"] == 0.0
    assert row["flags_a_normal_film"]["interval"][1] == pytest.approx(0.3085, abs=1e-3)


def test_no_panel_names_normal_and_abnormal_of_an_image():
    """A single-label panel names at most one label, so that the count is nought."""
    for switched in ("default", "with_experimental"):
        assert all(
            row["normal_and_abnormal_of_one_panel"] == 0 for row in headline_rows(made(), switched)
        )


def test_outside_its_scope_a_panel_flags_nothing():
    """The healthy child that two panels flag keeps the flag of the panel that covers children."""
    inside = {item.name: np.ones(len(ROWS), dtype=bool) for item in PANELS}
    inside["tuberculosis"] = np.array([row[0] != "kermany" for row in ROWS])
    children = row_of(made(inside=inside), "default", "kermany")
    assert children["flags_a_normal_film"]["value"] == 0.5
    inside["infection"] = inside["tuberculosis"]
    children = row_of(made(inside=inside), "default", "kermany")
    assert children["flags_a_normal_film"]["value"] == 0.0
    assert children["ill_films_without_a_flag"]["value"] == 1.0


def test_each_label_is_counted_by_source():
    """Which label flags healthy people, and where."""
    rows = made()["with_experimental"]["by_label"]
    (row,) = [row for row in rows if (row["label"], row["source"]) == ("pathology/mass", "kermany")]
    assert (row["normal_films"], row["normal_films_flagged"]) == (2, 1)
    assert {row["label"] for row in rows} == {
        "infection/infected",
        "tuberculosis/other_abnormal",
        "pathology/effusion",
        "pathology/mass",
    }


def test_misses_are_told_by_severity_where_readers_scored_it(tmp_path):
    """The scores of a pack, in three bands; without the file there is no table."""
    (tmp_path / "severity.csv").write_text(
        "file,geographic_mean,opacity_mean\n4.png,1.0,1.0\n5.png,1.0,1.5\n6.png,7,4.0\n"
    )
    rows = made(severity=read_severity(tmp_path))["default"]["by_severity"]
    assert [(row["ill_films"], row["ill_films_without_a_flag"]["value"]) for row in rows] == [
        (2, 1.0),
        (1, 0.0),
    ]
    assert read_severity(tmp_path / "elsewhere") == {}
    assert "by_severity" not in made()["default"]


def test_rows_and_lines_hold_the_figures():
    """Sources with the most normal images come first, the row over all comes last."""
    report = made()
    assert [row["source"] for row in headline_rows(report)] == [
        "kermany",
        "nih14",
        "covid_cxnet",
        "all",
    ]
    assert any("kermany: 1 (" in line for line in headline_lines(report))
    assert any("- flags a normal image (n 0)" in line for line in headline_lines(report))
