"""One set of words for what sources record in many."""

from __future__ import annotations

import pytest

from hilum_training.films.readers import vocabulary


@pytest.mark.parametrize(
    ("recorded", "label"),
    [
        ([], "normal"),
        (["No Finding"], "normal"),
        (["Pneumonia/Viral/COVID-19"], "covid19"),
        (["COVID-19", "ARDS"], "covid19"),
        (["Pneumonia/Viral/Influenza/H1N1"], "pneumonia_viral"),
        (["Pneumonia/Bacterial/Staphylococcus/MRSA"], "pneumonia_bacterial"),
        (["Pneumonia/Bacterial/E.Coli"], "pneumonia_bacterial"),
        (["Pneumonia/Bacterial/Something New"], "pneumonia_bacterial"),
        (["Pneumonia/Fungal/Pneumocystis"], "other:pneumocystis"),
        (["Pneumonia"], "pneumonia_unspecified"),
        (["Infiltration", "Pneumonia"], "pneumonia_unspecified"),
        (["Bacterial", "Viral"], "pneumonia_unspecified"),
        (["TB"], "tuberculosis"),
        (["Pleural_Thickening", "Mass"], "other:mass|pleural_thickening"),
    ],
)
def test_recorded_findings_get_one_label(recorded, label):
    """A path goes by its last known part, a pathogen by its kind, several by what decides."""
    assert vocabulary.label(vocabulary.findings(recorded)) == label


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("45", 45),
        ("058Y", 58),
        ("71.0", 71),
        ("male 45yrs", 45),
        ("male 16month", 1.33),
        ("female 64days", 0.18),
        ("411", None),
        ("", None),
        ("unknown", None),
    ],
)
def test_an_age_is_in_years_or_unknown(text, years):
    """Months and days are turned into years; what nobody reaches is a typing error."""
    assert vocabulary.age(text) == years


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("CC BY 4.0", ()),
        ("CC0", ()),
        ("CC BY-NC-SA", ("NC", "SA")),
        ("CC BY-NC-ND 4.0", ("NC", "ND")),
        ("", (vocabulary.NO_LICENCE_TEXT,)),
    ],
)
def test_a_licence_is_flagged_by_what_it_forbids(text, flags):
    """Non-commercial, no derivatives, share alike; or that nobody stated one."""
    assert vocabulary.licence_flags(text) == flags


def test_views_get_one_spelling_and_unknown_ones_stay():
    """A view that no recipe accepts must still show in the counts."""
    assert [vocabulary.view(text) for text in ("pa", "AP Supine", "APS", "Lateral", "Oblique")] == [
        "PA",
        "AP Supine",
        "AP Supine",
        "L",
        "Oblique",
    ]
