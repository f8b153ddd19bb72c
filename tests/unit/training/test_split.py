"""The split by patient, and the check that fails when something leaks between splits."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hilum_training.films.fingerprint import fingerprint, near_duplicates
from hilum_training.films.pack import PackMissing, pack_films, pack_folder, read_film, wanted
from hilum_training.films.split import LeakageFound, check_leakage, divide, link_films
from hilum_training.recipe import read_recipe
from tests.unit.training.film_folders import FilmFolder, texture

RECIPE = read_recipe(Path(__file__).resolve().parents[3] / "training/recipes/chest.toml")
DATA = RECIPE.data
BITS = DATA.near_duplicate_bits


def opened(folder: Path):
    """Films and fingerprints of a small pack."""
    films = tuple(film for film in pack_films(folder) if wanted(film, DATA))
    return films, [fingerprint(read_film(folder / film.file)) for film in films]


def as_jpeg(pixels: np.ndarray, quality: int) -> np.ndarray:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format="JPEG", quality=quality)
    return np.asarray(Image.open(stream))


def smaller(pixels: np.ndarray) -> np.ndarray:
    height, width = pixels.shape
    return np.asarray(Image.fromarray(pixels).resize((width * 2 // 3, height * 2 // 3)))


@pytest.fixture
def two_films(tmp_path):
    """A pack of two unlike films of two patients."""
    pack = FilmFolder(tmp_path)
    pack.add("a", texture(1), "normal")
    pack.add("b", texture(2), "normal")
    return pack


SPLITS = ("train", "test")


def test_unlike_films_of_two_patients_may_be_divided(two_films):
    """The check does not cry wolf."""
    films, prints = opened(two_films.close())
    check_leakage(films, SPLITS, prints, BITS)


def test_a_patient_in_two_splits_is_leakage(two_films):
    """One group in train and test fails, although the pictures differ."""
    two_films.rows[1]["group_id"] = "a"
    films, prints = opened(two_films.close())
    with pytest.raises(LeakageFound, match="same group"):
        check_leakage(films, SPLITS, prints, BITS)


def test_the_same_pixels_in_two_splits_are_leakage(tmp_path):
    """An exact duplicate under another name and patient is found by its pixels."""
    pack = FilmFolder(tmp_path)
    pack.add("a", texture(1), "normal")
    pack.add("b", texture(1), "pneumonia_viral")
    films, prints = opened(pack.close())
    with pytest.raises(LeakageFound, match="same pixels"):
        check_leakage(films, SPLITS, prints, BITS)


@pytest.mark.parametrize(
    "change",
    [smaller, lambda x: as_jpeg(x, 50), lambda x: (x * 0.8 + 20).astype(np.uint8)],
    ids=["smaller", "jpeg", "other contrast"],
)
def test_a_near_duplicate_in_two_splits_is_leakage(tmp_path, change):
    """A rescaled, recompressed or restretched copy is found by its difference hash."""
    pack = FilmFolder(tmp_path)
    pack.add("a", texture(1), "normal")
    pack.add("b", change(texture(1)), "normal")
    films, prints = opened(pack.close())
    assert prints[0].content != prints[1].content
    with pytest.raises(LeakageFound, match="near duplicate"):
        check_leakage(films, SPLITS, prints, BITS)


def test_a_copy_in_another_split_is_leakage(two_films):
    """A film and the film that it is a variant of belong together, whatever their group says."""
    films, prints = opened(two_films.close())
    films = (films[0], replace(films[1], variant_of=films[0].file))
    with pytest.raises(LeakageFound, match="copy of"):
        check_leakage(films, SPLITS, prints, BITS)


def test_a_film_and_its_higher_resolution_copy_count_once(tmp_path):
    """The copy stands for both, under the source of the original."""
    pack = FilmFolder(tmp_path)
    pack.add("stored", smaller(texture(1)), "normal")
    pack.add(
        "native", texture(1), "normal", source="kermany_native", variant_of="images/stored.png"
    )
    films = pack_films(pack.close())
    assert [(film.file, film.source) for film in films] == [("images/native.png", "kermany")]


def test_laterals_other_sources_and_excluded_licences_are_left_out(tmp_path):
    """Only frontal films of the recipe's sources are used, and none with a flag it excludes."""
    pack = FilmFolder(tmp_path)
    pack.add("lateral", texture(1), "normal", view="L")
    pack.add("elsewhere", texture(2), "normal", source="somewhere")
    pack.add("effusion", texture(3), "other:effusion", source="nih14", licence_flags="NC, SA")
    pack.add("frontal", texture(4), "normal")
    films = pack_films(pack.close())
    free = replace(DATA, exclude_flags=("NC",))
    assert [film.file for film in films if wanted(film, DATA)] == [
        "images/effusion.png",
        "images/frontal.png",
    ]
    assert [film.file for film in films if wanted(film, free)] == ["images/frontal.png"]


