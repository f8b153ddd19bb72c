"""Films for a gate: what is made, and that it stays in its split."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hilum_training.films.drawn import BODIES, draw
from hilum_training.films.gate_films import (
    UNEQUAL_SIDES,
    NegativesMissing,
    gate_library,
    picture_folders,
)
from hilum_training.films.library import FilmSet, open_library
from hilum_training.films.pack import wanted
from hilum_training.films.severe import SEVERE
from hilum_training.films.targets import recorded_kind
from hilum_training.recipe import read_recipe
from hilum_training.segmentation.recipe import read_segmentation_recipe
from tests.unit.training.film_folders import FilmFolder, texture

RECIPES = Path(__file__).resolve().parents[3] / "training/recipes"
GATE = read_recipe(RECIPES / "gate.toml")
SMALL = replace(
    GATE,
    film=replace(GATE.film, size=64),
    data=replace(GATE.data, sources=("kermany", "cohen", "dc1000")),
)


@pytest.fixture
def library(tmp_path):
    """Sixty frontal radiographs, ten laterals and ten dental ones."""
    pack = FilmFolder(tmp_path / "pack")
    for patient in range(60):
        pack.add(f"f{patient}", texture(patient), "normal")
    for patient in range(10):
        pack.add(f"l{patient}", texture(100 + patient), "covid19", source="cohen", view="L")
    for patient in range(10):
        image = texture(200 + patient)
        pack.add(f"d{patient}", image, "other:body_dental", source="dc1000", view="other")
    return open_library(SMALL, pack.close(), tmp_path / "cache")


def kinds(films: FilmSet) -> Counter[str]:
    targets = films.targets(SMALL.panels[0])
    assert targets.single.all()
    return Counter(SMALL.panels[0].names[k] for k in targets.truth)


def test_every_split_holds_every_kind(library):
    """Each kind that must be rejected is there to be learnt and to be measured."""
    whole = gate_library(library, SMALL, [])
    for part in (whole.train, whole.validation, whole.test):
        assert set(kinds(part)) == set(SMALL.panels[0].names)
        assert part.inputs.shape[1:] == (64, 64, 1)
        assert len(part.films) == len(part.inputs) == len(part.clusters)


def test_a_changed_film_stays_with_its_patient(library):
    """The negative of a training patient's film never comes in the test split."""
    whole = gate_library(library, SMALL, [])
    pack = SMALL.data.sources
    clusters = [
        {c for c, f in zip(part.clusters, part.films, strict=True) if f.source in pack}
        for part in (whole.train, whole.validation, whole.test)
    ]
    assert not clusters[0] & clusters[2]
    assert not clusters[0] & clusters[1]


def test_a_negative_and_a_turned_film_are_what_they_say(library):
    """The film marked inverted is 255 minus a film of the split, the rotated one a quarter turn."""
    whole = gate_library(library, SMALL, []).train
    originals = list(library.train.inputs)

    def made_of(changed, undo):
        return any(np.array_equal(undo(changed), original) for original in originals)

    labels = [film.label for film in whole.films]
    inverted = whole.inputs[labels.index("inverted")]
    rotated = whole.inputs[labels.index("rotated")]
    assert made_of(inverted, lambda film: 255 - film)
    assert any(made_of(rotated, lambda film, k=k: np.rot90(film, k)) for k in (1, 2, 3))


def test_pictures_are_divided_by_folder_and_damaged_ones_are_left_out(library, tmp_path):
    """Test pictures are of a kind that training did not show; a broken file stops nothing."""
    folder = tmp_path / "pictures"
    for kind in range(12):
        (folder / f"kind{kind:02d}").mkdir(parents=True)
        for index in range(2):
            Image.fromarray(texture(kind * 10 + index)).convert("RGBA").save(
                folder / f"kind{kind:02d}/{index}.png"
            )
    (folder / "kind00/broken.png").write_bytes(b"no picture")
    whole = gate_library(library, SMALL, [folder])

    def folders(part: FilmSet) -> set[str]:
        return {f.file.split("/")[0] for f in part.films if f.source == "picture"}

    assert folders(whole.test) == {"kind00", "kind05", "kind10"}
    assert folders(whole.validation) == {"kind01", "kind11"}
    assert len(folders(whole.train)) == 7
    assert not any("broken" in film.file for film in whole.test.films)


