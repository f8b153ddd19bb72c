"""Films for a gate: what is made, and that it stays in its split."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hilum_training.films.drawn import draw
from hilum_training.films.gate_films import NegativesMissing, gate_library, picture_folders
from hilum_training.films.library import FilmSet, open_library
from hilum_training.recipe import read_recipe
from tests.unit.training.film_folders import FilmFolder, texture

GATE = read_recipe(Path(__file__).resolve().parents[3] / "training/recipes/gate.toml")
SMALL = replace(
    GATE,
    film=replace(GATE.film, size=64),
    data=replace(GATE.data, sources=("kermany", "cohen")),
)


@pytest.fixture
def library(tmp_path):
    """Sixty frontal films and ten laterals."""
    pack = FilmFolder(tmp_path / "pack")
    for patient in range(60):
        pack.add(f"f{patient}", texture(patient), "normal")
    for patient in range(10):
        pack.add(f"l{patient}", texture(100 + patient), "covid19", source="cohen", view="L")
    return open_library(SMALL, pack.close(), tmp_path / "cache")


def kinds(films: FilmSet) -> Counter[str]:
    targets = films.targets(SMALL.panels[0])
    assert targets.single.all()
    return Counter(SMALL.panels[0].names[k] for k in targets.truth)


def test_every_split_holds_every_kind(library):
    """Frontal films keep the majority; each kind that must be stopped is there to be measured."""
    whole = gate_library(library, SMALL, [])
    for part in (whole.train, whole.validation, whole.test):
        counts = kinds(part)
        assert set(counts) == set(SMALL.panels[0].names)
        assert counts["frontal"] > counts["not_chest"]
        assert part.inputs.shape[1:] == (64, 64, 1)
        assert len(part.films) == len(part.inputs) == len(part.clusters)


def test_a_changed_film_stays_with_its_patient(library):
    """The negative of a training patient's film never comes in the test split."""
    whole = gate_library(library, SMALL, [])
    made = ("drawn", "phantom", "several")
    clusters = [
        {c for c, f in zip(part.clusters, part.films, strict=True) if f.source not in made}
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