def test_ties_join_films_into_clusters_across_one_another(tmp_path):
    """A and b share a patient, b and c share pixels: a, b and c are never divided."""
    pack = FilmFolder(tmp_path)
    pack.add("a", texture(1), "normal", group_id="p")
    pack.add("b", texture(2), "normal", group_id="p")
    pack.add("c", texture(2), "normal")
    pack.add("d", texture(3), "normal")
    films, prints = opened(pack.close())
    clusters = link_films(films, prints, BITS)
    assert clusters[0] == clusters[1] == clusters[2] != clusters[3]


@pytest.fixture
def many_films(tmp_path):
    """Sixty patients of one to three films, two labels, some near-duplicates between patients."""
    pack = FilmFolder(tmp_path)
    for patient in range(60):
        label = ("normal", "pneumonia_bacterial")[patient % 3 == 0]
        for film in range(1 + patient % 3):
            pixels = texture(1000 * patient + film)
            if patient in (7, 8) and film == 0:
                pixels = as_jpeg(texture(5), 60 + patient)
            pack.add(f"{patient}-{film}", pixels, label, group_id=f"p{patient}")
    return opened(pack.close())


def test_the_split_never_divides_a_cluster_and_keeps_the_shares(many_films):
    """Division passes the check, and each label comes near 70 : 10 : 20."""
    films, prints = many_films
    clusters = link_films(films, prints, BITS)
    splits = divide(films, clusters, DATA.fractions, seed=1)
    check_leakage(films, splits, prints, BITS)
    for label in ("normal", "pneumonia_bacterial"):
        counts = Counter(
            split for film, split in zip(films, splits, strict=True) if film.label == label
        )
        total = sum(counts.values())
        shares = [counts[name] / total for name in ("train", "validation", "test")]
        assert shares == pytest.approx(DATA.fractions, abs=0.08)


def test_the_split_does_not_depend_on_the_order_of_films(many_films):
    """The same films in another order fall into the same splits; another seed divides otherwise."""
    films, prints = many_films
    order = np.random.default_rng(0).permutation(len(films))
    shuffled = [films[i] for i in order]

    def split(some, marks, seed):
        clusters = link_films(some, marks, BITS)
        return dict(
            zip([f.file for f in some], divide(some, clusters, DATA.fractions, seed), strict=True)
        )

    first = split(films, prints, 1)
    assert split(shuffled, [prints[i] for i in order], 1) == first
    assert split(films, prints, 2) != first


def test_films_of_a_source_of_its_own_move_nothing(many_films, tmp_path):
    """A hospital's films beside a pack leave each film of the pack in its split."""
    films, prints = many_films
    own = FilmFolder(tmp_path / "own")
    for patient in range(45):
        label = ("normal", "pneumonia_bacterial", "tuberculosis")[patient % 3]
        own.add(f"a{patient}", texture(90_000 + patient), label, source="local")
    pack = pack_films(own.close())
    both = (*pack, *films)
    marks = [*(fingerprint(read_film(tmp_path / "own" / film.file)) for film in pack), *prints]
    alone = divide(films, link_films(films, prints, BITS), DATA.fractions, seed=1)
    beside = divide(both, link_films(both, marks, BITS), DATA.fractions, seed=1)
    assert beside[len(pack) :] == alone
    assert set(beside[: len(pack)]) == {"train", "validation", "test"}


def test_near_duplicates_are_found_across_block_borders():
    """Comparing in blocks finds what comparing all at once finds."""
    prints = [fingerprint(texture(seed % 10)) for seed in range(40)]
    expected = [(a, b) for a in range(40) for b in range(a + 1, 40) if (b - a) % 10 == 0]
    assert sorted(near_duplicates(prints, 0, block=7)) == expected
    assert sorted(near_duplicates(prints, 0, block=100)) == expected


def test_a_missing_pack_says_where_it_was_looked_for(tmp_path, monkeypatch):
    """Without films the error names the variable to set."""
    monkeypatch.setenv("HILUM_CXR_DIR", str(tmp_path))
    with pytest.raises(PackMissing, match="HILUM_CXR_DIR"):
        pack_folder()