def test_drawings_come_again_from_their_seed():
    """The same seed draws the same pictures, another seed others."""
    first = draw(20, 48, 1)
    assert first.shape == (20, 48, 48, 1)
    assert np.array_equal(first, draw(20, 48, 1))
    assert not np.array_equal(first, draw(20, 48, 2))
    assert len({drawing.tobytes() for drawing in first}) == 20


def test_a_folder_of_pictures_that_is_not_there_is_refused_where_it_counts(tmp_path):
    """A gate measured without them would report other films; only a try goes on with the rest."""
    there, missing = tmp_path / "there", tmp_path / "missing"
    there.mkdir()
    assert picture_folders([there], required=True) == [there]
    with pytest.raises(NegativesMissing, match="missing: `make negatives`"):
        picture_folders([there, missing], required=True)
    assert picture_folders([there, missing], required=False) == [there]


def labels(films: FilmSet, answer: str) -> set[str]:
    """Recorded labels of the images that count as one answer."""
    targets, names = films.targets(SMALL.panels[0]), SMALL.panels[0].names
    found = zip(films.films, targets.truth, strict=True)
    return {film.label for film, place in found if names[place] == answer}


def test_another_body_is_taught_as_no_chest(library):
    """Dental radiographs, their changed copies and drawn bodies are `not_chest`, never frontal."""
    train = gate_library(library, SMALL, []).train
    bodies = {"other:body_dental", "not_chest:changed dental"}
    bodies |= {f"not_chest:drawn {kind.replace('_', ' ')}" for kind in BODIES}
    assert labels(train, "not_chest") == bodies | {"not_chest"}
    assert not any("body" in label or "drawn" in label for label in labels(train, "frontal"))


def test_a_body_is_made_into_no_severe_and_no_inverted_chest(library):
    """What is made from chests is made from chests alone."""
    whole = gate_library(library, SMALL, [])
    for part in (whole.train, whole.validation, whole.test):
        kinds_of = {recorded_kind(film) for film in part.films if film.source == "dc1000"}
        assert kinds_of == {"not_chest"}


def test_severely_ill_chests_are_frontal_in_every_split(library):
    """Each kind is there to be learnt and to be measured, with the patient that it is made from."""
    whole = gate_library(library, SMALL, [])
    kinds_made = {f"severe:{kind}" for kind in SEVERE}
    for part, origin in ((whole.train, library.train), (whole.test, library.test)):
        assert kinds_made <= labels(part, "frontal")
        clusters = {
            cluster
            for cluster, film in zip(part.clusters, part.films, strict=True)
            if recorded_kind(film) == "severe"
        }
        assert clusters <= set(origin.clusters)


def test_a_real_chest_with_one_white_side_is_named_so(library):
    """It stays frontal and counts among the severely ill."""
    inputs = library.train.inputs.copy()
    place = next(at for at, film in enumerate(library.train.films) if film.view != "L")
    inputs[place, :, 32:] = 250
    inputs[place, :, :32] = 10
    changed = replace(library, train=replace(library.train, inputs=inputs))
    assert gate_library(changed, SMALL, []).train.films[place].label == UNEQUAL_SIDES


@pytest.mark.parametrize("kind", BODIES)
def test_a_body_is_drawn_from_its_seed(kind):
    """The same seed draws the same body; it is no even image."""
    first = draw(2, 48, 7, [BODIES[kind]])
    assert np.array_equal(first, draw(2, 48, 7, [BODIES[kind]]))
    assert not np.array_equal(first[0], first[1])
    assert first.std() > 10


def test_only_the_gate_takes_radiographs_of_other_bodies():
    """Neither chest nor lungs learn from them."""
    others = [
        read_recipe(RECIPES / "chest.toml").data,
        read_segmentation_recipe(RECIPES / "lungs.toml").data,
    ]
    bodies = {"dc1000", "ddh_jordan"}
    assert bodies <= set(GATE.data.sources)
    for data in others:
        assert not bodies & set(data.sources)
        assert "other" not in data.views


def test_the_gate_takes_every_kind_of_the_pack(library):
    """The view of other bodies is among the recipe's."""
    assert {film.view for film in library.train.films} >= {"other", "L"}
    assert all(wanted(film, SMALL.data) for film in library.train.films)
