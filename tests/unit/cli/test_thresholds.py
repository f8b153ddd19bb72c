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
        pixels[:32] += np.uint8(40 + 40 * (number % 2) + 12 * np.sin(number))
        pixels[110:119] += np.uint8(6 * (number % 2))  # the band of finding_13
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
    header, row, _, *flagged, notice, nothing = ended.stdout.splitlines()
    assert header.split()[:3] == ["panel", "label", "threshold"]
    assert row.split()[:2] == ["pneumonia", "normal"]
    assert row.split()[-3:] == ["48", "24", "48"]
    assert flagged[0].split()[:2] == ["images", "number"]
    assert flagged[1].split()[:2] == ["normal", "24"]
    assert flagged[2].split()[:2] == ["ill", "24"]
    assert "not for diagnosis" in notice
    assert "Nothing was changed" in nothing
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
    for part in ("fitted", "operator:", "sensitivity of 0.95", "csv sha256", "48 images"):
        assert part in shown
    listed = run("thresholds", "list", "--site", "north").stdout
    assert listed.count(" fitted ") == 1
    assert listed.count(" shipped ") == 20
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


def test_a_label_that_the_model_does_not_tell_apart_is_refused(run, film_folder):
    """A wanted sensitivity can always be had; nothing would be gained by it."""
    lines = [f"{film_folder}/{n}.png,{n // 2 % 2}" for n in range(2 * PER_CLASS)]
    Path("chance.csv").write_text("\n".join(["file,infection.infected", *lines]), encoding="utf-8")
    ended = fit(run, "chance.csv", "--sensitivity", "0.9", "--save")
    assert ended.exit_code == 1
    assert ended.stderr.startswith("Error: label_not_separable: infection/infected: AUROC is 0.")
    assert ended.stdout == ""


@pytest.fixture
def findings(film_folder):
    """A CSV of two sources; every other film shows two findings, one of them experimental."""
    lines = ["file,source,pathology.finding_01,pathology.finding_13"]
    for number in range(2 * PER_CLASS):
        source = "ward" if number < PER_CLASS else "clinic"
        lines.append(f"{film_folder}/{number}.png,{source},{number % 2},{number % 2}")
    path = Path("findings.csv")
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_a_fit_tells_each_source_and_what_is_flagged_there(run, findings):
    """Before anything is saved, at the points as they are and with the fitted ones."""
    ended = fit(run, findings, "--specificity", "0.9", "--label", "finding_01")
    assert ended.exit_code == 0, ended.output
    rows = [line.split() for line in ended.stdout.splitlines()]
    sources = [row for row in rows if row[:2] == ["pathology", "finding_01"] and len(row) > 4]
    named = [row[2] for row in sources if row[2] in {"ward", "clinic"}]
    assert named == ["clinic", "ward"]
    assert ended.stdout.count("(decides)") == 1
    flagged = [row for row in rows if row and row[0].rstrip(",") in {"normal", "ill"}]
    assert [row[:2] for row in flagged[1:3]] == [["normal,", "clinic"], ["normal,", "ward"]]
    assert flagged[0][1] == "24"
    assert "Nothing was changed" in ended.stdout


def test_saving_a_point_of_an_experimental_label_switches_it_on(run, findings):
    """Which is said before and after."""
    ended = fit(run, findings, "--specificity", "0.9", "--label", "finding_13")
    assert ended.exit_code == 0, ended.output
    assert "Experimental: pathology/finding_13. Saving" in ended.stdout
    ended = fit(run, findings, "--specificity", "0.9", "--label", "finding_13", "--save")
    assert "Switched on at site north: pathology/finding_13." in ended.stdout
    assert run("thresholds", "list", "--site", "north").stdout.count(" fitted ") == 1


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
        (("--sensitivity", "0.9", "--beyond-scope"), 1, "no image lies outside the scope"),
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


def test_an_experimental_label_is_switched_on_and_off(run):
    """It says what is left to do; each change is in the audit log."""
    chosen = ("pathology", "finding_13", "--site", "north")
    ended = run("thresholds", "switch-on", *chosen)
    assert ended.exit_code == 0, ended.output
    assert "switched on pathology/finding_13 of chest 1.1.0" in ended.stdout
    assert "hilum models promote chest 1.1.0 --site north" in ended.stdout
    assert "nothing was changed" in run("thresholds", "switch-on", *chosen).stdout
    run("thresholds", "adopt-defaults", "chest", "1.1.0", "--site", "north")
    run("models", "promote", "chest", "1.1.0", "--site", "north")
    shown = run("models", "show", "chest", "--site", "north").stdout
    assert "(off)" not in shown
    off = run("thresholds", "switch-off", *chosen)
    assert off.stdout == "site north: switched off pathology/finding_13 of chest 1.1.0\n"
    assert "(off)" in run("models", "show", "chest", "--site", "north").stdout
    again = run("thresholds", "switch-off", *chosen)
    assert again.stderr.startswith("Error: not_found: site north has no operating point")
    assert run("audit", "verify").exit_code == 0


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        (("pathology", "finding_14"), "no_shipped_point: "),
        (("pathology", "finding_01"), "label_not_experimental: "),
        (("infection",), "label_not_experimental: infection has no experimental label"),
        (("pathology", "finding_99"), "not_found: "),
        (("ribs",), "not_found: "),
    ],
)
def test_what_cannot_be_switched_on_is_refused(run, chosen, said):
    """With its code, exit code 1."""
    ended = run("thresholds", "switch-on", *chosen, "--site", "north")
    assert ended.exit_code == 1
    assert ended.stderr.startswith(f"Error: {said}")
    assert run("thresholds", "switch-on", *chosen).exit_code == 2
