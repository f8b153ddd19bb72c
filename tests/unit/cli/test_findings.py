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
NOTICE = "Research use only, not for diagnosis."


def not_assessed(label: str, probability: float, reason: str, **other: object) -> dict[str, Any]:
    texts = {
        "age_outside_scope": "not validated for the patient's age",
        "experimental_label": "experimental, and not switched on at this site",
    }
    other = {"rank": "validated", "reason_text": texts.get(reason, ""), **other}
    return {**finding(label, probability), "positive": None, "reason": reason, **other}


CHILD = panel(
    "tuberculosis",
    not_assessed("normal", 0.1, "age_outside_scope"),
    not_assessed("tuberculosis", 0.9, "age_outside_scope"),
)
HIDDEN = panel(
    "pathology",
    finding("effusion", 0.2, rank="validated"),
    not_assessed("mass", 0.9, "experimental_label", rank="experimental", operating_point=None),
    finding("nodule", 0.1, rank="experimental"),
    finding("hernia", 0.99, rank="not_shown"),
)


def outcome(
    *panels: dict[str, Any], path: str = "scans/a.dcm", text: str = "", **result: object
) -> FilmOutcome:
    impression = {"kind": "no_finding", "text": text, "reason": "", "findings": []}
    job = {
        "state": "completed",
        "timings_ms": {"wait": 10.0, "total": 90.0},
        "result": {
            "panels": list(panels),
            **({"impression": impression} if text else {}),
            **result,
        },
    }
    return FilmOutcome(Path(path), job)


def shown(*panels: dict[str, Any], **options: bool) -> list[tuple[str, ...]]:
    """Panel, finding and what is positive of each row."""
    return [(row[0], row[1], row[4]) for row in outcome(*panels).rows(**options)]


def printed(capsys, *outcomes: FilmOutcome, **options: bool) -> list[str]:
    print_findings(outcomes, **options)
    return capsys.readouterr().out.splitlines()


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
    assert rows[1][2] == "<= 0.300"


def test_every_label_is_shown_where_it_is_asked_for():
    """In the order of the panel, and nothing is counted."""
    assert [label for _, label, _ in shown(ALARMING, NOTHING, every_label=True)] == [
        *("normal", "tuberculosis", "other_abnormal"),
        *("effusion", "mass", "nodule"),
    ]


def test_the_impression_comes_first_in_one_line_an_image(capsys):
    """Then one table, in which a name tells the images apart."""
    lines = printed(
        capsys,
        outcome(ALARMING, text="Finding: tuberculosis."),
        outcome(QUIET, path="scans/b.dcm", text="No finding."),
    )
    assert lines[:3] == ["scans/a.dcm: Finding: tuberculosis.", "scans/b.dcm: No finding.", ""]
    assert lines[3].split()[:3] == ["file", "panel", "finding"]
    assert [line.split()[0] for line in lines[4:9]] == [*["a.dcm"] * 3, "b.dcm", "b.dcm"]


def test_images_of_one_name_are_told_apart_by_their_folders(capsys):
    """And a table of one image needs no name at all."""
    lines = printed(capsys, outcome(QUIET), outcome(QUIET, path="old/a.dcm"))
    assert [line.split()[0] for line in lines[4:8]] == ["scans/a.dcm"] * 2 + ["old/a.dcm"] * 2
    lines = printed(capsys, outcome(QUIET))
    assert lines[2].split()[:2] == ["panel", "finding"]


def test_an_image_without_a_result_says_why_and_has_no_row(capsys):
    """Refused at ingestion, rejected later, or still waiting. Advice has a line of its own."""
    reason = {"code": "unsupported_format", "detail": "no image"}
    refused = FilmOutcome(Path("a.txt"), None, {**reason, "advice": "Send an image."})
    rejected = FilmOutcome(Path("b.png"), {"state": "rejected", "reason": reason})
    waiting = FilmOutcome(Path("c.png"), {"state": "queued", "reason": None})
    assert printed(capsys, refused, rejected, waiting) == [
        "a.txt: refused: unsupported_format: no image",
        "  Send an image.",
        "b.png: rejected: unsupported_format: no image",
        "c.png: queued",
        NOTICE,
    ]


def test_a_label_that_was_not_assessed_has_neither_point_nor_verdict(capsys):
    """Its row says why in a word, and the sentence stands below the table, once."""
    told = outcome(CHILD, text="Not assessed: not validated for the patient's age.")
    assert [row[1:5] for row in told.rows(every_label=True)] == [
        ("normal", "0.100", "-", "- (age)"),
        ("tuberculosis", "0.900", "-", "- (age)"),
    ]
    assert [row[1:5] for row in told.rows()] == [
        ("tuberculosis", "0.900", "-", "- (age)"),
        ("(1 more)", "<= 0.100", "-", "-"),
    ]
    lines = printed(capsys, told, every_label=True)
    assert lines[-2:] == [
        "- (age) means: not assessed, not validated for the patient's age.",
        NOTICE,
    ]


