"""``hilum thresholds``: fitted on films of the site, shown, and set when told to."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from hilum.imaging.png_writer import encode_png
from tests.unit.cli.test_models import grey_repository, run

__all__ = ["grey_repository", "run"]

PER_CLASS = 24


@pytest.fixture(scope="session")
def film_folder(tmp_path_factory):
    """PNG films; those of odd number are mostly brighter above, which is normal to the greys."""
    folder = tmp_path_factory.mktemp("films")
    for number in range(2 * PER_CLASS):
        pixels = np.random.default_rng(number).integers(20, 60, (128, 128)).astype(np.uint8)
        pixels[:32] += np.uint8(60 + 50 * (number % 2) + 30 * np.sin(number))
        (folder / f"{number}.png").write_bytes(encode_png(pixels))
    (folder / "white.png").write_bytes(encode_png(np.full((128, 128), 250, np.uint8)))
    return folder


@pytest.fixture
def films(film_folder):
    """A CSV of all films, two of each patient."""
    lines = ["file,patient,pneumonia.normal,remark"]
    for number in range(2 * PER_CLASS):
        patient = f"{number % 2}-{number // 2}"
        lines.append(f"{film_folder}/{number}.png,{patient},{number % 2},x")
    lines.append(f"{film_folder}/white.png,w,0,x")
    path = Path("films.csv")
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def fit(run, films, *more: object):
    return run("thresholds", "fit", films, "--site", "north", *more)


def test_a_fit_shows_thresholds_with_intervals_and_changes_nothing(run, films):
    """What stood aside is told on stderr, so that the table can be piped."""
    ended = fit(run, films, "--sensitivity", "0.9")
    assert ended.exit_code == 0, ended.output
    header, row, *rest = ended.stdout.splitlines()
    assert header.split()[:3] == ["panel", "label", "threshold"]
    assert row.split()[:2] == ["pneumonia", "normal"]
    assert row.split()[-3:] == ["48", "24", "48"]
    assert "not for diagnosis" in rest[0]
    assert "Nothing was changed" in rest[1]
    assert "columns left alone: remark" in ended.stderr
    assert "left out" in ended.stderr
    assert "white.png: not read: stopped at the gate" in ended.stderr
    assert run("thresholds", "list", "--site", "north").stdout.count("\n") == 1


def test_a_saved_fit_is_in_force_once_the_site_promotes_the_version(run, films):
    """It says what is left to do; then the site reads at it, and shows how it was found."""
    saved = fit(run, films, "--sensitivity", "0.9", "--save")
    assert saved.exit_code == 0, saved.output
    assert "hilum models promote chest 1.1.0 --site north" in saved.stdout
    run("thresholds", "adopt-defaults", "chest", "1.1.0", "--site", "north")
    run("models", "promote", "chest", "1.1.0", "--site", "north")
    assert fit(run, films, "--sensitivity", "0.95", "--save").stdout.endswith("In force.\n")
    shown = run("thresholds", "show", "pneumonia", "normal", "--site", "north").stdout
    for part in ("fitted", "operator:", "sensitivity of 0.95", "csv sha256", "48 films"):
        assert part in shown
    listed = run("thresholds", "list", "--site", "north").stdout
    assert listed.count(" fitted ") == 1
    assert listed.count(" shipped ") == 22
    other = run("thresholds", "show", "pneumonia", "covid19", "--site", "south").stdout
    assert "default" in other.splitlines()[1]


def test_a_fit_is_drawn(run, films):
    """As SVG, with the name of what was fitted."""
    ended = fit(run, films, "--specificity", "0.9", "--label", "normal", "--plot", "fit.svg")
    assert ended.exit_code == 0, ended.output
    picture = ET.parse("fit.svg")  # noqa: S314 - our own
    words = " ".join(node.text or "" for node in picture.iter())
    assert "chest 1.1.0 at site north: specificity 0.9" in words
    assert "pneumonia / normal" in words


def test_a_label_that_the_model_does_not_tell_apart_is_named(run, film_folder):
    """A wanted sensitivity can always be had; that nothing is gained by it is said."""
    lines = [f"{film_folder}/{n}.png,{n // 2 % 2}" for n in range(2 * PER_CLASS)]
    Path("coin.csv").write_text("\n".join(["file,infection.infected", *lines]), encoding="utf-8")
    ended = fit(run, "coin.csv", "--sensitivity", "0.9")
    assert ended.exit_code == 0, ended.output
    assert "no better than chance on these films: infection/infected" in ended.stderr


def test_a_version_that_is_not_in_force_can_be_fitted(run, films):
    """Which is what has to be done before it is promoted."""
    ended = fit(run, films, "--sensitivity", "0.9", "--version", "1.0.0", "--save")
    assert "1 operating points of chest 1.0.0" in ended.stdout
    assert "hilum models promote chest 1.0.0 --site north" in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "one of --sensitivity and --specificity"),
        (("--sensitivity", "0.9", "--specificity", "0.9"), 2, "one of"),
        (("--sensitivity", "1"), 1, "invalid_request"),
        (("--sensitivity", "0.99"), 1, "too_few_films: pneumonia/normal: the label is true"),
        (("--sensitivity", "0.9", "--label", "covid19"), 1, "too_few_films: no film tells"),
        (("--sensitivity", "0.9", "--panel", "ribs"), 1, "no installed model"),
        (("--sensitivity", "0.9", "--version", "9.9.9"), 1, "no installed model"),
        (("--sensitivity", "0.9", "--panel", "lungs"), 1, "no installed model"),
        (("--sensitivity", "0.9", "--panel", "gate"), 1, "tells the truth"),
        (("--sensitivity", "0.9", "--plot", "no/folder.svg"), 1, "cannot be written"),
    ],
)
def test_what_cannot_be_fitted_is_refused(run, films, arguments, code, said):
    """With a sentence; nothing is saved."""
    ended = fit(run, films, *arguments, "--save")
    assert ended.exit_code == code, ended.output
    assert said in ended.stderr
    assert run("thresholds", "list", "--site", "north").stdout.count("\n") == 1


def test_a_file_of_several_models_asks_which(run, film_folder):
    """The gate's truth and the chest's may stand in one file."""
    Path("both.csv").write_text(f"file,gate.frontal,infection\n{film_folder}/1.png,1,normal\n")
    ended = fit(run, "both.csv", "--sensitivity", "0.9")
    assert ended.exit_code == 2
    assert "name one with --model" in ended.stderr
    ended = fit(run, "both.csv", "--sensitivity", "0.9", "--model", "gate")
    assert "too_few_films" in ended.stderr


def test_a_film_that_is_not_there_ends_it(run):
    """A path that is misspelt is no film that was left out."""
    Path("films.csv").write_text("file,infection\ngone.png,normal\n", encoding="utf-8")
    ended = fit(run, "films.csv", "--sensitivity", "0.9")
    assert ended.exit_code == 1
    assert "gone.png cannot be read" in ended.stderr
