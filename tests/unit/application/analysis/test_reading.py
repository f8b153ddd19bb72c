"""From probabilities to findings: verdicts, and the reasons why there is none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hilum.application.analysis.evidence import locate_within
from hilum.domain.assessment import assess
from hilum.domain.errors import InferenceFailed
from hilum.domain.model import OperatingPoint, Rank, Scope
from hilum.domain.scope import AGE, UNLIKE_TRAINING, Depicted
from hilum.domain.verdict import EXPERIMENTAL, NO_POINT
from tests.fakes.model_catalogue import model_of, small_panel

LABELS = ("normal", "tuberculosis", "other")
PANEL = small_panel("tuberculosis", LABELS, threshold=0.3)
ADULTS = replace(
    PANEL,
    labels=tuple(replace(label, prevalence=0.05) for label in PANEL.labels),
    operating_points=tuple(
        replace(one, sensitivity=0.9, specificity=0.9) for one in PANEL.operating_points
    ),
    scope=Scope(minimum_age=18),
)
CHILD = Depicted(age=4)


def read(panel, *probabilities: float, depicted: Depicted | None = None):
    model = model_of("chest", panel)
    return assess(model, panel, np.array(probabilities, np.float32).tolist(), depicted)


def verdicts(reading) -> dict[str, bool | None]:
    return {finding.label: finding.positive for finding in reading.findings}


def test_a_panel_never_says_normal_and_abnormal_together():
    """Both reach their points; the abnormal one is named."""
    assert verdicts(read(PANEL, 0.6, 0.35, 0.05)) == {
        "normal": False,
        "tuberculosis": True,
        "other": False,
    }


def test_beyond_its_scope_a_panel_has_probabilities_and_no_verdict():
    """Every label says why, whatever its probability is."""
    found = read(ADULTS, 0.05, 0.9, 0.05, depicted=CHILD)
    assert found.scope_reason == AGE
    assert verdicts(found) == dict.fromkeys(LABELS)
    assert {finding.reason for finding in found.findings} == {AGE}
    assert [finding.assessment for finding in found.findings] == ["not_assessed"] * 3
    assert found.finding("tuberculosis").probability == 0.9
    assert {finding.operating_point for finding in found.findings} == {None}
    assert {finding.predictive_value for finding in found.findings} == {None}
    inside = read(ADULTS, 0.05, 0.9, 0.05, depicted=Depicted(age=40))
    assert (inside.scope_reason, inside.finding("tuberculosis").positive) == ("", True)


@pytest.mark.parametrize(("causes", "verdict"), [((AGE,), True), ((UNLIKE_TRAINING,), None)])
def test_a_point_that_a_site_applies_beyond_the_scope_gives_a_verdict(causes, verdict):
    """Its label alone, for the causes it was fitted on; the others stay without one."""
    wide = OperatingPoint("tuberculosis", 0.3, beyond_scope=causes)
    others = tuple(one for one in ADULTS.operating_points if one.label != "tuberculosis")
    found = read(replace(ADULTS, operating_points=(wide, *others)), 0.05, 0.9, 0.05, depicted=CHILD)
    assert verdicts(found) == {"normal": None, "tuberculosis": verdict, "other": None}
    assert found.finding("tuberculosis").reason == ("" if verdict else AGE)
    assert found.scope_reason == AGE


@pytest.mark.parametrize(
    ("rank", "reason"), [(Rank.VALIDATED, NO_POINT), (Rank.EXPERIMENTAL, EXPERIMENTAL)]
)
def test_a_label_without_an_operating_point_is_not_assessed(rank, reason):
    """And says whether evidence is missing or a decision."""
    labels = tuple(
        replace(label, rank=rank) if label.name == "tuberculosis" else label
        for label in PANEL.labels
    )
    points = tuple(one for one in PANEL.operating_points if one.label != "tuberculosis")
    found = read(replace(PANEL, labels=labels, operating_points=points), 0.05, 0.9, 0.05)
    finding = found.finding("tuberculosis")
    assert (finding.operating_point, finding.positive, finding.reason) == (None, None, reason)
    assert (finding.rank, finding.predictive_value) == (rank, None)
    assert found.finding("normal").positive is False


def test_a_finding_says_what_it_means_at_the_stated_prevalence():
    """From the figures of the active operating point."""
    finding = read(ADULTS, 0.05, 0.9, 0.05).finding("tuberculosis")
    assert (finding.prevalence, finding.predictive_value) == (0.05, 0.3214)


def test_a_probability_that_is_no_number_is_an_error():
    """No verdict can be had from it."""
    with pytest.raises(InferenceFailed):
        read(PANEL, 0.5, float("nan"), 0.5)


def activation(row: int, column: int) -> np.ndarray:
    """A map float32 [14, 14] of one strong cell."""
    cells = np.full((14, 14), -1.0, np.float32)
    cells[row, column] = 8.0
    return cells


LUNGS = np.zeros((224, 224), np.uint8)
LUNGS[60:180, 120:200] = 255


def test_a_map_whose_mass_lies_outside_the_lungs_has_no_box():
    """It says how much of it lies within them."""
    locate = locate_within(LUNGS, (448, 448))
    boxes, share = locate(activation(0, 0))
    assert boxes == ()
    assert share < 0.05
    (box,), share = locate(activation(7, 9))
    assert share > 0.9
    assert 240 < box.x + box.width / 2 < 400


def test_without_lungs_the_whole_image_is_searched():
    """And nothing is said of how much lies within them."""
    for field in (None, np.zeros((224, 224), np.uint8)):
        boxes, share = locate_within(field, (448, 448))(activation(0, 0))
        assert len(boxes) == 1
        assert share is None


def test_a_childs_image_has_the_operating_point_for_children():
    """By the stated age: the same probability is positive for a child and negative for an adult."""
    name = "tuberculosis"
    points = tuple(
        replace(point, threshold=0.9, child_threshold=0.2) if point.label == name else point
        for point in ADULTS.operating_points
    )
    panel = replace(ADULTS, operating_points=points, scope=Scope())
    child, adult = (read(panel, 0.1, 0.3, 0.1, depicted=Depicted(age=age)) for age in (4.0, 40.0))
    assert (child.child, adult.child) == (True, False)
    assert (child.finding(name).positive, adult.finding(name).positive) == (True, False)
    points = (child.finding(name).operating_point, adult.finding(name).operating_point)
    assert points == (0.2, 0.9)
    # The sensitivity that is known is that of the other threshold.
    assert child.finding(name).predictive_value is None
    assert child.finding("other").predictive_value == adult.finding(name).predictive_value == 0.3214
    # Without a threshold for children nothing is applied that a reader should know of.
    assert not read(ADULTS, 0.1, 0.3, 0.1, depicted=CHILD).child
