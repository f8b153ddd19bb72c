"""A folder that is not what it is read as says where."""

from __future__ import annotations

import shutil

import pytest

from hilum_training.films.readers.errors import (
    ColumnMissing,
    FileMissing,
    LayoutUnknown,
    NameUnreadable,
    RowUnreadable,
)
from hilum_training.films.readers.registry import LAYOUTS, read_dataset
from tests.unit.training.readers import layouts


def test_an_unknown_layout_is_answered_with_those_there_are(tmp_path):
    """A slip of the keyboard shows the names to choose from."""
    with pytest.raises(LayoutUnknown, match="kermany, local"):
        read_dataset("kermani", tmp_path)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_folder_that_is_not_there_is_named(layout, tmp_path):
    """So is one that is a file."""
    with pytest.raises(FileMissing, match="no such folder"):
        read_dataset(layout, tmp_path / "gone")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_empty_folder_is_no_data_set(layout, tmp_path):
    """No layout reads nothing as something."""
    with pytest.raises(FileMissing):
        read_dataset(layout, tmp_path)


@pytest.mark.parametrize(
    ("layout", "gone"),
    [
        ("nih14", "images_002/images/00000002_000.png"),
        ("kermany", "chest_xray/test/PNEUMONIA"),
        ("covid_radiography", "Normal/images"),
        ("shenzhen", "ChinaSet_AllFiles/ClinicalReadings/CHNCXR_0001_0.txt"),
        ("montgomery", "MontgomerySet/ClinicalReadings/MCUCXR_0104_1.txt"),
        ("montgomery", "MontgomerySet/ManualMask/rightMask/MCUCXR_0001_0.png"),
        ("tbx11k", "TBX11K/imgs/sick"),
        ("tbx11k", "TBX11K/annotations/json"),
        ("tbx11k", "TBX11K/lists"),
        ("covid_chestxray", "images/d.png"),
        ("pack", "images/nih14/b.jpg"),
    ],
)
def test_what_a_layout_must_have_is_missed_by_name(layout, gone, tmp_path):
    """The error names the file or folder, or what stands in it."""
    folder = getattr(layouts, layout)(tmp_path)
    path = folder / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(FileMissing) as raised:
        read_dataset(layout, folder)
    assert path.name in str(raised.value)


@pytest.mark.parametrize(
    ("layout", "table", "column"),
    [
        ("nih14", "Data_Entry_2017_v2020.csv", "Finding Labels"),
        ("nih14", "Data_Entry_2017_v2020.csv", "Patient Sex"),
        ("nih14", "BBox_List_2017.csv", "Finding Label"),
        ("covid_chestxray", "metadata.csv", "license"),
        ("pack", "manifest.csv", "group_id"),
        ("pack", "masks.csv", "kind"),
    ],
)
def test_a_missing_column_is_named_with_its_table(layout, table, column, tmp_path):
    """The error carries the table and the column."""
    folder = getattr(layouts, layout)(tmp_path)
    path = folder / table
    path.write_text(path.read_text(encoding="utf-8").replace(column, "renamed", 1))
    with pytest.raises(ColumnMissing) as raised:
        read_dataset(layout, folder)
    assert raised.value.path == path
    assert raised.value.column == column.lower()


@pytest.mark.parametrize(
    ("layout", "stray"),
    [
        ("kermany", "chest_xray/train/PNEUMONIA/holiday.jpeg"),
        ("kermany", "chest_xray/train/NORMAL/person7_bacteria_26.jpeg"),
        ("shenzhen", "ChinaSet_AllFiles/CXR_png/CHNCXR_0001_2.png"),
        ("montgomery", "MontgomerySet/CXR_png/scan.png"),
        ("tbx11k", "TBX11K/imgs/extra/unknown/x1.png"),
    ],
)
def test_a_picture_whose_name_says_nothing_is_not_guessed_at(layout, stray, tmp_path):
    """Where the name is the label, a name without one is an error."""
    folder = getattr(layouts, layout)(tmp_path)
    layouts.picture(folder / stray, 9)
    with pytest.raises(NameUnreadable, match="names in this layout read like") as raised:
        read_dataset(layout, folder)
    assert raised.value.path == folder / stray


@pytest.mark.parametrize(
    ("layout", "file", "content", "why"),
    [
        ("nih14", "BBox_List_2017.csv", None, "a box is not four numbers"),
        ("shenzhen", "ChinaSet_AllFiles/ClinicalReadings/CHNCXR_0001_0.txt", " \n", "empty"),
        ("tbx11k", "TBX11K/annotations/json/all_trainval.json", "{", "no COCO annotations"),
        ("tbx11k", "TBX11K/annotations/json/all_trainval.json", "{}", "no COCO annotations"),
        ("covid_chestxray", "metadata.csv", "\udcff", "no CSV in UTF-8"),
        ("pack", "boxes.csv", "file,label,x,y,w,h\nimages/nih14/b.jpg,x,1,2,,4\n", "four numbers"),
    ],
)
def test_what_a_file_holds_is_checked(layout, file, content, why, tmp_path):
    """The error names the file, and the line where there is one."""
    folder = getattr(layouts, layout)(tmp_path)
    path = folder / file
    changed = content or path.read_text(encoding="utf-8").replace("614.5", "wide")
    path.write_text(changed, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(RowUnreadable, match=why) as raised:
        read_dataset(layout, folder)
    assert raised.value.path == path


def test_a_patient_id_that_is_no_number_is_named_by_its_line(tmp_path):
    """A table that slipped by one column does not make patients of ages."""
    folder = layouts.nih14(tmp_path)
    table = folder / "Data_Entry_2017_v2020.csv"
    table.write_text(table.read_text(encoding="utf-8").replace(",2,412,", ",M,412,"))
    with pytest.raises(RowUnreadable, match="patient id 'M' is no number") as raised:
        read_dataset("nih14", folder)
    assert raised.value.line == 4
