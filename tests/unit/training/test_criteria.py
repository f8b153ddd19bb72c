"""A criterion is met by a figure, and shown to be met by its interval."""

from __future__ import annotations

import pytest

from hilum_training.evaluation.criteria import (
    MOST_FLAGS,
    NETWORK,
    Criterion,
    criteria,
    criteria_sentence,
)


def figure(value, low, high):
    return {"value": value, "interval": [low, high]}


@pytest.mark.parametrize(
    ("value", "interval", "verdict"),
    [
        (0.95, [0.92, 0.97], "yes"),
        (0.95, [0.85, 0.99], "yes, within chance"),
        (0.85, [0.80, 0.88], "**no**"),
        (0.85, [0.80, 0.92], "**no**, within chance"),
        (0.95, None, "yes"),
        (None, None, "not measured"),
    ],
)
def test_an_interval_across_the_bound_is_within_chance(value, interval, verdict):
    """A value on one side is "within chance" if its interval reaches the bound."""
    criterion = Criterion("a share", 0.9, lambda _: {"value": value, "interval": interval})
    assert criterion.row({})["met"] == verdict


def test_an_upper_bound_is_kept_from_below():
    """A calibration error below its bound is met."""
    criterion = Criterion("an error", 0.03, lambda _: figure(0.02, 0.01, 0.05), at_most=True)
    assert criterion.row({})["met"] == "yes, within chance"
    assert criterion.row({})["bound"] == "at most 0.03"


def headline(flags=0.2, missed=0.04, both=0):
    rows = [
        {
            "source": source,
            "normal_films": normal,
            "flags_a_normal_film": flagged,
            "ill_films": ill,
            "ill_films_without_a_flag": clear,
        }
        for source, normal, flagged, ill, clear in (
            ("montgomery", 14, figure(0.5, 0.1, 0.9), 10, figure(0.3, 0.1, 0.6)),
            ("kermany", 285, figure(flags, 0.1, 0.25), 755, figure(0.01, 0.0, 0.02)),
            ("covid_cxnet", 0, figure(None, 0, 1), 101, figure(0.2, 0.1, 0.3)),
            ("healthy", 60, figure(0.0, 0.0, 0.1), 0, figure(None, 0, 1)),
        )
    ]
    whole = {
        "ill_films_without_a_flag": figure(missed, 0.03, 0.045),
        "normal_and_abnormal_of_one_panel": both,
    }
    return {NETWORK: {"headline": {"default": {"by_source": rows, "overall": whole}}}}


def rows_of(reports):
    return {row["criterion"]: row for row in (item.row(reports) for item in criteria(reports))}


def test_flags_have_a_ceiling_in_every_source_with_normal_images():
    """A source without normal images has no row, one with few says how few."""
    rows = rows_of(headline())
    named = [what for what in rows if what.startswith("flags a normal image")]
    assert named == [
        "flags a normal image, kermany",
        "flags a normal image, healthy",
        "flags a normal image, montgomery (14 images)",
    ]
    assert rows[named[0]]["bound"] == f"at most {MOST_FLAGS}"
    assert rows[named[0]]["met"] == "yes"
    assert rows[named[2]]["met"] == "**no**, within chance"


def test_misses_have_a_ceiling_in_every_source_with_ill_images():
    """A source that misses one in five is not hidden by a large one that misses none."""
    rows = rows_of(headline())
    named = [what for what in rows if what.startswith("ill images without a flag")]
    assert named == [
        "ill images without a flag, kermany",
        "ill images without a flag, covid_cxnet",
        "ill images without a flag, montgomery (10 images)",
        "ill images without a flag, all sources",
    ]
    assert [rows[what]["met"] for what in named] == ["yes", "**no**", "**no**", "yes"]


@pytest.mark.parametrize(("both", "met"), [(0, "yes"), (1, "**no**")])
def test_no_image_may_be_normal_and_abnormal(both, met):
    """One such image misses the criterion."""
    assert (
        rows_of(headline(both=both))["images with a normal and an abnormal label of one panel"][
            "met"
        ]
        == met
    )


def test_the_calibration_criterion_is_of_the_worst_source():
    """An error over all sources that hides one within a source does not meet it."""
    error = {
        "after": figure(0.02, 0.01, 0.03),
        "worst_source": {"source": "nih14", "films": 200, "error": figure(0.14, 0.1, 0.18)},
    }
    rows = rows_of({"infection": {"calibration_error": error}})
    row = rows["largest calibration error of infection, within nih14"]
    assert (row["reached"], row["met"]) == ("0.14 (0.1 to 0.18)", "**no**")


def test_other_bodies_have_a_criterion_by_kind():
    """Drawings have none: they say little of real radiographs."""
    kinds = [
        {"label": "not_chest", "kind": "dental", "films": 20, "stop": figure(1.0, 0.8, 1.0)},
        {"label": "not_chest", "kind": "drawn hand", "films": 60, "stop": figure(1.0, 0.9, 1.0)},
        {"label": "lateral", "kind": "lateral", "films": 3, "stop": figure(1.0, 0.3, 1.0)},
    ]
    rows = rows_of({"gate": {"kinds_that_stop": kinds}})
    assert "gate: dental rejected (20 images)" in rows
    assert not [what for what in rows if "drawn" in what]


def test_what_is_missed_is_named_with_its_bound():
    """Counts of met, missed and not measured criteria, and the missed ones."""
    text = criteria_sentence(headline(flags=0.9))
    assert "flags a normal image, kermany (0.9, at most 0.3)" in text
    assert "not measured. Missed" in text


def test_each_kind_of_image_that_must_be_rejected_has_a_criterion_of_its_own():
    """Many easy images do not hide a few lateral ones."""
    words = rows_of({})
    assert {"gate: lateral images rejected", "gate: inverted frontal images rejected"} <= set(words)
