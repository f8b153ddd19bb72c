"""What a person is shown of a film's panels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hilum_cli.findings import FilmOutcome, print_findings


def finding(label: str, probability: float, point: float = 0.5, **other: object) -> dict[str, Any]:
    return {
        "label": label,
        "probability": probability,
        "operating_point": point,
        "positive": probability >= point,
        "abnormal": label != "normal",
        "weak": False,
        **other,
    }


def panel(name: str, *findings: dict[str, Any], caution: str = "") -> dict[str, Any]:
    return {"panel": name, "caution": caution, "findings": list(findings)}


QUIET = panel("infection", finding("normal", 0.9), finding("infected", 0.1))
ALARMING = panel(
    "tuberculosis",
    finding("normal", 0.2, 0.15),
    finding("tuberculosis", 0.7),
    finding("other_abnormal", 0.1, 0.05, weak=True),
    caution="Two sites only.",
)
NOTHING = panel(
    "pathology",
    finding("effusion", 0.2),
    finding("mass", 0.4, weak=True),
    finding("nodule", 0.3, weak=True),
)


def outcome(*panels: dict[str, Any], **result: object) -> FilmOutcome:
    job = {
        "state": "completed",
        "timings_ms": {"wait": 10.0, "total": 90.0},
        "result": {"panels": list(panels), **result},
    }
    return FilmOutcome(Path("a.dcm"), job)


def shown(*panels: dict[str, Any], **options: bool) -> list[tuple[str, ...]]:
    """Panel, finding and what is positive of each row."""
    return [(row[1], row[2], row[5]) for row in outcome(*panels).rows(**options)]


def test_a_panel_with_an_abnormal_finding_stands_first():
    """And in it what is abnormal stands before what is normal, the most probable first."""
    assert shown(QUIET, NOTHING, ALARMING)[:3] == [
        ("tuberculosis", "tuberculosis", "yes"),
        ("tuberculosis", "other_abnormal", "yes"),
        ("tuberculosis", "normal", "yes"),
    ]


def test_the_other_panels_stand_in_their_order_with_how_many_labels_are_not_named():
    """A panel in which nothing is positive names its most probable label."""
    assert shown(QUIET, NOTHING) == [
        ("infection", "normal", "yes"),
        ("infection", "(1 more)", "no"),
        ("pathology", "mass", "no"),
        ("pathology", "(2 more)", "no"),
    ]


def test_the_row_of_the_others_has_the_most_that_any_of_them_has():
    """So that nothing close to its operating point is hidden."""
    rows = outcome(NOTHING).rows()
    assert rows[1][3] == "<= 0.300"


def test_every_label_is_shown_where_it_is_asked_for():
    """In the order of the panel, and nothing is counted."""
    assert [label for _, label, _ in shown(ALARMING, NOTHING, every_label=True)] == [
        *("normal", "tuberculosis", "other_abnormal"),
        *("effusion", "mass", "nodule"),
    ]


@pytest.mark.parametrize(
    ("ratio", "told"),
    [
        ({"value": 0.4712, "reason": ""}, "cardiothoracic ratio 0.47"),
        (
            {"value": None, "reason": "left lung: absent"},
            "cardiothoracic ratio not measured: left lung: absent",
        ),
    ],
)
def test_the_cardiothoracic_ratio_stands_last(ratio, told):
    """Or the reason why there is none."""
    lungs = {"panel": "lungs", "cardiothoracic_ratio": ratio}
    row = outcome(ALARMING, structures=[lungs]).rows()[-1]
    assert row == ("a.dcm", "lungs", told, "", "", "", "0.10 s")


def test_weak_labels_that_are_shown_and_cautions_are_told_once(capsys):
    """A weak label that is only counted is not a hint at anything."""
    print_findings([outcome(ALARMING, NOTHING), outcome(ALARMING)])
    assert capsys.readouterr().out.splitlines()[-3:] == [
        "Weak evidence, a hint at most: other_abnormal, mass.",
        "tuberculosis: Two sites only.",
        "Research use only, not for diagnosis.",
    ]


def test_a_result_of_an_earlier_gateway_is_shown_as_well(capsys):
    """It has neither cautions nor structures."""
    old = {"panel": "pneumonia", "findings": [finding("covid19", 0.8)]}
    print_findings([outcome(old)])
    assert "covid19" in capsys.readouterr().out
