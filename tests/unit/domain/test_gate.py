"""The reason of a rejection: which label of a gate is named."""

from __future__ import annotations

import pytest

from hilum.domain.finding import Finding, PanelReading
from hilum.domain.gate import rejection_label, rejection_reason
from hilum.domain.panel import PanelKind

LABELS = ("frontal", "lateral", "not_chest", "inverted", "rotated")


@pytest.mark.parametrize(
    ("probabilities", "reason"),
    [
        ((0.01, 0.01, 0.96, 0.01, 0.01), "not_chest"),
        ((0.02, 0.10, 0.30, 0.00, 0.58), "not_chest"),
        ((0.05, 0.70, 0.25, 0.00, 0.00), "not_chest"),
        ((0.05, 0.71, 0.24, 0.00, 0.00), "lateral"),
        ((0.10, 0.00, 0.20, 0.00, 0.70), "rotated"),
        ((0.10, 0.10, 0.00, 0.80, 0.00), "inverted"),
        ((0.35, 0.30, 0.35, 0.00, 0.00), "frontal"),
        ((0.30, 0.35, 0.35, 0.00, 0.00), "not_chest"),
        ((0.60, 0.00, 0.40, 0.00, 0.00), "frontal"),
    ],
)
def test_not_chest_wins_from_a_quarter_on_unless_frontal_leads(probabilities, reason):
    """The reason is ``not_chest`` from 0.25 on, otherwise the most probable label."""
    assert rejection_label(dict(zip(LABELS, probabilities, strict=True))) == reason


def test_a_gate_without_the_label_not_chest_names_its_most_probable_label():
    """A gate of another site may know fewer labels."""
    assert rejection_label({"frontal": 0.2, "lateral": 0.8}) == "lateral"


def test_the_reason_is_the_result_of_the_label():
    """The result that is named carries its probability and its words."""
    findings = tuple(
        Finding(
            label=label,
            display=label,
            probability=value,
            operating_point=0.5,
            positive=False,
            abnormal=False,
            weak=False,
        )
        for label, value in (("frontal", 0.1), ("lateral", 0.6), ("not_chest", 0.3))
    )
    gate = PanelReading("gate", "gate", "1.0.0", findings, "Gate", PanelKind.GATE)
    reason = rejection_reason(gate)
    assert (reason.label, reason.probability) == ("not_chest", 0.3)
