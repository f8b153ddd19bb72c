"""Where the commands end when what they are given cannot be meant."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from hilum_training.recipe_checks import ARCHITECTURES

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
pytest.importorskip("tensorflow", reason="needs the training environment: make test-training")

from hilum_training import __main__ as training
from hilum_training import command_line
from hilum_training.evaluation import mask_shares, rivals, shifts
from hilum_training.network import TRUNKS


@pytest.mark.parametrize("module", [shifts, rivals, mask_shares])
def test_a_missing_pack_ends_every_command_with_a_sentence(module, tmp_path, monkeypatch, capsys):
    """Exit code 2 and the variable to set, as for the other commands."""
    monkeypatch.setenv("HILUM_CXR_DIR", str(tmp_path))
    assert module.main(["--runs", str(tmp_path)]) == 2
    assert capsys.readouterr().err.splitlines() == [
        f"no film pack in {tmp_path} (set HILUM_CXR_DIR)"
    ]


@pytest.mark.parametrize("module", [shifts, rivals])
def test_a_broken_file_ends_a_comparison_with_its_name_and_line(
    module, tmp_path, monkeypatch, capsys
):
    """Before anything is trained."""
    folder = tmp_path / "recipes" / module.__name__.rpartition(".")[2]
    folder.mkdir(parents=True)
    (folder / "mine.toml").write_text('about = ""\nepochs = \n', encoding="utf-8")
    monkeypatch.setattr(module, "TRAINING", tmp_path)
    assert module.main(["mine", "--runs", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert "mine.toml" in told
    assert "line 2" in told
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "gate", "--epochs", "0"],
        ["train", "gate", "--limit", "-5"],
        ["evaluate", "gate", "--epochs", "one"],
        ["tune", "chest", "--trials", "0"],
        ["tune", "chest", "--size", "0"],
        ["baselines", "--limit", "0"],
    ],
)
def test_a_number_that_cannot_be_meant_is_refused(arguments, capsys):
    """Nought epochs would be a run that trains nothing and looks finished."""
    with pytest.raises(SystemExit) as ended:
        training.main(arguments)
    assert ended.value.code == 2
    assert "not a whole number, 1 or more" in capsys.readouterr().err


def test_the_recipe_that_a_panel_was_found_in_is_told(tmp_path, monkeypatch, capsys):
    """Whoever has several sees which one runs."""
    monkeypatch.setenv("HILUM_CXR_DIR", str(tmp_path))
    assert training.main(["train", "tuberculosis", "--runs", str(tmp_path)]) == 2
    first = capsys.readouterr().err.splitlines()[0]
    assert first.startswith("tuberculosis is a panel of ")
    assert first.endswith("recipes/chest.toml")


@pytest.mark.parametrize("command", [["train", "chest"], ["evaluate", "lungs"], ["baselines"]])
def test_a_missing_pack_is_told_before_tensorflow_is_loaded(command, tmp_path):
    """Loading takes seconds, and minutes on a busy machine."""
    program = (
        "import sys; from hilum_training.__main__ import main; "
        f"code = main({[*command, '--runs', str(tmp_path)]!r}); "
        "sys.exit(10 if 'tensorflow' in sys.modules else code)"
    )
    told = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "HILUM_CXR_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (told.returncode, told.stderr.count("\n")) == (2, 1)
    assert "HILUM_CXR_DIR" in told.stderr


def test_every_error_that_a_person_can_put_right_is_told(capsys):
    """With code 2; any other error is a fault of the program and keeps its traceback."""

    def stop(error):
        raise error

    for kind in command_line.TOLD:
        assert command_line.run_told(lambda kind=kind: stop(kind("so it is"))) == 2
        assert capsys.readouterr().err == "so it is\n"
    with pytest.raises(ZeroDivisionError):
        command_line.run_told(lambda: 1 // 0)
    assert command_line.run_told(lambda: 1 // 0, (ZeroDivisionError,)) == 2
    assert command_line.run_told(lambda: None) == 0


def test_recipes_are_checked_against_the_trunks_that_there_are():
    """Their names stand where TensorFlow need not be loaded."""
    assert set(ARCHITECTURES) == set(TRUNKS)
