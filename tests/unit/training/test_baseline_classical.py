"""Classical classifiers and linear heads, on features that the test makes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the training environment: make test-training")

from hilum_training.baselines.classical import (
    CLASSIFIERS,
    Bench,
    Features,
    spread,
)
from hilum_training.baselines.heads import (
    Described,
    FindingHeads,
    best_strength,
    by_group,
    mean_area_of,
    transfer_head,
)
from hilum_training.baselines.image_features import (
    image_features,
    oriented_gradients,
    small_pixels,
)
from hilum_training.baselines.scoring import score
from tests.unit.training.baseline_films import (
    CHEST,
    film,
    film_set,
    shipped,
    two_labels,
)
from tests.unit.training.film_folders import texture

INFECTION = next(panel for panel in CHEST.panels if panel.name == "infection")
PATHOLOGY = next(panel for panel in CHEST.panels if panel.name == "pathology")


def separable(count: int, columns: int, seed: int) -> np.ndarray:
    """Noise, and a first column that tells the even films from the odd ones."""
    rows = np.random.default_rng(seed).normal(size=(count, columns)).astype(np.float32)
    rows[:, 0] += 2.5 * (np.arange(count) % 2)
    return rows


def test_every_classifier_of_the_table_learns_and_is_measured():
    """Five classifiers, each with figures within the source, by strength and by films."""
    library = two_labels(80)
    features = Features("columns", *(separable(80, 6, seed) for seed in range(3)))
    table = Bench(INFECTION, library, 1).compare(features, [20])
    assert set(table) == set(CLASSIFIERS)
    assert len(table) == 5
    for row in table.values():
        assert row["within_source"][0]["value"] > 0.8
        assert row["strength"]["chosen"] in [step["value"] for step in row["by_strength"]]
        assert [step["films"] for step in row["by_films"]] == [20, 80]


def test_the_strength_is_chosen_on_validation_films_and_not_on_test_films():
    """Test features of pure noise leave the choice as it was."""
    library = two_labels(60)
    rows = [separable(60, 6, seed) for seed in range(3)]
    bench = Bench(INFECTION, library, 1)
    chosen = [
        {name: row["strength"]["chosen"] for name, row in table.items()}
        for table in (
            bench.compare(Features("as they are", *rows), []),
            bench.compare(Features("noise", *rows[:2], np.zeros_like(rows[2])), []),
        )
    ]
    assert chosen[0] == chosen[1]


def test_principal_components_are_of_the_training_films():
    """Other test films change no training feature."""
    rows = [separable(30, 12, seed) for seed in range(3)]
    first = Features("a", *rows).reduced(4, 0)
    second = Features("a", *rows[:2], rows[2] + 9).reduced(4, 0)
    assert first.train.shape == (30, 4)
    assert np.array_equal(first.train, second.train)


def test_fewer_films_are_spread_over_all():
    """Every part of the order keeps its share."""
    assert spread(np.arange(100), 4).tolist() == [0, 33, 66, 99]


def test_edges_are_told_by_their_direction():
    """Stripes along one axis fill the bins of the other, and a flat film fills none."""
    stripes = np.tile((np.arange(64) // 4 % 2 * 200).astype(np.uint8), (64, 1))
    across = oriented_gradients(stripes).reshape(-1, 9).sum(axis=0)
    down = oriented_gradients(stripes.T).reshape(-1, 9).sum(axis=0)
    assert across.argmax() == 0
    assert down.argmax() == 4
    assert oriented_gradients(np.full((64, 64), 7, dtype=np.uint8)).sum() == 0


def test_brightness_of_a_film_does_not_reach_its_small_pixels():
    """A film twice as bright has the same features up to rounding."""
    dark = texture(3) // 2
    assert np.allclose(small_pixels(dark), small_pixels(dark * 2), atol=0.05)
    assert image_features(np.stack([dark, dark])[..., np.newaxis]).shape == (2, 1024 + 7 * 7 * 36)


def test_a_transfer_head_answers_every_label_and_learns():
    """A dense head on features that tell the labels apart."""
    library = two_labels(80)
    parts = {
        split: Described(getattr(library, split), separable(80, 6, seed))
        for seed, split in enumerate(("train", "validation", "test"))
    }
    said, strength = transfer_head(INFECTION, parts, 0.5)
    assert np.allclose(said.probabilities.sum(axis=1), 1)
    assert score(said)["within_source"][0]["value"] > 0.85
    assert strength > 0


def findings(start: int, count: int) -> Described:
    """Adults of both sexes and views; a mass moves the first feature, the other way in women."""
    generator = np.random.default_rng(start)
    rows = generator.normal(size=(count, 5)).astype(np.float32)
    films = []
    for index in range(count):
        ill, sex = index % 2 == 1, "MF"[index // 2 % 2]
        rows[index, 0] += 3 * ill * (1 if sex == "M" else -1)
        films.append(
            replace(
                film(start + index, "nih14", "normal", sex=sex),
                view=("PA", "AP")[index // 4 % 2],
                findings=frozenset({"mass"} if ill else set()),
            )
        )
    return Described(film_set(films), rows)


@pytest.mark.parametrize("kind", ["svm", "logistic"])
def test_a_head_a_finding_learns_what_is_there_and_abstains_where_nothing_is(kind):
    """A finding without training films is answered with one half throughout."""
    train, validation, test = findings(0, 120), findings(1000, 80), findings(2000, 80)
    men = [np.flatnonzero([f.sex == "M" for f in part.films.films]) for part in (train, test)]
    strength = best_strength(PATHOLOGY, kind, train, validation)
    head = FindingHeads(PATHOLOGY, strength, kind)
    said = head.fit_and_answer(train.take(men[0]), test.take(men[1]))
    assert mean_area_of(said) > 0.9
    assert set(said.probabilities[:, PATHOLOGY.names.index("hernia")]) == {0.5}


def test_a_model_of_each_sex_wins_where_the_sexes_differ():
    """The sign is the other way in women: one linear head cannot say both, own heads can."""
    rows = by_group(FindingHeads(PATHOLOGY, 0.1), findings(0, 160), findings(2000, 160))
    by_name = {row["group"]: row for row in rows}
    assert set(by_name) == {"women", "men", "PA", "AP"}
    for name in ("women", "men"):
        row = by_name[name]
        assert row["findings"] == ["mass"]
        assert row["own_model"] > row["one_model"] + 0.2
        assert row["own_less_one"]["interval"][0] > 0
    assert by_name["PA"]["own_model"] < by_name["men"]["own_model"]


def test_the_committed_classical_baseline_names_the_network_of_its_features():
    """The features come from a baseline that is there."""
    classical = shipped("infection-classical")
    source = shipped(classical.features)
    assert source.panel == classical.panel
    assert source.recipe.film == classical.recipe.film
