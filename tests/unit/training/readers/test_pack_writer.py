"""Data sets in any layout become one film pack that every other command reads."""

from __future__ import annotations

import argparse
import shutil

import numpy as np
import pytest
from PIL import Image

from hilum_training import data_commands
from hilum_training.films.cache import decode_films
from hilum_training.films.fingerprint import fingerprint
from hilum_training.films.pack import pack_films, read_film
from hilum_training.films.readers.as_films import as_films
from hilum_training.films.readers.registry import LAYOUTS, read_dataset
from hilum_training.films.split import divide, link_films
from hilum_training.recipe import FilmRecipe
from tests.unit.training.readers import layouts


def run(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    data_commands.add_parser(parser.add_subparsers())
    return data_commands.run(parser.parse_args(["data", *(str(item) for item in arguments)]))


def packed(tmp_path, layout):
    """The pack of one small data set, and the data set's folder."""
    folder = getattr(layouts, layout)(tmp_path / layout)
    assert run("pack", tmp_path / "made", f"{layout}={folder}") == 0
    return tmp_path / "made", folder


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_pack_says_of_each_film_what_its_layout_said(layout, tmp_path):
    """Source, group, label, findings, view, age, sex and licence survive."""
    pack, folder = packed(tmp_path, layout)
    before = as_films(read_dataset(layout, folder).records)
    after = pack_films(pack)
    assert len(after) == len(before)
    for film, original in zip(after, before, strict=True):
        assert (film.source, film.group, film.label) == (
            original.source,
            original.group,
            original.label,
        )
        assert film.findings - {"normal"} == original.findings
        assert (film.view, film.age, film.sex) == (original.view, original.age, original.sex)
        assert film.licence_flags == original.licence_flags
        assert read_film(pack / film.file).shape == (32, 40)
    assert len(read_dataset("pack", pack).records) == len(read_dataset(layout, folder).records)


def test_two_sets_that_hold_one_patient_make_one_group(tmp_path):
    """TBX11K borrows from Montgomery: in one pack the split cannot tear the patient."""
    montgomery = layouts.montgomery(tmp_path / "m")
    tbx11k = layouts.tbx11k(tmp_path / "t")
    out = tmp_path / "pack"
    assert run("pack", out, f"montgomery={montgomery}", f"tbx11k={tbx11k}") == 0
    twice = [film for film in pack_films(out) if film.group == "montgomery-0104"]
    assert len(twice) == 2
    assert {film.source for film in twice} == {"montgomery"}


def test_films_shrink_with_their_boxes_and_masks(tmp_path):
    """A box and a mask lie where they lay, in pixels of the smaller film."""
    folder = layouts.nih14(tmp_path / "nih14")
    large = np.zeros((1024, 1024), dtype=np.uint8)
    Image.fromarray(large).save(folder / "images_001" / "images" / "00000001_000.png")
    assert run("pack", tmp_path / "pack", f"nih14={folder}") == 0
    record = read_dataset("pack", tmp_path / "pack").records[0]
    assert read_film(tmp_path / "pack" / record.file).shape == (256, 256)
    (box,) = record.boxes
    assert (box.x, box.y, box.width, box.height) == (17.1, 62, 153.6, 126.4)
    assert record.native_size == (2682, 2749)


def test_a_mask_of_each_lung_becomes_one_of_both(tmp_path):
    """Montgomery's two masks are stored as the other sources store theirs."""
    folder = layouts.montgomery(tmp_path / "montgomery")
    right = folder / "MontgomerySet" / "ManualMask" / "rightMask" / "MCUCXR_0001_0.png"
    drawn = np.zeros((32, 40), dtype=np.uint8)
    drawn[:, 30:] = 255
    Image.fromarray(drawn).save(right)
    assert run("pack", tmp_path / "pack", f"montgomery={folder}") == 0
    record = read_dataset("pack", tmp_path / "pack").records[0]
    (mask,) = record.masks
    assert mask.kind == "lungs"
    assert "EXCLUDING" in mask.convention
    inside = read_film(tmp_path / "pack" / mask.file) > 0
    assert inside[:, :20].all()
    assert not inside[:, 20:30].any()
    assert inside[:, 30:].all()


def test_a_mask_of_another_size_than_its_film_is_brought_to_it(tmp_path):
    """COVID-19 Radiography has films of 299 pixels and masks of 256."""
    folder = layouts.covid_radiography(tmp_path / "c")
    half = np.zeros((16, 16), dtype=np.uint8)
    half[:, :8] = 255
    Image.fromarray(half).save(folder / "COVID" / "masks" / "COVID-1.png")
    assert run("pack", tmp_path / "pack", f"covid_radiography={folder}") == 0
    record = read_dataset("pack", tmp_path / "pack").records[0]
    inside = read_film(tmp_path / "pack" / record.masks[0].file) > 0
    assert inside.shape == (32, 40)
    assert inside.mean() == pytest.approx(0.5, abs=0.03)


def test_films_of_another_pack_keep_their_names_and_bytes(tmp_path):
    """The split goes by names: what a shipped model has not seen stays unseen beside new films."""
    folder = layouts.pack(tmp_path / "first")
    own = layouts.local(tmp_path / "own")
    out = tmp_path / "both"
    assert run("pack", out, f"local={own}", f"pack={folder}") == 0
    before = pack_films(folder)
    after = [film for film in pack_films(out) if film.source != "local"]
    assert [film.file for film in after] == [film.file for film in before]
    for film in before:
        assert (out / film.file).read_bytes() == (folder / film.file).read_bytes()
    prints = [fingerprint(read_film(out / film.file)) for film in after]
    mixed = pack_films(out)
    every = [fingerprint(read_film(out / film.file)) for film in mixed]
    fractions = (0.4, 0.2, 0.4)
    alone = divide(after, link_films(after, prints, 10), fractions, 7)
    beside = divide(mixed, link_films(mixed, every, 10), fractions, 7)
    unchanged = dict(zip((film.file for film in mixed), beside, strict=True))
    assert [unchanged[film.file] for film in after] == list(alone)


def test_a_copy_still_names_the_film_that_it_copies(tmp_path):
    """Otherwise a film and its copy would count twice."""
    folder = layouts.pack(tmp_path / "first")
    assert run("pack", tmp_path / "second", f"pack={folder}") == 0
    small, native, _ = read_dataset("pack", tmp_path / "second").records
    assert native.variant_of == small.file


def test_two_files_whose_names_differ_in_little_stay_two(tmp_path):
    """A blank and an underscore, PNG and JPEG: no film is written over another."""
    table = (
        "file,patient,view,age,sex,label\na b.png,1,PA,,,normal\na_b.png,2,PA,,,normal\n"
        "a_b.jpg,3,PA,,,tuberculosis\n"
    )
    folder = layouts.local(tmp_path / "local", table)
    for seed, name in enumerate(("a b.png", "a_b.png", "a_b.jpg")):
        layouts.picture(folder / name, seed)
    assert run("pack", tmp_path / "pack", f"local={folder}") == 0
    assert len({film.file for film in pack_films(tmp_path / "pack")}) == 3


def test_every_finding_survives_beside_the_label(tmp_path):
    """A tuberculosis film with an effusion keeps both in the pack."""
    table = "file,patient,view,age,sex,label,findings\na.png,1,PA,,,TB,Effusion|TB\n"
    folder = layouts.local(tmp_path / "local", table)
    assert run("pack", tmp_path / "pack", f"local={folder}") == 0
    (record,) = read_dataset("pack", tmp_path / "pack").records
    assert (record.label, record.findings) == ("tuberculosis", ("effusion", "tuberculosis"))


def test_a_film_that_was_mended_is_decoded_anew(tmp_path):
    """The cache of decoded films goes by names and by what a pack says of its pictures."""
    folder = layouts.local(tmp_path / "local")
    recipe = FilmRecipe("square-area-v1", 16)
    decoded = []
    for name in ("before", "after"):
        pack = tmp_path / name
        assert run("pack", pack, f"local={folder}") == 0
        decoded.append(decode_films(pack, pack_films(pack), recipe, tmp_path / "cache").inputs)
        layouts.picture(folder / "b.png", 99)
    assert np.array_equal(decoded[0][0], decoded[1][0])
    assert not np.array_equal(decoded[0][1], decoded[1][1])


def test_a_folder_that_holds_something_is_left_alone(tmp_path, capsys):
    """Two packs never mix; the first stays as it was."""
    pack, folder = packed(tmp_path, "local")
    written = (pack / "manifest.csv").read_bytes()
    assert run("pack", pack, f"local={folder}") == 1
    assert "is not empty" in capsys.readouterr().err
    assert (pack / "manifest.csv").read_bytes() == written


@pytest.mark.parametrize("named", [["local"], ["local=a", "local=b"]])
def test_each_data_set_is_named_once_with_its_folder(named, tmp_path, capsys):
    """Two folders of one layout would overwrite each other's films."""
    assert run("pack", tmp_path / "pack", *named) == 1
    assert "LAYOUT=FOLDER" in capsys.readouterr().err
    assert not (tmp_path / "pack").exists()


def test_an_interrupted_pack_is_not_taken_for_one(tmp_path):
    """The manifest is written last: without it there is no pack."""
    folder = layouts.local(tmp_path / "local")
    whole = (folder / "c.png").read_bytes()
    (folder / "c.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(OSError, match="truncated"):
        run("pack", tmp_path / "pack", f"local={folder}")
    assert not (tmp_path / "pack" / "manifest.csv").exists()
    shutil.rmtree(tmp_path / "pack")
    (folder / "c.png").write_bytes(whole)
    assert run("pack", tmp_path / "pack", f"local={folder}") == 0
