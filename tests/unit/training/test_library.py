"""The films of a recipe by split: what is held out, and what that keeps from being learnt."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hilum_training.films.library import open_library
from hilum_training.recipe_errors import InvalidRecipe
from tests.unit.training.film_folders import FilmFolder, texture
from tests.unit.training.tiny_recipe import TINY

HELD_OUT = replace(
    TINY, data=replace(TINY.data, sources=("kermany", "cohen"), only_train_sources=("kermany",))
)


@pytest.fixture
def pack(tmp_path):
    """Forty patients of one source, twenty of whom have a film in another as well."""
    folder = FilmFolder(tmp_path / "pack")
    for patient in range(40):
        folder.add(f"k{patient}", texture(patient), "normal", group_id=f"p{patient}")
    for patient in range(20):
        name, pixels = f"c{patient}", texture(100 + patient)
        folder.add(name, pixels, "normal", source="cohen", group_id=f"p{patient}")
    return folder.close()


def test_a_patient_of_a_held_out_source_teaches_nothing(pack, tmp_path):
    """The other film of such a patient stays out of training and validation."""
    library = open_library(HELD_OUT, pack, tmp_path / "cache")
    learnt = {*library.train.clusters, *library.validation.clusters}
    assert len(learnt) > 10
    assert not learnt & set(library.test.clusters)
    held_out = [film for film in library.test.films if film.source == "cohen"]
    assert len(held_out) == 20


def test_a_source_that_the_recipe_leaves_out_holds_nobody_back(pack, tmp_path):
    """Only films that are tested count: without them every patient may teach."""
    alone = replace(HELD_OUT, data=replace(HELD_OUT.data, sources=("kermany",)))
    library = open_library(alone, pack, tmp_path / "cache")
    parts = (library.train, library.validation, library.test)
    assert sum(len(part.films) for part in parts) == 40


@pytest.mark.parametrize("key", ["sources", "only_train_sources"])
def test_a_source_that_no_film_has_is_named(pack, tmp_path, key):
    """A typing error would otherwise leave a hospital out, silently."""
    data = replace(HELD_OUT.data, **{key: ("kermany", "cohn")})
    with pytest.raises(InvalidRecipe, match="no film of cohn; its sources are cohen, kermany"):
        open_library(replace(HELD_OUT, data=data), pack, tmp_path / "cache")
