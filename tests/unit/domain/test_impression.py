"""What is said first of an image."""

from __future__ import annotations

from typing import Any

import pytest

from hilum.domain.finding import Finding, PanelReading
from hilum.domain.impression import (
    NOTHING_ASSESSED,
    Impression,
    ImpressionKind,
    NamedFinding,
)
from hilum.domain.impression_rule import impression_of
from hilum.domain.panel import Rank
from hilum.domain.scope import AGE, CHILD, UNLIKE_TRAINING
from hilum.domain.verdict import EXPERIMENTAL, NO_POINT


def finding(label: str, probability: float = 0.1, point: float | None = 0.5, **other: Any):
    """A finding that is positive from its point; without a point it was not assessed."""
    known: dict[str, Any] = {
        "label": label,
        "display": label.replace("_", " ").capitalize(),
        "probability": probability,
        "operating_point": point,
        "positive": None if point is None else probability >= point,
        "abnormal": label != "normal",
        "weak": False,
        "reason": NO_POINT if point is None else "",
    }
    return Finding(**{**known, **other})


def panel(name: str, *findings: Finding, scope_reason: str = "") -> PanelReading:
    return PanelReading(
        name, "chest", "1.0.0", findings, name.capitalize(), scope_reason=scope_reason
    )


def beyond(name: str, reason: str, rank: Rank = Rank.VALIDATED) -> PanelReading:
    """A panel whose scope does not hold the image."""
    label = finding("mass", 0.99, positive=None, reason=reason, rank=rank)
    return panel(name, label, scope_reason=reason)


NORMAL = panel("tuberculosis", finding("normal", 0.9), finding("tuberculosis"))
OFF = finding("mass", 0.99, None, rank=Rank.EXPERIMENTAL, reason=EXPERIMENTAL)


def test_nothing_that_was_looked_for_is_no_finding():
    """Each label that was assessed is named once, and normal is not among them."""
    other = panel("pathology", finding("tuberculosis"), finding("effusion"), OFF)
    assert impression_of([NORMAL, other]) == Impression(
        ImpressionKind.NO_FINDING,
        (),
        "",
        "No finding. Looked for: tuberculosis, effusion.",
    )


def test_a_positive_abnormal_label_is_the_finding():
    """With its probability; a normal label of another panel does not weaken it."""
    read = panel("pathology", finding("effusion", 0.81), finding("mass"))
    assert impression_of([NORMAL, read]) == Impression(
        ImpressionKind.FINDING,
        (NamedFinding("pathology", "effusion", "Effusion", 0.81),),
        "",
        "Finding: effusion (probability 0.81).",
    )


def test_the_surest_finding_comes_first():
    """By the distance from its operating point, not by its probability."""
    read = panel(
        "pathology",
        finding("effusion", 0.8, 0.7),
        finding("mass", 0.3, 0.05),
        finding("nodule", 0.6, 0.59),
    )
    found = impression_of([read])
    assert [named.label for named in found.findings] == ["mass", "effusion", "nodule"]
    assert found.text == "Finding: mass (probability 0.30), also effusion, nodule."


def test_an_experimental_finding_stands_behind_every_validated_one():
    """However sure it is; alone it is the finding, since a site has switched it on."""
    tried = finding("mass", 0.999, 0.01, rank=Rank.EXPERIMENTAL)
    read = panel("pathology", tried, finding("effusion", 0.5))
    assert [named.label for named in impression_of([read]).findings] == ["effusion", "mass"]
    alone = impression_of([panel("pathology", tried, finding("effusion"))])
    assert [named.label for named in alone.findings] == ["mass"]


def test_a_label_that_is_not_shown_is_not_said():
    """Neither as a finding nor as what was looked for."""
    hidden = finding("hernia", 0.99, rank=Rank.NOT_SHOWN)
    assert impression_of([panel("pathology", hidden, finding("effusion"))]).text == (
        "No finding. Looked for: effusion."
    )
    assert impression_of([panel("pathology", hidden)]).kind is ImpressionKind.UNDETERMINED


def test_panels_that_name_the_same_finding_name_it_once():
    """The surer one of them."""
    one = panel("pneumonia", finding("pneumonia", 0.6))
    other = panel("pathology", finding("pneumonia", 0.9))
    (named,) = impression_of([one, other]).findings
    assert (named.panel, named.probability) == ("pathology", 0.9)


@pytest.mark.parametrize(
    ("panels", "reason", "text"),
    [
        (
            [beyond("tuberculosis", AGE), beyond("pathology", UNLIKE_TRAINING)],
            AGE,
            (
                "Not assessed: not validated for the patient's age; "
                "the image is unlike those that the model was trained on."
            ),
        ),
        (
            [beyond("tuberculosis", CHILD), panel("pathology", OFF)],
            CHILD,
            "Not assessed: not validated for children, and the image looks like a child's.",
        ),
        (
            [panel("pathology", OFF, finding("effusion", 0.9, None))],
            NOTHING_ASSESSED,
            "Not assessed: no label has an active operating point.",
        ),
        (
            [panel("view", finding("normal", 0.9))],
            NOTHING_ASSESSED,
            "Not assessed: no label has an active operating point.",
        ),
        ([], NOTHING_ASSESSED, "Not assessed: no label has an active operating point."),
    ],
)
def test_without_an_assessed_label_it_is_undetermined(panels, reason, text):
    """Never normal: every reason of scope is said, whatever the probabilities are."""
    found = impression_of(panels)
    assert found == Impression(ImpressionKind.UNDETERMINED, (), reason, text)


def test_what_was_not_assessed_is_said_beside_no_finding():
    """Panels of one reason in one sentence; experimental ones would not have been asked."""
    panels = [
        NORMAL,
        beyond("pneumonia", AGE),
        beyond("infection", AGE),
        beyond("trial", AGE, Rank.EXPERIMENTAL),
    ]
    found = impression_of(panels)
    assert found.kind is ImpressionKind.NO_FINDING
    assert found.text == (
        "No finding. Looked for: tuberculosis. "
        "Not assessed: pneumonia, infection (not validated for the patient's age)."
    )
