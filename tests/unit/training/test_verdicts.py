"""From probabilities to the labels that a panel names."""

from __future__ import annotations

import numpy as np
import pytest

from hilum.domain.model import Label, OperatingPoint, Panel, PanelKind
from hilum.domain.panel import Rank
from hilum_training.evaluation.verdicts import PanelPoints
from tests.unit.training.panel_answers import panel

TUBERCULOSIS = panel("tuberculosis")
POINTS = PanelPoints.of_recipe(
    TUBERCULOSIS, {"normal": 0.6, "tuberculosis": 0.2, "other_abnormal": 0.4}
)


def named(points: PanelPoints, *chances: float, experimental: bool = False) -> set[str]:
    row = points.named(np.array([chances]), experimental=experimental)[0]
    return {label for label, found in zip(points.labels, row.tolist(), strict=True) if found}


@pytest.mark.parametrize(
    ("chances", "expected"),
    [
        ((0.9, 0.05, 0.05), {"normal"}),
        ((0.5, 0.3, 0.2), {"tuberculosis"}),
        ((0.1, 0.2, 0.7), {"other_abnormal"}),
        ((0.1, 0.45, 0.45), {"tuberculosis"}),
        ((0.6, 0.2, 0.2), {"tuberculosis"}),
        ((0.55, 0.15, 0.3), set()),
    ],
)
def test_a_single_label_panel_names_at_most_one_label(chances, expected):
    """The abnormal label furthest above its point in log odds, else normal, else none."""
    assert named(POINTS, *chances) == expected


def test_labels_of_a_multi_label_panel_are_named_one_by_one():
    """Two at once, and one without an operating point never."""
    pathology = panel("pathology")
    points = PanelPoints.of_recipe(pathology, {"effusion": 0.3, "mass": 0.3})
    chances = [0.9 if name in {"effusion", "mass", "hernia"} else 0.1 for name in pathology.names]
    assert named(points, *chances, experimental=True) == {"effusion", "mass"}


def test_experimental_labels_are_named_only_where_they_are_switched_on():
    """By default the germs of pneumonia give no verdict, and normal still does."""
    pneumonia = panel("pneumonia")
    points = PanelPoints.of_recipe(pneumonia, dict.fromkeys(pneumonia.names, 0.5))
    assert named(points, 0.1, 0.8, 0.05, 0.05) == set()
    assert named(points, 0.1, 0.8, 0.05, 0.05, experimental=True) == {"pneumonia_bacterial"}
    assert named(points, 0.8, 0.1, 0.05, 0.05) == {"normal"}


def test_a_label_that_is_not_shown_is_never_named():
    """Neither by default nor with experimental labels; the points are those of the manifest."""
    shipped = Panel(
        "pathology",
        "Findings",
        PanelKind.MULTI_LABEL,
        labels=(
            Label("effusion", "Effusion"),
            Label("mass", "Mass", rank=Rank.EXPERIMENTAL),
            Label("hernia", "Hernia", rank=Rank.NOT_SHOWN),
            Label("nodule", "Nodule"),
        ),
        operating_points=tuple(
            OperatingPoint(label, 0.5) for label in ("effusion", "mass", "hernia")
        ),
    )
    points = PanelPoints.of_manifest(shipped)
    assert named(points, 0.9, 0.9, 0.9, 0.9) == {"effusion"}
    assert named(points, 0.9, 0.9, 0.9, 0.9, experimental=True) == {"effusion", "mass"}


def test_images_of_children_are_held_to_thresholds_of_their_own():
    """Where a label has one for children; the label normal keeps its own."""
    infection = panel("infection")
    points = PanelPoints.of_recipe(
        infection, {"normal": 0.5, "infected": 0.9}, {"infected": 0.3, "unknown": 0.1}
    )
    chances = np.array([[0.6, 0.4], [0.6, 0.4], [0.05, 0.95]])
    found = points.named(chances, children=np.array([True, False, False]))
    assert found.tolist() == [[False, True], [True, False], [False, True]]
    assert points.named(chances).tolist() == [[True, False], [True, False], [False, True]]


def test_the_manifest_s_thresholds_for_children_are_taken_over():
    """Those of the operating points that have one."""
    shipped = Panel(
        "infection",
        "Infection",
        PanelKind.SINGLE_LABEL,
        labels=(Label("normal", "Normal", abnormal=False), Label("infected", "Infected")),
        operating_points=(
            OperatingPoint("normal", 0.5),
            OperatingPoint("infected", 0.9, child_threshold=0.3),
        ),
    )
    assert PanelPoints.of_manifest(shipped).child_thresholds == {"infected": 0.3}
