"""What a reader says was asked of a film, and what a pack keeps of it."""

from __future__ import annotations

import pytest

from hilum_training.films.pack import pack_films
from hilum_training.films.readers.pack_writer import write_pack
from hilum_training.films.readers.registry import read_dataset
from tests.unit.training.film_folders import FilmFolder, texture
from tests.unit.training.readers import layouts

ROW = "a.png,P1,PA,,,"


def asked(folder, columns: str, values: str) -> tuple[set[str], str]:
    """What one row of a hospital's table answers, and the label that it gets."""
    table = f"file,patient,view,age,sex,{columns}\n{ROW}{values}\n"
    (record,) = read_dataset("local", layouts.local(folder, table)).records
    return set(record.answered), record.label


@pytest.mark.parametrize(
    ("columns", "values", "answered", "label"),
    [
        ("label", "normal", {"*"}, "normal"),
        ("label", "tuberculosis", set(), "tuberculosis"),
        ("label", "", set(), ""),
        ("findings", "Effusion", {"*"}, "other:effusion"),
        ("findings", "", {"*"}, "normal"),
        ("label,findings", "tuberculosis,Effusion|Tuberculosis", {"*"}, "tuberculosis"),
        ("label,findings", "tuberculosis,", set(), "tuberculosis"),
        ("effusion,mass", "0,0", {"effusion", "mass"}, "normal"),
        ("effusion,mass", "1,", {"effusion"}, "other:effusion"),
        ("effusion,mass", "0,", {"effusion"}, ""),
        ("effusion,mass", ",", set(), ""),
        ("no finding,effusion", "1,", {"*"}, "normal"),
        ("no finding,effusion", "0,0", {"effusion"}, ""),
        ("label,pleural effusion", "tuberculosis,0", {"effusion"}, "tuberculosis"),
    ],
)
def test_a_row_answers_what_it_says_and_no_more(tmp_path, columns, values, answered, label):
    """Normal and a list answer every finding, a column its own, a blank and another label none."""
    assert asked(tmp_path, columns, values) == (answered, label)


def test_a_pack_keeps_what_was_asked(tmp_path):
    """Through a pack, and through a pack of that pack."""
    table = (
        "file,patient,view,age,sex,label,effusion,mass\n"
        "a.png,P1,PA,,,normal,,\nb.png,P2,PA,,,tuberculosis,0,\nc.png,P3,PA,,,,,\n"
    )
    source = layouts.local(tmp_path / "own", table)
    wanted = [{"*"}, {"effusion"}, set()]
    for name, layout in (("first", "local"), ("second", "pack")):
        out = tmp_path / name
        write_pack(out, [(layout, source, read_dataset(layout, source))])
        assert [set(film.asked) for film in pack_films(out)] == wanted
        assert [set(item.answered) for item in read_dataset("pack", out).records] == wanted
        source = out


def test_a_pack_from_before_the_column_reads_as_it_did(tmp_path):
    """ChestX-ray14 lists all it found, a normal film has nothing, other labels answer nothing."""
    folder = FilmFolder(tmp_path)
    for index, (source, label) in enumerate(
        [("nih14", "other:mass"), ("nih14_native", "tuberculosis"), ("cohen", "normal")]
    ):
        folder.add(f"f{index}", texture(index), label, source=source)
    folder.add("f3", texture(3), "tuberculosis", source="shenzhen")
    films = pack_films(folder.close())
    assert [set(film.asked) for film in films] == [{"*"}, {"*"}, {"*"}, set()]
    records = read_dataset("pack", tmp_path).records
    assert [record.answered for record in records] == [film.asked for film in films]
