"""The data report says what is in a pack, shows only what may be shown, and is the same twice."""

from __future__ import annotations

import argparse
import csv
import hashlib
import json

import numpy as np
import pytest
from PIL import Image

from hilum_training import data_commands
from hilum_training.data_report.confounding import class_by_source, source_by_histogram
from hilum_training.data_report.document import crossed, table
from hilum_training.data_report.report import write_report
from hilum_training.data_report.sheets import COLUMNS, Shown, write_sheet
from hilum_training.data_report.survey import standardised
from hilum_training.films.readers.record import FilmRecord, Mask
from hilum_training.films.readers.registry import read_dataset
from tests.unit.training.film_folders import texture

COLUMN_NAMES = [
    "file",
    "source",
    "group_id",
    "view",
    "labels",
    "normalised_label",
    "licence",
    "licence_flags",
    "split",
    "age",
    "sex",
    "age_group",
    "native_w",
    "native_h",
    "variant_of",
    "url",
]
FILES = {
    "README.md",
    "data.json",
    "counts.svg",
    "sizes.svg",
    "intensity.svg",
    "people.svg",
    "examples.jpg",
    "masks.jpg",
}


def row(file, source, label, **more: str):
    group = more.pop("group_id", file.rpartition("/")[2].partition(".")[0])
    values = {
        "file": file,
        "source": source,
        "group_id": f"{source}-{group}",
        "view": "AP",
        "labels": label,
        "normalised_label": label,
        "licence": "CC BY 4.0",
        **more,
    }
    return [values.get(name, "") for name in COLUMN_NAMES]


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    """Two sources; one copy, one mask, a film that may not be shown."""
    folder = tmp_path_factory.mktemp("pack")
    rows = [
        row(f"images/kermany/k{i}.png", "kermany", "normal" if i % 2 else "pneumonia_viral")
        for i in range(8)
    ]
    rows.append(
        row(
            "images/kermany_native/k0.png",
            "kermany_native",
            "pneumonia_viral",
            variant_of="images/kermany/k0.png",
            group_id="k0",
            native_w="1200",
            native_h="800",
        )
    )
    rows += [
        row(
            f"images/nih14/n{i}.png",
            "nih14",
            "other:mass" if i else "normal",
            view="PA",
            age=str(20 * i + 5),
            sex="F",
            licence_flags="NC,SA" if i == 1 else "",
        )
        for i in range(4)
    ]
    for seed, values in enumerate(rows):
        path = folder / values[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(texture(seed, 60, 80)).save(path)
    with (folder / "manifest.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([COLUMN_NAMES, *rows])
    mask = np.zeros((60, 80), dtype=np.uint8)
    mask[20:40, 10:70] = 255
    (folder / "masks").mkdir()
    Image.fromarray(mask).save(folder / "masks" / "k0.png")
    (folder / "masks.csv").write_text(
        "file,mask,kind,convention,annotator,licence\n"
        "images/kermany_native/k0.png,masks/k0.png,lungs,INCLUDING,V7,CC BY 4.0\n",
        encoding="utf-8",
    )
    return folder


@pytest.fixture(scope="module")
def report(pack, tmp_path_factory):
    return write_report(pack, tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def facts(report):
    return json.loads((report / "data.json").read_text(encoding="utf-8"))


def test_the_command_writes_text_numbers_plots_and_pages(pack, tmp_path, capsys):
    """Text, JSON, four plots and two pages of pictures, in the folder that was asked for."""
    parser = argparse.ArgumentParser()
    data_commands.add_parser(parser.add_subparsers())
    arguments = ["data", "report", "--pack", str(pack), "--out", str(tmp_path / "out")]
    assert data_commands.run(parser.parse_args(arguments)) == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES
    assert str(tmp_path / "out") in capsys.readouterr().out


def test_the_same_pack_gives_the_same_bytes(pack, report, tmp_path):
    """A report in the repository can be checked by writing it again."""
    again = write_report(pack, tmp_path)
    for name in FILES:
        digests = [hashlib.sha256((at / name).read_bytes()).digest() for at in (report, again)]
        assert digests[0] == digests[1], name


def test_counts_add_up_and_a_copy_counts_once(facts):
    """Images are counted with copies, films without."""
    assert facts["films"]["images"] == 13
    assert facts["films"]["films"] == 12
    assert facts["films"]["copies_left_out"] == 1
    assert facts["class_by_source"]["kermany"] == {"normal": 4, "pneumonia_viral": 4}
    assert facts["used_by_source"]["kermany"] == {"normal": 4, "pneumonia_viral": 3}
    assert facts["used_by_source"]["kermany_native"] == {"pneumonia_viral": 1}
    assert sum(sum(found.values()) for found in facts["splits"]["films"].values()) == 12
    assert sum(facts["splits"]["clusters"].values()) == facts["films"]["patient_clusters"]


def test_a_class_with_one_home_is_named_with_it(facts):
    """The trap of these data stands first: a class of one source."""
    assert facts["commonest_source"]["pneumonia_viral"] == {
        "films": 4,
        "source": "kermany",
        "share": 1.0,
    }
    assert facts["confounding"]["commonest_class_of_the_source"] == round((4 + 3) / 12, 4)


def test_ages_sexes_views_sizes_masks_and_licences_are_counted(facts):
    """Each table of the text has its numbers in the JSON."""
    assert facts["ages"]["nih14"] == {"0-9": 1, "20-29": 1, "40-49": 1, "60-69": 1}
    assert facts["sexes"]["nih14"] == {"F": 4}
    assert facts["views"]["nih14"] == {"PA": 4}
    assert facts["sizes"]["kermany_native"]["aspect"] == [1.5] * 5
    assert facts["masks"] == {"kermany_native": {"lungs, INCLUDING": 1}}
    flagged = [line for line in facts["licences"] if line["flags"]]
    assert flagged == [{"source": "nih14", "licence": "CC BY 4.0", "flags": "NC, SA", "films": 1}]


def test_histograms_are_shares_and_standardising_centres_them(facts):
    """Each histogram adds up to one; after standardisation its mean is zero."""
    for source in facts["intensity"]["sources"].values():
        assert sum(source["grey"]) == pytest.approx(1, abs=1e-3)
        assert sum(source["standard"]) == pytest.approx(1, abs=1e-3)
        bins = np.array(facts["intensity"]["standard_bins"])
        centre = np.dot(source["standard"], (bins[1:] + bins[:-1]) / 2)
        assert centre == pytest.approx(0, abs=0.02)


def test_standardising_takes_brightness_and_contrast_out():
    """Two exposures of one film become the same input."""
    film = texture(5)[:, :, np.newaxis]
    brighter = (film // 2 + 100).astype(np.uint8)
    assert standardised(film) == pytest.approx(standardised(brighter), abs=0.05)
    assert not standardised(np.full((4, 4, 1), 90, dtype=np.uint8)).any()


def test_the_text_shows_the_numbers_and_credits_every_film_on_its_pages(report):
    """No film is shown without its licence; one that may not be shown is not named."""
    written = (report / "README.md").read_text(encoding="utf-8")
    assert "13 images are 12 films" in written
    assert "| images/nih14/n2.png | CC BY 4.0 |" in written
    assert "images/nih14/n1.png" not in written
    for name in FILES - {"README.md"}:
        assert f"]({name})" in written


def test_pages_of_pictures_stay_small(report):
    """Pictures in the repository weigh at most 300 KB together."""
    assert sum((report / name).stat().st_size for name in ("examples.jpg", "masks.jpg")) < 300_000


def test_a_mask_is_laid_over_the_lungs_and_nowhere_else(tmp_path):
    """On a black film the tint stands inside the mask only."""
    Image.fromarray(np.zeros((100, 100), dtype=np.uint8)).save(tmp_path / "film.png")
    mask = np.zeros((100, 100), dtype=np.uint8)
    mask[:, :50] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    drawn = (Mask("lungs", "mask.png", licence="CC BY 4.0"),)
    record = FilmRecord("film.png", "s", "g", (), "normal", (), "PA", "CC0", masks=drawn)
    write_sheet(tmp_path, [Shown("row", record)], tmp_path / "page.jpg", masks=True)
    page = np.asarray(Image.open(tmp_path / "page.jpg")).astype(int)
    assert page.shape[1] == COLUMNS * 112
    left, right = page[70, 30], page[70, 90]
    assert left[0] > 60 > left[2] + 20
    assert right.max() < 20


def test_sources_with_their_own_grey_levels_are_found_and_others_are_not():
    """Two sources apart are told for certain; two alike no better than by chance."""
    apart = np.repeat(np.eye(2), 40, axis=0)
    alike = np.tile([0.5, 0.5], (80, 1))
    sources = ["a"] * 40 + ["b"] * 40
    clusters = [str(index) for index in range(80)]
    assert source_by_histogram(apart, sources, clusters) == 1
    assert source_by_histogram(alike, sources, clusters) == 0.5
    assert source_by_histogram(apart, sources, ["one"] * 80) is None


def test_what_a_source_gives_away_is_counted(pack):
    """The commonest class of each source, against the commonest of all."""
    films = read_dataset("pack", pack).records
    shares = class_by_source(films)
    assert shares["commonest_class_of_all"] == pytest.approx(5 / 13)
    assert shares["commonest_class_of_the_source"] == pytest.approx((4 + 1 + 3) / 13)


def test_tables_add_up_and_escape_what_would_break_them():
    """A cell with a bar stays one cell."""
    assert table(["a"], [["x|y"]]).splitlines()[-1] == "| x\\|y |"
    last = crossed("s", {"one": {"p": 1}, "two": {"p": 2, "q": 3}}).splitlines()[-1]
    assert last == "| all | 3 | 3 | 6 |"
