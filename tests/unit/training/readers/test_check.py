"""``data check`` says what a folder holds, and what would spoil a run."""

from __future__ import annotations

import argparse

import numpy as np
import pytest
from PIL import Image

from hilum_training import data_commands
from hilum_training.films.readers.check import check_dataset
from hilum_training.films.readers.registry import LAYOUTS, read_dataset
from tests.unit.training.readers import layouts


def run(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    data_commands.add_parser(parser.add_subparsers())
    return data_commands.run(parser.parse_args(["data", *(str(item) for item in arguments)]))


def checked(folder, table=None):
    layouts.local(folder, table)
    return check_dataset(read_dataset("local", folder), folder)


def test_a_good_folder_is_counted_and_passes(tmp_path, capsys):
    """The command ends with 0 and shows films, patients and labels."""
    assert run("check", "local", layouts.local(tmp_path)) == 0
    shown = capsys.readouterr().out
    assert "3 films of 2 patients" in shown
    assert "normal 1, tuberculosis 2" in shown
    assert shown.endswith("fit for training\n")


def test_a_folder_that_cannot_be_read_fails_with_the_reason(tmp_path, capsys):
    """The error of the reader is what the user sees."""
    layouts.local(tmp_path)
    (tmp_path / "b.png").unlink()
    assert run("check", "local", tmp_path) == 1
    assert "b.png is missing" in capsys.readouterr().err


def test_a_part_of_a_data_set_is_checked_when_said_to_be_one(tmp_path, capsys):
    """What is not there is shown as left out."""
    layouts.nih14(tmp_path)
    (tmp_path / "images_001" / "images" / "00000001_001.png").unlink()
    assert run("check", "nih14", tmp_path, "--partial") == 0
    assert "file not there: 1" in capsys.readouterr().out


def test_layouts_are_listed(capsys):
    """Every name that ``check`` takes is shown."""
    assert run("layouts") == 0
    shown = capsys.readouterr().out
    assert [line.split()[0] for line in shown.splitlines()] == list(LAYOUTS)


def test_a_picture_that_cannot_be_opened_is_a_problem(tmp_path):
    """A half download would stop the training an hour later."""
    layouts.local(tmp_path)
    whole = (tmp_path / "b.png").read_bytes()
    (tmp_path / "b.png").write_bytes(whole[: len(whole) // 2])
    check = check_dataset(read_dataset("local", tmp_path), tmp_path)
    assert len(check.problems) == 1
    assert "b.png" in check.problems[0]


def test_a_picture_of_16_bits_is_a_problem(tmp_path):
    """Its bright half would be cut off without a word."""
    layouts.local(tmp_path)
    deep = np.full((32, 40), 40_000, dtype=np.uint16)
    Image.fromarray(deep).save(tmp_path / "b.png")
    check = check_dataset(read_dataset("local", tmp_path), tmp_path)
    assert check.problems == (
        "1 pictures cannot be read: b.png: pixels of mode I;16, 8 bit wanted",
    )


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (["a.png,P1,PA,,,normal", "b.png,P2,PA,,,normal"], "only one label: normal"),
        (
            ["a.png,P1,PA,,,normal", "a.png,P2,PA,,,tuberculosis"],
            "1 files stand in the table more than once: a.png",
        ),
    ],
)
def test_what_no_training_can_use_is_a_problem(rows, problem, tmp_path):
    """One label is no question, and one film has one row."""
    check = checked(tmp_path, "\n".join(["file,patient,view,age,sex,label", *rows]) + "\n")
    assert check.problems == (problem,)


def test_what_would_flatter_the_figures_is_a_warning(tmp_path):
    """A label from one source, a patient in two published splits, a lateral, few patients."""
    check = checked(
        tmp_path,
        "file,patient,view,age,sex,label,source,split\n"
        "a.png,P1,PA,,,normal,clinic,train\n"
        "b.png,P1,L,,,normal,ward,test\n"
        "c.png,P2,PA,,,tuberculosis,ward,train\n",
    )
    assert check.problems == ()
    shown = "\n".join(check.warnings)
    assert "tuberculosis comes from ward alone" in shown
    assert "normal comes from" not in shown
    assert "1 patients stand in more than one published split (local-P1)" in shown
    assert "views that recipes for frontal films leave out: L" in shown
    assert "tuberculosis: 1 patients" in shown
    assert "3 films have a side under 224 pixels" in shown
