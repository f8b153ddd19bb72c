"""A panel's page for people."""

from __future__ import annotations

from hilum_training.evaluation.heatmaps import licence_rows
from hilum_training.evaluation.measure import measure_panel
from hilum_training.evaluation.panel_page import panel_page
from tests.unit.training.panel_answers import answers, film, panel, sure

PNEUMONIA = panel("pneumonia")


def page(files=()):
    films = [film(i, "kermany", label) for i, label in enumerate(PNEUMONIA.names * 6)]
    told = answers(PNEUMONIA, films, [sure(PNEUMONIA, f.label) for f in films])
    return panel_page("pneumonia", measure_panel(told, told), files)


def test_tables_by_source_view_age_and_sex_stand_on_the_page():
    """With the figures that lead, the labels' report, and the notice."""
    text = page()
    for title in ("Within one source", "Recorded and answered", "By source", "By view", "By age"):
        assert f"## {title}" in text
    assert "| kermany | 24 | 1 (" in text
    assert "not for diagnosis" in text


def test_only_pictures_that_were_drawn_are_shown():
    """A panel without a page of maps has no broken picture."""
    assert "(roc.svg)" in page(["roc.svg", "metrics.json"])
    assert "heatmaps.png" not in page(["roc.svg"])


def test_what_was_not_measured_has_no_heading():
    """No boxes, no masks: nothing is said of them."""
    assert "readers' boxes" not in page()


def test_what_may_not_be_shown_is_counted_instead():
    """Answers on films under NIH's or NLM's terms: how many were right, how many wrong."""
    films = [
        film(i, "nih14", label, licence="NIH-CC terms") for i, label in enumerate(PNEUMONIA.names)
    ]
    told = answers(PNEUMONIA, films, [sure(PNEUMONIA, "normal")] * 4)
    rows = licence_rows(told, told.calibration())
    section = {**measure_panel(told, told), "answers_by_licence": rows, "films_shown": []}
    text = panel_page("pneumonia", section)
    assert "| nih14 | NIH-CC terms | no | 1 | 3 |" in text
    assert "Films on the page of maps" not in text
