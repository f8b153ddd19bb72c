"""What panels are asked to say of films."""

from __future__ import annotations

from dataclasses import replace

from hilum_training.films.asked import EVERY
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
    adults = replace(PANELS["tuberculosis"], sources=("shenzhen", "nih14"))
    targets = panel_targets(films, adults)
    assert targets.known.tolist() == [False, True, True]
    assert targets.values[1].tolist() == [1, 0, 0]
    assert targets.values[2].tolist() == [0, 0, 1]


def test_a_multi_label_panel_takes_a_list_of_findings_and_counts_the_rest_as_absent():
    """Where the source lists all that it found, a film without findings has none of them."""
    panel = PANELS["pathology"]
    films = [film("nih14", "other:mass", "mass", "nodule"), film("nih14", "normal", "no finding")]
    listed = [replace(item, asked=frozenset({EVERY})) for item in films]
    targets = panel_targets(listed, panel)
    present = {panel.names[k] for k in range(14) if targets.values[0, k]}
    assert present == {"mass", "nodule"}
    assert targets.known.all()
    assert not targets.values[1].any()


def test_a_panel_without_sources_takes_all():
    """An empty list of sources means every source."""
    panel = replace(PANELS["tuberculosis"], sources=())
    assert panel_targets([film("kermany", "normal")], panel).known.all()


def test_a_multi_label_panel_learns_of_a_film_only_what_was_asked_of_it():
    """Its own hospital's films: tuberculosis is no absence of effusion, nor is a blank."""
    panel = replace(PANELS["pathology"], sources=("nih14", "local"))
    effusion, mass = panel.names.index("effusion"), panel.names.index("mass")
    films = [
        film("local", "tuberculosis", "tuberculosis"),
        film("local", ""),
        film("local", "other:effusion", "effusion"),
        replace(film("local", "tuberculosis"), asked=frozenset({"effusion", "scoliosis"})),
        replace(film("local", "normal"), asked=frozenset({EVERY})),
        replace(film("kermany", "normal"), asked=frozenset({EVERY})),
    ]
    targets = panel_targets(films, panel)
    assert targets.known.tolist() == [False, False, True, True, True, False]
    assert targets.whole.tolist() == [False, False, False, False, True, False]
    assert [places.nonzero()[0].tolist() for places in targets.asked] == [
        [],
        [],
        [effusion],
        [effusion],
        list(range(14)),
        [],
    ]
    assert targets.values[:, effusion].tolist() == [0, 0, 1, 0, 0, 0]
    assert not targets.values[:, mass].any()


def test_a_single_label_panel_is_asked_as_a_whole():
    """Its labels exclude one another: one that is known leaves none open."""
    targets = panel_targets([film("shenzhen", "tuberculosis")], PANELS["tuberculosis"])
    assert targets.asked.all()
    assert targets.whole.all()
