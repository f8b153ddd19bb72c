"""A panel's page for people."""

from __future__ import annotations

from hilum_training.evaluation.heatmaps import licence_rows
from hilum_training.evaluation.measure import measure_panel
from hilum_training.evaluation.panel_page import panel_page
from tests.unit.training.panel_answers import answers, film, panel, sure
from tests.unit.training.test_lead_tables import REPORT

PNEUMONIA = panel("pneumonia")


def page(files=()):
    films = [film(i, "kermany", label) for i, label in enumerate(PNEUMONIA.names * 6)]
    told = answers(PNEUMONIA, films, [sure(PNEUMONIA, f.label) for f in films])
    return panel_page("pneumonia", measure_panel(told, told), files)


def test_tables_by_source_view_age_and_sex_stand_on_the_page():
    """With the figures that lead, the labels' report, and the notice."""
    text = page()
    for title in ("Within one source", "Recorded and predicted", "By source", "By view", "By age"):
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
    assert "Images on the page of maps" not in text


def about():
    """A network's report, with a flag of this panel and what is kept beside reports."""
    rows = [
        {"label": label, "source": "nih14", "normal_films": 60, "normal_films_flagged": 3}
        for label in ("pneumonia/covid19", "infection/infected")
    ]
    headline = {key: {**part, "by_label": rows} for key, part in REPORT["headline"].items()}
    hospital = {
        "release": "0.2.0",
        "what": "another hospital",
        "origin": "measured elsewhere",
        "covid19_images": 26,
        "other_images": 18,
        "not_normal_note": "in part the position",
        **{
            key: {"value": 0.5, "interval": None}
            for key in (
                "covid19_named",
                "covid19_auroc",
                "others_called_infected",
                "not_normal_auroc",
                "flags_a_normal_image",
            )
        },
    }
    return {**REPORT, "headline": headline, "others": {"external": {"unseen_hospital": hospital}}}


def test_a_page_leads_with_flags_of_all_panels_then_with_its_own():
    """Sources outside the panel's own are among them; other panels' labels are not."""
    films = [film(i, "kermany", label) for i, label in enumerate(PNEUMONIA.names * 6)]
    told = answers(PNEUMONIA, films, [sure(PNEUMONIA, f.label) for f in films])
    section = {**measure_panel(told, told), "scope": REPORT["panels"]["infection"]["scope"]}
    text = panel_page("pneumonia", section, (), about())
    titles = [line for line in text.splitlines() if line.startswith("## ")]
    assert titles[:3] == [
        "## Flags of all panels together",
        "## Flags of this panel",
        "## Within one source",
    ]
    assert "| montgomery | 14 |" in text
    assert "| covid19 | nih14 | 60 | 3 |" in text
    assert "infected | nih14 | 60 | 3 |" not in text
    assert "children with: Hernia" in text
    assert "26 COVID-19 images and 18 others" in text
    assert "figures are of release 0.2.0. Version 9.0.0 was not measured there." in text
    measured = {**about(), "version": "0.2.0"}
    assert "not measured there" not in panel_page("pneumonia", section, (), measured)
    assert "unseen hospital" not in panel_page("tuberculosis", section, (), about())


def test_rows_of_few_images_follow_the_others():
    """Two dozen images lead no table of a page."""
    rows = [
        {"question": name, "source": name, "positive_films": films, "negative_films": films}
        for name, films in (("small", 12), ("large", 60))
    ]
    films = [film(i, "kermany", label) for i, label in enumerate(PNEUMONIA.names * 6)]
    told = answers(PNEUMONIA, films, [sure(PNEUMONIA, f.label) for f in films])
    text = panel_page("pneumonia", {**measure_panel(told, told), "within_source": rows})
    assert text.index("| large | large |") < text.index("| small | small |")
