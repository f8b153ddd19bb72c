"""The measures behind a scope: how they are fitted, bounded, kept and served."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from hilum_training.films.library import FilmSet
from hilum_training.films.pack import Film
from hilum_training.panel_recipe import panel_recipe
from hilum_training.population.limits import Measured, choose_limits
from hilum_training.population.probe import (
    MEASURES,
    PopulationProbe,
    fit_probe,
    is_child,
    load_probe,
    save_probe,
)
from hilum_training.population.shown import never_shown, shown_sources

if TYPE_CHECKING:
    from pathlib import Path

CHANNELS = 12


def a_film(index: int, source: str = "north", label: str = "normal", **more: Any) -> Film:
    described = {"group": f"{source}-{index}", "licence": "CC BY 4.0", **more}
    return Film(file=f"{source}-{index}.png", source=source, label=label, **described)


def two_sources(count: int = 40) -> Measured:
    """Children of one source and adults of another, apart along one feature each."""
    generator = np.random.default_rng(5)
    features = generator.normal(size=(2 * count, CHANNELS)).astype(np.float32)
    features[:count, 0] += 8.0
    children = [a_film(i, "school", age=4.0) for i in range(count)]
    films = (*children, *(a_film(i, "north", age=60.0) for i in range(count)))
    inputs = np.zeros((len(films), 4, 4, 1), dtype=np.uint8)
    return Measured(FilmSet(films, inputs, tuple(film.group for film in films)), features)


@pytest.fixture(scope="module")
def probe() -> PopulationProbe:
    here = two_sources()
    return fit_probe(here.features, here.films.films)


@pytest.mark.parametrize(
    ("known", "child"),
    [
        ({"age": 4.0}, True),
        ({"age": 12.0}, None),
        ({"age": 16.0}, False),
        ({"age_group": "paediatric (1-5 y)"}, True),
        ({"age_group": "adult"}, False),
        ({}, False),
        ({"age": 30.0, "age_group": "paediatric"}, False),
    ],
)
def test_a_stated_age_decides_who_is_a_child(known: dict[str, Any], *, child: bool | None) -> None:
    """Between ten and fifteen years an image teaches neither side."""
    assert is_child(a_film(1, **known)) is child


def test_the_child_measure_separates_children_from_adults(probe: PopulationProbe) -> None:
    """Images that the probe has not seen are measured on the right side."""
    features = np.zeros((2, CHANNELS), dtype=np.float32)
    features[0, 0] = 8.0
    child = probe.measures(features)[:, MEASURES.index("child")]
    assert child[0] > 0.55
    assert child[1] < 0.5


def test_the_distance_grows_away_from_every_source(probe: PopulationProbe) -> None:
    """It is small at the mean of either source and large beside both."""
    features = np.zeros((3, CHANNELS), dtype=np.float32)
    features[1, 0] = 8.0
    features[2, 1] = 30.0
    near, near_too, far = probe.measures(features)[:, MEASURES.index("distance")]
    assert max(near, near_too) < 1.0
    assert far > 3.0


def test_without_children_no_image_is_taken_for_a_childs() -> None:
    """A pack of adults alone gives a measure that never reaches one half."""
    here = two_sources()
    adults = here.where(here.sources == "north")
    probe = fit_probe(adults.features, adults.films.films)
    assert probe.measures(here.features)[:, 1].max() < 1e-6


def test_bounds_leave_the_wanted_share_of_each_source_inside(probe: PopulationProbe) -> None:
    """The bound is the largest of the sources' quantiles, and no child's bound lies below 0.5."""
    here = two_sources()
    limits = choose_limits(probe, here)
    values = probe.measures(here.features)
    for source in ("school", "north"):
        inside = values[here.sources == source, 0] <= limits["distance"]
        assert inside.mean() >= 0.97
    assert limits["child"] >= 0.5


def test_a_probe_comes_back_as_it_was_written(probe: PopulationProbe, tmp_path: Path) -> None:
    """The file holds every parameter."""
    save_probe(probe, tmp_path / "x.population.npz")
    features = np.ones((3, CHANNELS), dtype=np.float32)
    back = load_probe(tmp_path / "x.population.npz")
    assert np.array_equal(back.measures(features), probe.measures(features))


def test_who_was_never_shown_is_computed_from_the_training_images() -> None:
    """A finding that no child has is named, one that a child has is not."""
    panel = panel_recipe(
        {
            "name": "tuberculosis",
            "display": "Tuberculosis",
            "kind": "single_label",
            "operating_point": {"rule": "youden"},
            "sources": ["north", "school"],
            "candidates": {"normal": ["normal"], "tuberculosis": ["tb"], "other": ["ill"]},
            "label": [
                {"name": "normal", "display": "Normal", "abnormal": False},
                {"name": "tb", "display": "Tuberculosis"},
                {"name": "ill", "display": "Other abnormality"},
            ],
        }
    )
    films = (
        a_film(1, "north", "tuberculosis", age=40.0),
        a_film(2, "school", "other:mass", age=5.0),
        a_film(3, "west", "tuberculosis", age=5.0),
    )
    taught = FilmSet(films, np.zeros((3, 4, 4, 1), dtype=np.uint8), ("1", "2", "3"))
    assert shown_sources(panel, taught) == ["north", "school"]
    assert never_shown(panel, taught) == [
        "children below 10 years with: Tuberculosis",
        "anybody older with: Other abnormality",
    ]
