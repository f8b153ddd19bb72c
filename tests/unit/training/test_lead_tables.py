"""Tables that summary and card lead with, from a report that the test writes."""

from __future__ import annotations

import pytest

from hilum_training.export.figure_text import few_last, is_few, listed, overlap, short, tidy
from hilum_training.export.lead_tables import (
    age_table,
    calibration_table,
    data_table,
    headline_table,
    point_table,
    predictive_table,
    rank_table,
    scope_table,
    severity_table,
    within_table,
)
from hilum_training.export.lead_text import lead_text


def figure(value, spread=0.1):
    return {"value": value, "interval": [value - spread, value + spread]}


def flagged(source, normal, flags, ill=100):
    return {
        "source": source,
        "normal_films": normal,
        "flags_a_normal_film": figure(flags),
        "ill_films": ill,
        "ill_films_without_a_flag": figure(0.04, 0.01),
        "normal_and_abnormal_of_one_panel": 0,
    }


def judged(source, positive, negative, sensitivity=0.9):
    return {
        "source": source,
        "positive_films": positive,
        "negative_films": negative,
        "sensitivity": figure(sensitivity),
        "specificity": figure(0.8),
    }


def means(source, positive, negative, ppv):
    """What a flag means at a source."""
    values = {"source": source, "prevalence": 0.05, "ppv": figure(ppv), "npv": figure(0.98, 0.01)}
    return {"worst_source": judged(source, positive, negative), "predictive_values": values}


def label(rank="validated", threshold=0.5, rows=(), *, disease=True):
    return {
        "rank": rank,
        "threshold": threshold,
        "test": {"sensitivity": figure(0.9), "specificity": figure(0.8)},
        "test_by_source": list(rows),
        "by_source": list(rows),
        **(means("kermany", 60, 90, 0.4) if disease else {}),
    }


SPLITS = {"train": 30, "validation": 10, "test": 10}
PANELS = {
    "infection": {
        "kind": "single_label",
        "within_source": [
            {
                "question": question,
                "source": source,
                "positive_films": films,
                "negative_films": films,
                "auroc": figure(0.9),
                "shipped_sensitivity": figure(0.7),
                "shipped_specificity": figure(0.6),
                "named_sensitivity": figure(named),
                "named_specificity": figure(0.5),
            }
            for question, source, films, named in (
                ("b", "montgomery", 12, 0.4),
                ("a", "nih14", 90, 0.3),
            )
        ],
        "labels": {
            "normal": label(disease=False),
            "infected": {
                **label(rows=[judged("kermany", 60, 12), judged("montgomery", 5, 9)]),
                **means("nih14", 12, 90, 0.6),
                "child_threshold": 0.4,
                "children": means("kermany", 60, 90, 0.4),
            },
        },
        "calibration_error": {
            "after": figure(0.03, 0.01),
            "within_source": [
                {"source": "cohen", "films": 12, "error": figure(0.4)},
                {"source": "nih14", "films": 90, "error": figure(0.14)},
            ],
        },
        "scope": {"limits": {}, "sources": ["nih14"], "never_shown": ["children with: Hernia"]},
    },
    "pathology": {
        "kind": "multi_label",
        "labels": {"mass": label("experimental", None, [judged("nih14", 9, 90)])},
        "calibration_error": {"after": figure(0.02)},
        "scope": {"limits": {}, "sources": ["nih14"], "never_shown": ["children with: Hernia"]},
    },
}
SWITCHED = {
    "by_source": [
        flagged("montgomery", 14, 0.5),
        flagged("nih14", 109, 0.1),
        flagged("kermany", 285, 0.2),
    ],
    "overall": flagged("all", 408, 0.2),
    "by_severity": [
        {"severity": "score 1", "ill_films": 1, "ill_films_without_a_flag": figure(1.0, 0.0)},
        {"severity": "score 4", "ill_films": 60, "ill_films_without_a_flag": figure(0.02, 0.01)},
    ],
    "by_label": [],
}
REPORT = {
    "version": "9.0.0",
    "panels": PANELS,
    "headline": {"default": SWITCHED, "with_experimental": SWITCHED},
    "films_used": [
        {"source": "nih14", "licence": "A", "label": "normal", **SPLITS},
        {"source": "nih14", "licence": "B", "label": "other", **SPLITS},
        {"source": "cohen", "licence": "A", "label": "other", **SPLITS},
    ],
    "population": {
        "by_source": [
            {
                "source": "nih14",
                "images": 90,
                "beyond_distance": figure(0.02, 0.01),
                "taken_for_a_child": figure(0.03, 0.01),
            }
        ],
        "by_age": [{"ages": "adults", "images": 90, "taken_for_a_child": figure(0.03, 0.01)}],
        "source_left_out": [{"source": "nih14", "images": 90, "beyond_distance": figure(0.6)}],
    },
}
PREVIOUS = {
    "version": "0.2.0",
    "flags_measured_again": [{"source": "kermany", "flags_a_normal_film": figure(9.18)}],
}


def test_sources_with_few_normal_images_follow_the_others_in_the_headline():
    """Then all sources together; the release before has a column of its own."""
    rows = headline_table(REPORT, PREVIOUS)
    assert [row["source"] for row in rows] == ["kermany", "nih14", "montgomery", "all sources"]
    assert rows[0]["flags a normal image"] == "0.2 (0.1 to 0.3)"
    before = [row["flags a normal image, 0.2.0"] for row in rows]
    assert before == ["9.18 (9.08 to 9.28)", "-", "-", "-"]


