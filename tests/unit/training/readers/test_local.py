"""A hospital's own table of films."""

from __future__ import annotations

import pytest

from hilum_training.films.readers.errors import ColumnMissing, FileMissing, RowUnreadable
from hilum_training.films.readers.registry import read_dataset
from tests.unit.training.readers import layouts


def read(folder, table=None):
    return read_dataset("local", layouts.local(folder, table)).records


def test_one_word_for_each_film_is_enough(tmp_path):
    """File, patient, view, age, sex and a label make a record."""
    first, second, third = read(tmp_path)
    assert (first.label, first.view, first.age, first.sex) == ("tuberculosis", "PA", 61, "F")
    assert first.group == second.group
    assert first.group != third.group
    assert (third.age, third.sex) == (None, "")
    assert {record.source for record in (first, second, third)} == {"local"}


def test_findings_may_stand_in_one_column(tmp_path):
    """A blank is no finding there; several make one label for single-label panels."""
    one, two, none = read(
        tmp_path,
        "file,patient,view,age,sex,findings\n"
        "a.png,P1,PA,,,Effusion\nb.png,P2,PA,,,Mass|Effusion\nc.png,P3,PA,,,\n",
    )
    assert one.label == "other:effusion"
    assert (two.label, two.findings) == ("other:effusion|mass", ("effusion", "mass"))
    assert (none.label, none.findings) == ("normal", ())


def test_findings_may_have_a_column_each(tmp_path):
    """1 is a finding, 0 is none; a row that says neither stays without a label."""
    first, second, third = read(
        tmp_path,
        "file,patient,view,age,sex,Tuberculosis,Effusion\n"
        "a.png,P1,PA,,,1,1\nb.png,P2,PA,,,0,0\nc.png,P3,PA,,,,\n",
    )
    assert first.label == "tuberculosis"
    assert first.findings == ("effusion", "tuberculosis")
    assert second.label == "normal"
    assert third.label == ""


def test_a_spreadsheets_byte_order_mark_and_blanks_do_not_matter(tmp_path):
    """Excel writes the mark; people write blanks around names."""
    table = "\ufefffile , Patient,VIEW,age,sex,label\na.png, P1 ,pa,61,female,normal\n\n"
    (record,) = read(tmp_path, table)
    assert (record.group, record.view, record.sex) == ("local-P1", "PA", "F")


def test_one_patient_on_two_devices_is_one_patient(tmp_path):
    """Sources are balanced and reported apart; a patient is never divided by them."""
    first, second = read(
        tmp_path,
        "file,patient,view,age,sex,label,source\n"
        "a.png,P1,PA,,,normal,ward\nb.png,P1,PA,,,normal,clinic\n",
    )
    assert first.source != second.source
    assert first.group == second.group


@pytest.mark.parametrize("column", ["file", "patient", "view", "age", "sex", "label"])
def test_a_missing_column_is_named(column, tmp_path):
    """The error says which file lacks which column."""
    header = ["file", "patient", "view", "age", "sex", "label"]
    header.remove(column)
    with pytest.raises(ColumnMissing, match=f"films.csv has no column '{column}'") as raised:
        read(tmp_path, ",".join(header) + "\n" + ",".join("1" for _ in header) + "\n")
    assert raised.value.column == column


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("a.png,,PA,,,normal,,", "no patient"),
        ("a.dcm,P1,PA,,,normal,,", "neither PNG nor JPEG"),
        (",P1,PA,,,normal,,", "a blank file"),
        ("a.png,P1,PA,,,normal,holdout,", "is none of train, val, test"),
        ("a.png,P1,PA,,,normal,,maybe", "neither 0 nor 1"),
        ("a.png,P1,PA,,,normal,,1", "label 'normal' beside cavity"),
        ("a.png,P1,PA,,,normal,,,surplus", "more values than columns"),
    ],
)
def test_a_row_that_cannot_be_meant_is_named_by_its_line(row, why, tmp_path):
    """A wrong row is an error with its line, never a film with a guess in it."""
    header = "file,patient,view,age,sex,label,split,cavity"
    good = "b.png,P2,PA,,,normal,,"
    with pytest.raises(RowUnreadable, match=f"line 3.*{why}|line 3: .*{why}") as raised:
        read(tmp_path, f"{header}\n{good}\n{row}\n")
    assert raised.value.line == 3


def test_a_picture_that_is_not_there_is_named(tmp_path):
    """The table's row alone is no film."""
    table = "file,patient,view,age,sex,label\ngone.png,P1,PA,,,normal\n"
    with pytest.raises(FileMissing, match=r"gone\.png is missing") as raised:
        read(tmp_path, table)
    assert raised.value.path == tmp_path / "gone.png"
