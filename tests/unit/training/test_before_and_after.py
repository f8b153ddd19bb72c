"""Figures of two releases, and whether they differ beyond chance."""

from __future__ import annotations

import pytest

from hilum_training.export.before_and_after import (
    before_and_after,
    before_and_after_sentence,
    flags_before_and_after,
    newest_before,
    regrouped_sentence,
    verdict,
)
from hilum_training.export.figure_text import NOTHING


def figure(value, spread=0.02):
    return {"value": value, "interval": [value - spread, value + spread]}


def previous(within):
    rows = [
        {"panel": "infection", "question": name, "source": source, "auroc": figure(value)}
        for (name, source), value in within.items()
    ]
    return {"version": "0.2.0", "within_source": rows, "findings": []}


def report(within, labels=None):
    rows = [{"question": name, "auroc": figure(value)} for name, value in within.items()]
    panels = {"infection": {"within_source": rows}, "pathology": {"labels": labels or {}}}
    return {"version": "0.3.0", "panels": panels}


BEFORE = previous(
    {("a", "kermany"): 0.9, ("b", "cohen"): 0.7, ("c", "nih14"): 0.8, ("d", "x"): 0.8}
)


def test_each_figure_stands_beside_the_new_one_with_a_verdict():
    """Intervals that overlap are within chance; a question that is gone is not measured."""
    rows = before_and_after(BEFORE, report({"a": 0.91, "b": 0.6, "c": 0.9}))
    assert [row["verdict"] for row in rows] == [
        "within chance",
        "worse",
        "better",
        "not measured",
    ]
    assert rows[0]["AUROC, 0.2.0"] == "0.9 (0.88 to 0.92)"
    assert rows[0]["AUROC, 0.3.0"] == "0.91 (0.89 to 0.93)"


def test_findings_are_compared_as_well():
    """Each label of a panel of several findings, within the source of the release before."""
    before = {
        **BEFORE,
        "within_source": [],
        "findings": [
            {"panel": "pathology", "label": "mass", "source": "nih14", "auroc": figure(0.6)}
        ],
    }
    within = [{"source": "nih14", "auroc": figure(0.61)}, {"source": "other"}]
    labels = {"mass": {"auroc": figure(0.9), "test_by_source": within}}
    (row,) = before_and_after(before, report({}, labels))
    assert (row["figure"], row["source"], row["verdict"]) == ("mass", "nih14", "within chance")


def test_a_finding_over_all_sources_is_not_compared():
    """Normal images of other hospitals make it easier: without a figure within the source, none."""
    before = {
        **BEFORE,
        "within_source": [],
        "findings": [
            {"panel": "pathology", "label": "mass", "source": "nih14", "auroc": figure(0.6)}
        ],
    }
    (row,) = before_and_after(before, report({}, {"mass": {"auroc": figure(0.9)}}))
    assert row["verdict"] == "not measured"


def test_the_sentence_counts_and_names_what_became_worse():
    """From both files; without a release before there is no sentence."""
    text = before_and_after_sentence(BEFORE, report({"a": 0.91, "b": 0.6, "c": 0.9}))
    assert "Of 4 AUROCs within a source of 0.2.0, 1 are the same within chance" in text
    assert "1 are better and 1 are worse. 1 are not measured." in text
    assert "Worse: infection, b." in text
    assert before_and_after_sentence(None, report({})) == NOTHING


@pytest.mark.parametrize(("after", "said"), [(0.2, "better"), (9.19, "within chance")])
def test_fewer_flags_are_better(after, said):
    """Less is better of flags; a source that the release before was not measured on has no row."""
    before = {
        **BEFORE,
        "flags_measured_again": [{"source": "kermany", "flags_a_normal_film": figure(9.18)}],
    }
    rows = [
        {"source": "kermany", "flags_a_normal_film": figure(after)},
        {"source": "cohen", "flags_a_normal_film": figure(0.1)},
    ]
    part = {"by_source": rows, "overall": {"source": "all", "flags_a_normal_film": figure(0.1)}}
    now = {**report({}), "headline": {"default": part}}
    (row,) = flags_before_and_after(before, now)
    assert (row["source"], row["verdict"]) == ("kermany", said)


def test_what_a_leak_touched_is_said_with_the_figures_of_its_sources():
    """Figures of other sources are not the leak's, and the network changed as well."""
    regrouped = {
        "release": "0.2.0",
        "what": "patients of one hospital",
        "sources": ["cohen", "covid_cxnet"],
        "images": 170,
        "groups_before": 60,
        "groups_after": 32,
    }
    text = regrouped_sentence(regrouped, BEFORE, report({"a": 0.91, "b": 0.69}))
    assert "170 images of cohen and covid_cxnet are of patients of one hospital" in text
    assert "60 groups became 32" in text
    assert "0.7 (0.68 to 0.72) before, 0.69 (0.67 to 0.71) after (within chance)" in text
    assert "kermany" not in text
    assert "the leak alone is not measured" in text
    assert regrouped_sentence(regrouped, {**BEFORE, "version": "0.1.0"}, report({})) == NOTHING


def test_the_release_before_is_the_newest_older_one():
    """By number, not by name."""
    releases = [{"version": version} for version in ("0.9.0", "0.10.0", "0.11.0")]
    found = newest_before("0.11.0", releases)
    assert found == {"version": "0.10.0"}
    assert newest_before("0.1.0", releases) is None


def test_a_figure_without_an_interval_has_no_verdict():
    """Neither better nor worse is said of it."""
    alone = {"value": 0.5, "interval": None}
    assert verdict(alone, figure(0.9)) == "no interval"
    assert verdict(figure(0.5), None) == "not measured"