def test_what_a_panel_names_goes_before_what_reaches_a_point():
    """Rows of few images are left out of the two pages, and last elsewhere."""
    (row,) = within_table(PANELS, few=False)
    assert (row["source"], row["sensitivity"]) == ("nih14", "0.3 (0.2 to 0.4)")
    assert [row["source"] for row in within_table(PANELS, few=True)] == ["nih14", "montgomery"]


def test_a_share_of_few_images_has_no_cell_at_the_point():
    """Five positive images of a source carry no sensitivity, twelve negative no specificity."""
    (row,) = point_table(PANELS)
    assert row["source"] == "kermany"
    assert row["infected: sensitivity"] == "0.9 (0.8 to 1)"
    assert row["infected: specificity"] == "-"


def test_a_flag_means_a_count_of_a_hundred_at_its_worst_source():
    """Children and others have a row each, with their own threshold, few images last."""
    children, others = predictive_table(PANELS)
    assert children["label"] == "infection: infected (small children)"
    assert (children["threshold"], children["source"]) == (0.4, "kermany")
    assert children["of 100 flagged images, with it"] == "40 (30 to 50)"
    assert children["of 100 others, with it"] == "2 (1 to 3)"
    assert others["label"] == "infection: infected (others than small children)"
    assert (others["threshold"], others["images"]) == (0.5, "12 + 90")
    assert others["of 100 flagged images, with it"] == "60 (50 to 70)"
    assert [row["label"] for row in predictive_table(PANELS, "experimental")] == ["pathology: mass"]


def test_the_calibration_error_has_a_column_for_each_source_with_enough_images():
    """An error within a source of twelve images is chance."""
    (row,) = calibration_table(PANELS)
    assert list(row) == ["panel", "all sources", "nih14"]
    assert row["nih14"] == "0.14 (0.04 to 0.24)"


def test_ranks_and_missing_points_are_listed_by_panel():
    """Labels of each rank in words."""
    infection, pathology = rank_table(PANELS)
    assert infection["validated"] == "normal, infected"
    assert pathology["experimental"] == pathology["without an operating point"] == "mass"


def test_images_are_counted_by_source_over_licences_and_labels():
    """With who they are of, as published."""
    nih, cohen = data_table(REPORT, {"nih14": {"setting": "adults"}})
    assert (nih["who"], nih["normal"], nih["ill"], nih["training"]) == ("adults", 50, 50, 60)
    assert (cohen["who"], cohen["normal"], cohen["ill"]) == ("-", 0, 50)


def test_scope_age_and_severity_have_a_row_each():
    """A source that was left out stands beside itself."""
    (row,) = scope_table(REPORT)
    assert row["the same without this source"] == "0.6 (0.5 to 0.7)"
    assert age_table(REPORT)[0]["images"] == 90
    one, many = severity_table(REPORT)
    assert many["without a flag"] == "0.02 (0.01 to 0.03)"
    assert (one["ill images"], one["without a flag"]) == (1, "-")
    assert one["the same, experimental labels on"] == "-"


def test_a_report_from_before_these_figures_gives_empty_tables():
    """No table fails on an old report, and no sentence claims a figure."""
    old = {"version": "0.1.0", "panels": {}}
    assert headline_table(old) == scope_table(old) == severity_table(old) == age_table(old) == []
    labels = {"normal": {"threshold": 0.5}}
    part = {"labels": labels, "calibration_error": {"before": 0.1, "after": figure(0.1)}}
    panels = {"infection": part}
    assert point_table(panels) == rank_table(panels) == calibration_table(panels) == []
    text = lead_text({**old, "panels": panels})
    assert not [value for key, value in text.items() if key != "fewest" and "0." in value]


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("in_short", ("408 normal test images", "at most 0.2 (kermany)", "With experimental")),
        ("few_images", ("fewer than 50 normal images follow the others: montgomery",)),
        ("both_named", ("on 0 of 508 test images",)),
        ("confounded", ("other 50 of 100 (nih14)",)),
        ("experimental", ("1 of 1 labels of `pathology` (images of nih14)",)),
        ("points", ("Without an operating point: mass of `pathology`.", "infected of `infection`")),
        ("validated", ("infected (`infection`)",)),
        ("never_shown", ("children with: Hernia (`infection` and `pathology`)",)),
        ("scope_sentence", ("0.02 (nih14)", "0.6 (nih14) where", "0.03 (0.02 to 0.04) (adults")),
        (
            "flag_values",
            ("infected (small children) at a prevalence of 5 %, 40 (30 to 50)", "(kermany, 60 +"),
        ),
        ("severity", ("score: 0.02 (0.01 to 0.03) (score 4, 60 images).",)),
    ],
)
def test_a_sentence_holds_the_figures_of_the_report(name, parts):
    """Each is made from the report, so that another report has another sentence."""
    text = lead_text(REPORT)[name]
    for part in parts:
        assert part in text


def test_figures_lists_and_gaps_are_written_short():
    """Two decimals, an end without trailing zeros, no gap for an empty sentence."""
    assert short({"value": 0.9, "interval": [0.853, 1.0]}) == "0.9 (0.85 to 1)"
    assert short(None) == short({"value": None, "interval": None}) == "-"
    assert (listed("abc"), listed("a"), listed([])) == ("a, b and c", "a", "")
    assert overlap(figure(0.5), figure(0.65)) is True
    assert overlap(figure(0.5), figure(0.9)) is False
    assert overlap(figure(0.5), {"value": 0.5, "interval": None}) is None
    rows = [{"films": 3}, {"films": 50}]
    assert few_last(rows, "films") == rows[::-1]
    assert is_few(rows[0], "films")
    assert tidy("a  b \n\n\n\n    code  x\n| a  b |") == "a b\n\n    code  x\n| a  b |\n"
