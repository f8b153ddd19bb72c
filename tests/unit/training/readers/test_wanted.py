"""View, source and licence decide which films of a data set a recipe uses."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hilum_training.films.pack import pack_films, wanted
from hilum_training.films.readers.pack_writer import write_pack
from hilum_training.films.readers.registry import read_dataset
from hilum_training.films.targets import panel_targets
from tests.unit.training.readers import layouts
from tests.unit.training.tiny_recipe import SHIPPED


def packed(tmp_path, layout: str, *more: str):
    """The films of a small data set, through a pack."""
    folder = getattr(layouts, layout)(tmp_path / "published", *more)
    write_pack(tmp_path / "pack", [(layout, folder, read_dataset(layout, folder))])
    return pack_films(tmp_path / "pack")


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({}, ["a", "b", "d"]),
        ({"views": ("PA",)}, ["a"]),
        ({"views": (*SHIPPED.data.views, "L")}, ["a", "b", "c", "d"]),
        ({"exclude_flags": ("NC",)}, ["b", "d"]),
        ({"exclude_flags": ("NC", "SA")}, ["d"]),
        ({"sources": ("nih14",)}, []),
    ],
)
def test_a_recipe_uses_the_films_that_its_data_name(tmp_path, changes, kept):
    """Laterals and non-commercial films leave where the recipe says so, and no others."""
    data = replace(SHIPPED.data, **changes)
    films = packed(tmp_path, "covid_chestxray")
    names = [film.file.rpartition("_")[2] for film in films if wanted(film, data)]
    assert names == [f"{name}.jpg" for name in kept]


def test_no_panel_learns_from_a_film_without_a_label(tmp_path):
    """An unanswered row of a local table is no normal film."""
    table = "file,patient,view,age,sex,label\na.png,P1,PA,,,\n"
    films = packed(tmp_path, "local", table)
    assert len(films) == 1
    for panel in SHIPPED.panels:
        assert not panel_targets(films, replace(panel, sources=())).known.any()
