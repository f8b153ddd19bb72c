"""Each published layout is read into the same record."""

from __future__ import annotations

import pytest

from hilum_training.films.readers import vocabulary
from hilum_training.films.readers.record import Box
from hilum_training.films.readers.registry import LAYOUTS, read_dataset
from tests.unit.training.readers import layouts

MAKERS = {name: getattr(layouts, name) for name in LAYOUTS}


def read(layout, folder):
    """Records by the last part of their name, and what was left out."""
    reading = read_dataset(layout, MAKERS[layout](folder))
    return {record.file.rpartition("/")[2]: record for record in reading.records}, reading.left_out


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_record_names_a_picture_that_is_there(layout, tmp_path):
    """Files, and masks, are relative to the folder that the caller named."""
    films, _ = read(layout, tmp_path)
    assert films
    for record in films.values():
        assert (tmp_path / record.file).is_file()
        assert all((tmp_path / mask.file).is_file() for mask in record.masks)
        assert record.group
        assert record.source


@pytest.mark.parametrize("layout", LAYOUTS)
def test_reading_twice_gives_the_same_records(layout, tmp_path):
    """No order of a folder's listing shows in what is read."""
    folder = MAKERS[layout](tmp_path)
    assert read_dataset(layout, folder) == read_dataset(layout, folder)


@pytest.mark.parametrize("layout", ["kermany", "montgomery", "shenzhen", "tbx11k"])
def test_the_archives_top_folder_may_be_named_as_well(layout, tmp_path):
    """Whether the user names the layout's root or its parent, the same films are read."""
    outer = MAKERS[layout](tmp_path)
    (top,) = outer.iterdir()
    assert len(read_dataset(layout, top).records) == len(read_dataset(layout, outer).records)


def test_nih14_gives_findings_patients_boxes_and_the_published_split(tmp_path):
    """The table's row, the box list and the split lists meet in one record."""
    films, _ = read("nih14", tmp_path)
    first = films["00000001_000.png"]
    assert (first.group, first.study) == ("nih-00001", "nih-00001-0")
    assert first.label == "other:cardiomegaly"
    assert first.boxes == (Box("Cardiomegaly", 68.5, 247.9, 614.5, 505.7),)
    assert (first.view, first.age, first.sex) == ("PA", 57, "M")
    assert (first.split, first.native_size) == ("train_val", (2682, 2749))
    second = films["00000001_001.png"]
    assert second.group == first.group
    assert second.findings == ("cardiomegaly", "pleural_thickening")
    assert second.labels == ("Cardiomegaly", "Pleural_Thickening")
    last = films["00000002_000.png"]
    assert (last.label, last.findings, last.split) == ("normal", (), "test")


def test_an_impossible_age_counts_as_unknown(tmp_path):
    """ChestX-ray14 has patients of 412 years; nobody is sorted into an age group by that."""
    films, _ = read("nih14", tmp_path)
    assert films["00000002_000.png"].age is None


def test_nih14s_first_release_is_read_as_well(tmp_path):
    """It says gender for sex and 057Y for an age, under another table name."""
    layouts.nih14(tmp_path)
    table = tmp_path / "Data_Entry_2017_v2020.csv"
    content = table.read_text().replace("Patient Sex", "Patient Gender").replace(",57,", ",057Y,")
    (tmp_path / "Data_Entry_2017.csv").write_text(content)
    table.unlink()
    first = read_dataset("nih14", tmp_path).records[0]
    assert (first.age, first.sex) == (57, "M")


def test_a_part_of_nih14_is_read_only_when_said_to_be_one(tmp_path):
    """Films of archives that were not downloaded are counted, not invented."""
    layouts.nih14(tmp_path)
    (tmp_path / "images_002" / "images" / "00000002_000.png").unlink()
    reading = read_dataset("nih14", tmp_path, partial=True)
    assert len(reading.records) == 2
    assert reading.left_out == {"file not there": 1}


def test_kermany_tells_kind_group_and_split_from_the_names(tmp_path):
    """Bacterial or viral, and the child, stand in the name only."""
    films, _ = read("kermany", tmp_path)
    assert films["person7_bacteria_24.jpeg"].label == "pneumonia_bacterial"
    assert films["person7_bacteria_24.jpeg"].labels == ("PNEUMONIA", "bacteria")
    assert films["person1_virus_6.jpeg"].label == "pneumonia_viral"
    assert films["IM-0001-0001.jpeg"].label == "normal"
    groups = {name: record.group for name, record in films.items()}
    assert groups["person7_bacteria_24.jpeg"] == groups["person7_bacteria_25.jpeg"]
    assert groups["NORMAL2-IM-0818-0001-0002.jpeg"] == "kermany-NORMAL2-IM-0818"
    assert films["person1946_bacteria_4874.jpeg"].split == "val"
    assert {record.view for record in films.values()} == {"AP"}
    assert {record.licence for record in films.values()} == {"CC BY 4.0"}


def test_kermanys_third_release_is_read_as_well(tmp_path):
    """It has no val, and puts the kind in front of the number."""
    for index, name in enumerate(
        (
            "train/NORMAL/NORMAL-28501-0001.jpeg",
            "train/PNEUMONIA/BACTERIA-1008087-0001.jpeg",
            "test/NORMAL/NORMAL-1003233-0001.jpeg",
            "test/PNEUMONIA/VIRUS-1980593-0001.jpeg",
        )
    ):
        layouts.picture(tmp_path / name, index)
    records = read_dataset("kermany", tmp_path).records
    assert [(record.label, record.group) for record in records] == [
        ("normal", "kermany-NORMAL-28501"),
        ("pneumonia_bacterial", "kermany-BACTERIA-1008087"),
        ("normal", "kermany-NORMAL-1003233"),
        ("pneumonia_viral", "kermany-VIRUS-1980593"),
    ]