def test_experimental_labels_are_left_out_until_they_are_switched_on(capsys):
    """One with a verdict is switched on; what is not to be shown is on no surface."""
    assert shown(HIDDEN, every_label=True) == [
        ("pathology", "effusion", "no"),
        ("pathology", "nodule", "no"),
    ]
    assert shown(HIDDEN, every_label=True, experimental=True)[1] == (
        *("pathology", "mass"),
        "- (experimental)",
    )
    lines = printed(capsys, outcome(HIDDEN), every_label=True)
    assert lines[-3:-1] == [
        "Experimental: nodule.",
        "Experimental labels left out (pathology 1): --all-labels prints them.",
    ]
    lines = printed(capsys, outcome(HIDDEN), every_label=True, experimental=True)
    assert "Experimental: mass, nodule." in lines
    assert not any("left out" in line or "hernia" in line for line in lines)


def test_a_panel_of_experimental_labels_alone_has_no_row():
    """Nor is it counted."""
    assert shown(panel("pathology", *HIDDEN["findings"][1:2])) == []


def test_a_positive_verdict_says_what_it_means_at_the_stated_prevalence(capsys):
    """A negative one, and a normal one, say nothing."""
    values = {"prevalence": 0.05, "predictive_value": 0.472}
    named = panel(
        "tuberculosis",
        finding("normal", 0.9, **values),
        finding("tuberculosis", 0.7, **values),
        finding("other_abnormal", 0.1, **values),
    )
    lines = printed(capsys, outcome(named), every_label=True)
    said = "tuberculosis, tuberculosis: If 5 of 100 images show it, 47 of 100 flagged images do."
    assert [line for line in lines if "of 100" in line] == [said]


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
def test_the_cardiothoracic_ratio_stands_below_the_table(capsys, ratio, told):
    """Or the reason why there is none."""
    lungs = {"panel": "lungs", "cardiothoracic_ratio": ratio}
    lines = printed(capsys, outcome(QUIET, structures=[lungs]))
    assert lines[-2:] == [f"lungs: {told}", NOTICE]
    lines = printed(capsys, outcome(QUIET, structures=[lungs]), outcome(path="b.dcm"))
    assert f"a.dcm, lungs: {told}" in lines


def test_weak_labels_that_are_shown_and_cautions_are_told_once(capsys):
    """A weak label that is only counted is not a hint at anything."""
    assert printed(capsys, outcome(ALARMING, NOTHING), outcome(ALARMING))[-3:] == [
        "Weak evidence, a hint at most: other_abnormal, mass.",
        "tuberculosis: Two sites only.",
        NOTICE,
    ]


def test_a_result_of_an_earlier_gateway_is_shown_as_well(capsys):
    """It has neither an impression nor cautions nor structures."""
    old = {"panel": "pneumonia", "findings": [finding("covid19", 0.8)]}
    lines = printed(capsys, outcome(old))
    assert lines[0] == "scans/a.dcm: completed"
    assert lines[3].split()[:2] == ["pneumonia", "covid19"]


def test_everything_stays_within_100_columns(capsys):
    """With the longest names that are shipped, and a sentence that is longer than a line."""
    long = panel(
        "tuberculosis",
        not_assessed("pneumonia_bacterial", 0.9, "unlike_training_images", reason_text="why " * 40),
        finding("pleural_thickening", 0.8, prevalence=0.05, predictive_value=0.4),
        caution="Careful. " * 20,
    )
    text = "No finding. Looked for: " + ", ".join(["pleural thickening"] * 12) + "."
    lines = printed(capsys, outcome(long, path="1.2.840/a.dcm", text=text), every_label=True)
    assert all(len(line) <= 100 for line in lines)


def test_notes_of_an_image_follow_its_impression(capsys):
    """Also where there is no result."""
    note = {"code": "image_mirrored", "kind": "corrected", "text": "The image was mirrored."}
    done = outcome(QUIET, text="No finding.")
    rejected = FilmOutcome(Path("b.dcm"), {"state": "rejected", "reason": None, "notes": [note]})
    done.job["notes"] = [note]
    print_findings([done, rejected])
    lines = capsys.readouterr().out.splitlines()
    told = "  corrected: The image was mirrored. (image_mirrored)"
    assert lines[:4] == ["scans/a.dcm: No finding.", told, "b.dcm: rejected", told]
