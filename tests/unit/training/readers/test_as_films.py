"""Records become the films that recipes divide and learn from."""

from __future__ import annotations

import pytest

from hilum_training.films.fingerprint import fingerprint
from hilum_training.films.pack import pack_films, read_film
from hilum_training.films.readers.as_films import as_films
from hilum_training.films.readers.registry import LAYOUTS, read_dataset
from hilum_training.films.split import check_leakage, divide, link_films
from tests.unit.training.readers import layouts


@pytest.mark.parametrize("layout", LAYOUTS)
def test_films_of_every_layout_can_be_decoded_linked_and_divided(layout, tmp_path):
    """The split by patient takes a reader's films as it takes the pack's."""
    folder = getattr(layouts, layout)(tmp_path)
    films = as_films(read_dataset(layout, folder).records)
    prints = [fingerprint(read_film(folder / film.file)) for film in films]
    clusters = link_films(films, prints, 10)
    splits = divide(films, clusters, (0.5, 0.25, 0.25), 1)
    check_leakage(films, splits, prints, 10)
    by_group = {}
    for film, split in zip(films, splits, strict=True):
        assert by_group.setdefault(film.group, split) == split


def test_the_pack_is_the_same_through_its_reader(tmp_path):
    """Both ways in keep one copy of a film, under the source that it copies."""
    folder = layouts.pack(tmp_path)
    films = as_films(read_dataset("pack", folder).records)
    for read, direct in zip(films, pack_films(folder), strict=True):
        assert (read.file, read.source, read.label) == (direct.file, direct.source, direct.label)
        assert (read.group, read.variant_of) == (direct.group, direct.variant_of)
        assert (read.view, read.age, read.sex) == (direct.view, direct.age, direct.sex)
        assert (read.age_group, read.licence_flags) == (direct.age_group, direct.licence_flags)


def test_an_age_tells_the_age_group_where_the_source_does_not(tmp_path):
    """Kermany's children have no age each, but a group; others have it from their age."""
    records = read_dataset("nih14", layouts.nih14(tmp_path / "n")).records
    nih = {film.age: film.age_group for film in as_films(records)}
    assert nih == {57: "adult", 58: "adult", None: ""}
    children = as_films(read_dataset("kermany", layouts.kermany(tmp_path / "k")).records)
    assert {film.age_group for film in children} == {"paediatric (1-5 y)"}