def test_covid_radiography_reads_folders_and_masks_not_the_tables(tmp_path):
    """The folder is the class; a mask drawn by a network is marked as such."""
    films, _ = read("covid_radiography", tmp_path)
    assert {name: record.label for name, record in films.items()} == {
        "COVID-1.png": "covid19",
        "Lung_Opacity-1.png": "other:lung_opacity",
        "Normal-1.png": "normal",
        "Viral Pneumonia-1.png": "pneumonia_viral",
    }
    (drawn,) = films["Viral Pneumonia-1.png"].masks
    assert (drawn.kind, drawn.annotator) == ("lungs", "a network")
    assert vocabulary.UNVERIFIED in films["COVID-1.png"].licence_flags


def test_shenzhens_readings_are_read_with_their_spellings(tmp_path):
    """Sex and age come from a line that was typed by hand."""
    films, _ = read("shenzhen", tmp_path)
    assert [(r.label, r.sex, r.age) for r in films.values()] == [
        ("normal", "M", 45),
        ("normal", "F", 1.33),
        ("tuberculosis", "F", 28),
    ]
    ill = films["CHNCXR_0330_1.png"]
    assert ill.labels == ("1", "right PTB in the upper field")
    assert ill.group == "shenzhen-0330"
    assert [mask.licence for mask in ill.masks] == ["CC BY-NC-SA 4.0"]
    assert films["CHNCXR_0001_0.png"].masks == ()


def test_montgomery_gives_both_lungs_of_each_film(tmp_path):
    """The reading's lines beside sex and age are kept, the masks named by the set's sides."""
    films, _ = read("montgomery", tmp_path)
    ill = films["MCUCXR_0104_1.png"]
    assert (ill.label, ill.sex, ill.age) == ("tuberculosis", "M", 40)
    assert ill.labels == ("1", "a cavity; in the apex")
    assert [mask.kind for mask in ill.masks] == ["left_lung", "right_lung"]


def test_tbx11k_gives_boxes_splits_and_the_groups_of_the_sets_it_borrows_from(tmp_path):
    """A Montgomery film in ``extra`` has the patient group that it has in Montgomery."""
    films, left_out = read("tbx11k", tmp_path)
    active = films["tb0003.png"]
    assert (active.label, active.split) == ("tuberculosis", "train")
    assert active.findings == (
        "active_tuberculosis",
        "obsolete_pulmonary_tuberculosis",
        "tuberculosis",
    )
    assert active.boxes[1] == Box("ObsoletePulmonaryTuberculosis", 20.5, 5, 6, 7)
    assert films["s0001.png"].label == "other:abnormal_not_tuberculosis"
    assert films["h0001.png"].label == "normal"
    borrowed = films["MCUCXR_0104_1.png"]
    own, _ = read("montgomery", tmp_path / "montgomery")
    assert borrowed.group == own["MCUCXR_0104_1.png"].group
    assert (borrowed.source, borrowed.split) == ("montgomery", "val")
    assert (films["px12.jpg"].label, films["n004.jpg"].label) == ("tuberculosis", "normal")
    assert {"NC", "SA"} == set(active.licence_flags)
    assert left_out == {"test film, answer not published": 1}


def test_covid_chestxray_keeps_each_films_licence_and_leaves_out_what_is_no_film(tmp_path):
    """CT and undecided rows are counted; a licence is flagged by what it forbids."""
    films, left_out = read("covid_chestxray", tmp_path)
    assert {name: record.licence_flags for name, record in films.items()} == {
        "a.jpeg": ("NC", "SA"),
        "b.jpg": ("SA",),
        "c.png": (vocabulary.NO_LICENCE_TEXT,),
        "d.png": (),
    }
    assert {name: record.label for name, record in films.items()} == {
        "a.jpeg": "covid19",
        "b.jpg": "covid19",
        "c.png": "pneumonia_bacterial",
        "d.png": "normal",
    }
    assert films["b.jpg"].findings == ("ards", "covid19")
    assert films["a.jpeg"].group == films["b.jpg"].group == "cohen-2"
    assert films["a.jpeg"].boxes == (Box("Left Lung", 22, 3, 15, 25),)
    assert [mask.annotator for mask in films["a.jpeg"].masks] == ["lungVAE, a network"]
    assert films["c.png"].view == "L"
    assert left_out == {"CT": 1, "no finding recorded": 1}


def test_the_packs_table_masks_and_boxes_meet_in_one_record(tmp_path):
    """A copy names the film that it copies; native size and flags are kept."""
    reading = read_dataset("pack", layouts.pack(tmp_path))
    small, native, adult = reading.records
    assert native.variant_of == small.file
    assert native.native_size == (1200, 900)
    assert [mask.file for mask in native.masks] == ["masks/kermany_native/a_lungs.png"]
    assert adult.findings == ("effusion", "infiltration")
    assert adult.licence_flags == (vocabulary.NO_LICENCE_TEXT, "SA")
    assert (adult.age, adult.sex, adult.age_group) == (16, "F", "paediatric")
    assert adult.boxes == (Box("Effusion", 1.5, 2, 10, 20.5),)
