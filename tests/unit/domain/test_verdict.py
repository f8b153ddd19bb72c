"""Which labels a panel names, and what a verdict is worth."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilum.domain.panel import Label, OperatingPoint, PanelKind
from hilum.domain.scope import REASONS
from hilum.domain.verdict import (
    EXPERIMENTAL,
    NO_POINT,
    margin,
    named_labels,
    predictive_value,
    predictive_value_of,
    reason_text,
)

LABELS = ("normal", "tuberculosis", "other")
ABNORMAL = {"tuberculosis", "other"}
POINTS = {"normal": 0.5, "tuberculosis": 0.2, "other": 0.5}


def named(kind, *probabilities: float, points=POINTS):
    return named_labels(kind, dict(zip(LABELS, probabilities, strict=True)), points, ABNORMAL)


@pytest.mark.parametrize(
    ("probabilities", "expected"),
    [
        ((0.9, 0.05, 0.05), {"normal"}),
        ((0.5, 0.1, 0.4), {"normal"}),
        ((0.75, 0.2, 0.05), {"tuberculosis"}),
        ((0.1, 0.3, 0.6), {"tuberculosis"}),
        ((0.05, 0.2, 0.75), {"other"}),
        ((0.45, 0.15, 0.4), set()),
    ],
)
def test_a_single_label_panel_names_one_label_at_most(probabilities, expected):
    """The abnormal one that is furthest above its point; normal only where none is reached."""
    assert named(PanelKind.SINGLE_LABEL, *probabilities) == expected


@pytest.mark.parametrize("kind", [PanelKind.MULTI_LABEL, PanelKind.GATE])
def test_other_panels_judge_label_by_label(kind):
    """Each at its own point."""
    assert named(kind, 0.5, 0.2, 0.49) == {"normal", "tuberculosis"}


def test_a_label_without_an_operating_point_is_never_named():
    """However probable it is."""
    assert named(PanelKind.SINGLE_LABEL, 0.0, 1.0, 0.0, points={"normal": 0.5}) == frozenset()
    assert named(PanelKind.MULTI_LABEL, 1.0, 1.0, 1.0, points={}) == frozenset()


@given(
    logits=st.lists(st.floats(-8, 8), min_size=3, max_size=3),
    points=st.fixed_dictionaries({}, optional=dict.fromkeys(LABELS, st.floats(0, 1))),
)
def test_normal_and_abnormal_are_never_named_together(logits, points):
    """Whatever the probabilities and the operating points are."""
    total = sum(2.0**logit for logit in logits)
    found = named(PanelKind.SINGLE_LABEL, *(2.0**one / total for one in logits), points=points)
    assert len(found) <= 1
    reached = {
        name
        for name, logit in zip(LABELS, logits, strict=True)
        if name in points and 2.0**logit / total >= points[name]
    }
    assert found <= reached
    assert bool(found) == bool(reached)
    if reached & ABNORMAL:
        assert found <= ABNORMAL


@pytest.mark.parametrize(
    ("probability", "point", "expected"),
    [(0.5, 0.5, 0.0), (0.9, 0.5, 2.1972), (0.5, 0.9, -2.1972), (1.0, 0.0, 27.631)],
)
def test_a_margin_is_a_difference_of_log_odds(probability, point, expected):
    """And finite at both ends."""
    assert margin(probability, point) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(
    ("sensitivity", "specificity", "prevalence", "expected"),
    [
        (0.9, 0.9, 0.5, 0.9),
        (0.9, 0.9, 0.05, 0.3214),
        (0.9, 1.0, 0.05, 1.0),
        (0.0, 0.9, 0.05, 0.0),
        (0.0, 1.0, 0.05, None),
        (0.9, 0.9, 0.0, 0.0),
    ],
)
def test_a_predictive_value_counts_right_among_all_positive_verdicts(
    sensitivity, specificity, prevalence, expected
):
    """None where no verdict would be positive."""
    value = predictive_value(sensitivity, specificity, prevalence)
    assert value == (expected if expected is None else pytest.approx(expected, abs=1e-4))


@pytest.mark.parametrize(
    ("prevalence", "point", "expected"),
    [
        (0.05, OperatingPoint("a", 0.5, 0.9, 0.9), 0.3214),
        (None, OperatingPoint("a", 0.5, 0.9, 0.9), None),
        (0.05, OperatingPoint("a", 0.5, None, 0.9), None),
        (0.05, OperatingPoint("a", 0.5, 0.9, None), None),
        (0.05, OperatingPoint("a", 0.5, 0.0, 1.0), None),
        (0.05, None, None),
    ],
)
def test_a_label_has_a_predictive_value_where_everything_is_known(prevalence, point, expected):
    """Prevalence, sensitivity and specificity."""
    assert predictive_value_of(Label("a", "A", prevalence=prevalence), point) == expected


@pytest.mark.parametrize("reason", [*REASONS, NO_POINT, EXPERIMENTAL, "of_a_later_release", ""])
def test_every_reason_is_told_in_words(reason):
    """One that this release does not know, as well as it can."""
    words = reason_text(reason)
    assert bool(words) == bool(reason)
    assert "_" not in words
    assert not words.endswith(".")
