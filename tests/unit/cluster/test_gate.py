"""The cluster's tests run when what they test is not what they last passed on."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.cluster.gate import RECORD, WATCHED, changed_since_green, main, write_record
from tests.cluster.paths import ROOT


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with one file under each watched path, green as it is."""
    for path in WATCHED:
        file = tmp_path / path if Path(path).suffix else tmp_path / path / "content"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("as it was")
    _git(tmp_path, "init", "--quiet")
    _git(tmp_path, "add", ".")
    write_record(tmp_path)
    return tmp_path


def test_nothing_changed_is_green(checkout: Path) -> None:
    """Right after a green run nothing is to be run, and the record itself changes nothing."""
    _git(checkout, "add", str(RECORD))

    assert changed_since_green(checkout) == []
    assert main(["check"], checkout) == 0


@pytest.mark.parametrize("path", WATCHED)
def test_a_changed_byte_is_a_change_of_its_path(checkout: Path, path: str) -> None:
    """One byte of a tracked file, committed or not, names the path that it lies under."""
    file = checkout / path if Path(path).suffix else checkout / path / "content"
    file.write_text("as it Was")

    assert changed_since_green(checkout) == [path]
    assert main(["check"], checkout) == 1


def test_an_untracked_file_is_no_change(checkout: Path) -> None:
    """What git does not track is no part of what was tested."""
    (checkout / "helm" / "notes.txt").write_text("not yet")

    assert changed_since_green(checkout) == []


def test_what_only_the_nightly_target_runs_is_no_change(checkout: Path) -> None:
    """CI would run the cluster's other tests for nothing."""
    nightly = checkout / "tests" / "cluster" / "keda" / "test_scaling.py"
    nightly.parent.mkdir()
    nightly.touch()
    _git(checkout, "add", str(nightly))

    assert changed_since_green(checkout) == []


def test_a_file_more_or_less_is_a_change(checkout: Path) -> None:
    """A tracked file that is new, and one that is gone, count."""
    (checkout / "hilum" / "more").touch()
    _git(checkout, "add", "hilum/more")
    (checkout / "k8s" / "content").unlink()

    assert changed_since_green(checkout) == ["k8s", "hilum"]


def test_a_program_that_may_not_run_any_more_is_a_change(checkout: Path) -> None:
    """The executable bit is content: an image's entry point needs it."""
    (checkout / "services" / "content").chmod(0o755)

    assert changed_since_green(checkout) == ["services"]


def test_without_a_record_everything_counts_as_changed(checkout: Path) -> None:
    """Nothing was ever green."""
    (checkout / RECORD).unlink()

    assert changed_since_green(checkout) == list(WATCHED)


def test_a_recorded_change_is_green_again(checkout: Path) -> None:
    """Whoever ran the tests on the change records it."""
    (checkout / "helm" / "content").write_text("better")

    assert main(["record"], checkout) == 0
    assert main(["check"], checkout) == 0


def test_every_watched_path_is_there() -> None:
    """A path that was moved would be watched in vain."""
    assert [path for path in WATCHED if not (ROOT / path).exists()] == []


def _git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)
