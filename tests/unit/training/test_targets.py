"""What panels are asked to say of films."""

from __future__ import annotations

from dataclasses import replace

from hilum_training.films.pack import Film
from hilum_training.films.targets import panel_targets
from tests.unit.training.tiny_recipe import SHIPPED

PANELS = {panel.name: panel for panel in SHIPPED.panels}


def film(source: str, label: str, *findings: str) -> Film:
    return Film(f"{source}-{label}", source, label, "g", "CC BY 4.0", findings=frozenset(findings))


def test_a_recorded_label_allows_what_the_recipe_says():
    """One answer, several, or none: then the panel does not learn from the film."""
    films = [
        film("kermany", "pneumonia_viral"),
        film("nih14", "pneumonia_unspecified"),
        film("nih14", "other:effusion"),
    ]
    targets = panel_targets(films, PANELS["pneumonia"])
    assert targets.values.tolist() == [[0, 0, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]]
    assert targets.known.tolist() == [True, True, False]
    assert targets.single.tolist() == [True, False, False]
    assert targets.truth[0] == 2


def test_a_panel_keeps_to_its_sources():
    """A child of a hospital that never looked for tuberculosis is not counted as free of it."""
    films = [film("kermany", "normal"), film("shenzhen", "normal"), film("nih14", "other:hernia")]
    targets = panel_targets(films, PANELS["tuberculosis"])
    assert targets.known.tolist() == [False, True, True]
    assert targets.values[1].tolist() == [1, 0, 0]
    assert targets.values[2].tolist() == [0, 0, 1]


def test_a_multi_label_panel_takes_every_finding_and_counts_the_rest_as_absent():
    """A film without findings is known to have none of them."""
    panel = PANELS["pathology"]
    films = [film("nih14", "other:mass", "mass", "nodule"), film("nih14", "normal", "no finding")]
    targets = panel_targets(films, panel)
    present = {panel.names[k] for k in range(14) if targets.values[0, k]}
    assert present == {"mass", "nodule"}
    assert targets.known.all()
    assert not targets.values[1].any()


def test_a_panel_without_sources_takes_all():
    """An empty list of sources means every source."""
    panel = replace(PANELS["tuberculosis"], sources=())
    assert panel_targets([film("kermany", "normal")], panel).known.all()
