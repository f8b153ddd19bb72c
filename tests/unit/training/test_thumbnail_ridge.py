"""Bacterial or viral from a thumbnail, by patient and as published."""

from __future__ import annotations

import numpy as np

from hilum_training.evaluation.shortcuts.thumbnail_ridge import (
    NEGATIVE,
    POSITIVE,
    published_splits,
    ridge_row,
    thumbnail_figures,
)
from hilum_training.films.library import FilmSet, Library
from tests.unit.training.panel_answers import film


def images(count, start=0, clusters=None):
    """Half of the images bacterial; those are bright on the left."""
    generator = np.random.default_rng(start)
    inputs = generator.integers(0, 60, size=(count, 32, 32, 1)).astype(np.uint8)
    labels = [POSITIVE if place % 2 else NEGATIVE for place in range(count)]
    for place, label in enumerate(labels):
        if label == POSITIVE:
            inputs[place, :, :16] += 120
    films = tuple(film(start + place, "kermany", label) for place, label in enumerate(labels))
    return FilmSet(films, inputs, tuple(clusters or (item.group for item in films)))


def test_what_a_thumbnail_shows_is_found_on_unseen_images():
    """With counts, intervals and no patient on both sides."""
    row = ridge_row(images(40), images(24, start=100))
    assert row["auroc"]["value"] == row["accuracy"]["value"] == 1.0
    assert (row["positive_films"], row["negative_films"], row["training_images"]) == (12, 12, 40)
    assert (row["test_patients"], row["test_patients_in_training"]) == (24, 0)
    assert row["larger_class"] == 0.5


def test_test_patients_with_training_images_are_counted():
    """A split that is not by patient says how far it is not."""
    shared = [str(place // 2) for place in range(20)]
    row = ridge_row(images(20, clusters=shared), images(20, start=100, clusters=shared))
    assert (row["test_patients"], row["test_patients_in_training"]) == (10, 10)


def test_a_side_with_one_kind_has_no_figure():
    """Nothing to tell apart."""
    part = images(20)
    assert ridge_row(part, part.where(lambda item: item.label == POSITIVE)) is None


def test_both_splits_have_a_row():
    """The published one goes across the three splits by patient."""
    library = Library(images(40), images(8, start=100), images(20, start=200))
    every = [*library.train.films, *library.validation.films, *library.test.films]
    published = {
        item.file: "test" if place % 4 < 2 else "train" for place, item in enumerate(every)
    }
    found = thumbnail_figures(library, published)
    assert [row["split"] for row in found["splits"]] == ["by patient", "as published"]
    assert found["splits"][0]["training_images"] == 40
    assert found["splits"][1]["training_images"] == 34
    assert "16 x 16" in found["method"]


def test_a_copy_has_the_split_of_the_image_that_it_copies(tmp_path):
    """Copies in native size were published without one."""
    (tmp_path / "manifest.csv").write_text(
        "file,split,variant_of\na.png,test,\nb.png,,a.png\nc.png,,\n", encoding="utf-8"
    )
    assert published_splits(tmp_path) == {"a.png": "test", "b.png": "test", "c.png": ""}
