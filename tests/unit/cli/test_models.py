"""``hilum models``: what is installed, promoted and taken back, on the database itself."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest

from hilum.application.models.manage_models import VersionAtSite
from hilum_cli.model_panels import print_panel
from tests.fakes.model_catalogue import small_chest
from tests.grey_networks import write_grey_repository


@pytest.fixture(scope="session")
def grey_repository(tmp_path_factory):
    """Gate, chest in two versions, and lungs."""
    folder = write_grey_repository(tmp_path_factory.mktemp("grey"))
    install_second_version(folder / "chest")
    return folder


def install_second_version(home):
    """The same network again as version 1.1.0, as training leaves it: the newest on top.

    The last two labels of its findings are experimental, the last one without an operating point.
    """
    first = json.loads((home / "manifest.json").read_text(encoding="utf-8"))
    (home / "1" / "manifest.json").write_text(json.dumps(first), encoding="utf-8")
    shutil.copyfile(home / "MODEL_CARD.md", home / "1" / "MODEL_CARD.md")
    (home / "MODEL_CARD.md").write_text("# chest 1.1.0\n", encoding="utf-8")
    (home / "2").mkdir()
    for artefact in first["artefacts"]:
        new = artefact["path"].replace("1/", "2/")
        shutil.copyfile(home / artefact["path"], home / new)
        artefact["path"] = new
    rank_findings(first["panels"])
    second = {**first, "version": "1.1.0", "serving_version": 2, "onnx": "2/model.onnx"}
    (home / "manifest.json").write_text(json.dumps(second), encoding="utf-8")


def rank_findings(panels):
    """Give the panels of a manifest ranks and a scope, and take a point away."""
    tuberculosis, findings = panels[-2:]
    tuberculosis["labels"][1]["prevalence"] = 0.05
    tuberculosis["operating_points"][1] |= {"sensitivity": 0.9, "specificity": 0.9}
    for label in findings["labels"][-2:]:
        label["rank"] = "experimental"
    findings["operating_points"].pop()
    findings["metrics"] = {"labels": {"finding_14": {"no_point": "3 patients with it"}}}
    findings["scope"] = {
        "minimum_age": 18,
        "views": ["PA"],
        "sources": ["greys"],
        "never_shown": ["children"],
    }


@pytest.fixture
def run(command, database, grey_repository):
    """The command on a database that has this release's schema, and on these models."""
    environment = {"HILUM_DATABASE_URL": database, "HILUM_MODEL_REPOSITORY": str(grey_repository)}

    def on_models(*arguments: object):
        return command(*arguments, **environment)

    assert on_models("db", "upgrade").exit_code == 0
    return on_models


def rows(listed: str) -> list[list[str]]:
    return [line.split() for line in listed.splitlines()[1:]]


def test_a_fresh_installation_reads_with_the_newest_of_each_model(run):
    """Nothing has to be done for it; the older version lies beside it."""
    listed = run("models", "list")
    assert listed.exit_code == 0, listed.output
    standing = {(row[0], row[1]): "in force" in " ".join(row) for row in rows(listed.stdout)}
    assert standing == {
        ("gate", "1.0.0"): True,
        ("chest", "1.0.0"): False,
        ("chest", "1.1.0"): True,
        ("lungs", "1.0.0"): True,
    }
    assert "hilum:first-start" in listed.stdout


def test_a_version_is_promoted_and_taken_back(run):
    """Refused until its operating points are there; each step is in the audit log."""
    refused = run("models", "promote", "chest", "1.0.0", "--site", "north")
    assert refused.exit_code == 1
    assert refused.stderr.startswith("Error: operating_points_missing: site north has no")
    assert "hilum thresholds adopt-defaults chest 1.0.0 --site north" in refused.stderr
    adopted = run("thresholds", "adopt-defaults", "chest", "1.0.0", "--site", "north")
    assert "adopted 23 operating points" in adopted.stdout
    promoted = run("models", "promote", "chest", "1.0.0", "--site", "north")
    assert promoted.stdout.startswith(
        "site north reads with chest 1.0.0 (promotion 1, by operator:"
    )
    listed = json.loads(run("models", "list", "--site", "north", "--json").stdout)
    in_force = {one["model"]: one for one in listed["models"] if one["in_force"]}
    assert in_force["chest"]["version"] == "1.0.0"
    assert in_force["chest"]["promotion"]["site"] == "north"
    assert in_force["gate"]["promotion"]["site"] == "default"
    back = run("models", "rollback", "chest", "--site", "north")
    assert back.stdout == (
        "took back chest 1.0.0; site north reads with chest 1.1.0, as site default does\n"
    )
    again = run("models", "rollback", "chest", "--site", "north")
    assert again.exit_code == 1
    assert again.stderr.startswith("Error: nothing_to_roll_back: ")
    assert run("audit", "verify").exit_code == 0


def test_a_version_is_shown_with_the_operating_points_of_a_site(run):
    """And with those that only ship, told apart; in 100 columns."""
    run("thresholds", "adopt-defaults", "chest", "1.1.0", "--site", "north")
    shown = run("models", "show", "chest", "--site", "north").stdout
    assert "1.1.0" in shown
    assert "Made of greys." in shown
    assert "not adopted" not in shown
    assert "Research use only" in shown
    assert all(len(line) <= 100 for line in shown.splitlines())
    older = run("models", "show", "chest", "1.0.0", "--site", "north").stdout
    assert older.count("(not adopted)") == 23


def test_a_version_is_shown_with_ranks_scope_and_predictive_values(run):
    """A label without a point says why; one that is experimental is off until it is switched on."""
    run("thresholds", "adopt-defaults", "chest", "1.1.0", "--site", "north")
    lines = run("models", "show", "chest", "1.1.0", "--site", "north").stdout.splitlines()
    for line in ("ages: 18 years and older", "views: PA", "trained on images of: greys"):
        assert line in lines
    assert "never shown: children" in lines
    table = {line.split()[0]: line.split()[1:] for line in lines if line}
    # Sensitivity and specificity 0.9 at 5 images of 100: 4.5 right of 14 positive verdicts.
    assert table["tuberculosis"][-3:] == ["0.32", "at", "0.05"]
    assert ["finding_13", "experimental", "0.6", "(off)"] in [line.split()[:4] for line in lines]
    assert ["finding_14", "experimental", "none"] in [line.split()[:3] for line in lines]
    assert "finding_14: none: 3 patients with it" in lines


def test_labels_are_listed_by_rank(run):
    """And those that a site has switched on by name."""
    run("thresholds", "switch-on", "pathology", "--site", "default")
    listed = run("models", "list").stdout
    assert "21 validated, 2 experimental" in listed
    assert "21 of 21" in listed
    document = json.loads(run("models", "list", "--json").stdout)["models"]
    newest = next(one for one in document if (one["model"], one["version"]) == ("chest", "1.1.0"))
    assert newest["labels_by_rank"] == {"validated": 21, "experimental": 2}
    assert newest["switched_on"] == ["pathology/finding_13"]


def test_each_version_has_its_card(run):
    """The newest on top, an older one in its folder."""
    assert run("models", "show", "chest", "--card").stdout.strip() == "# chest 1.1.0"
    assert run("models", "show", "chest", "1.0.0", "--card").stdout.startswith("# chest\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "ribs"),
        ("show", "chest", "9.9.9"),
        ("promote", "ribs", "1.0.0", "--site", "north"),
        ("promote", "chest", "9.9.9", "--site", "north"),
    ],
)
def test_what_is_not_installed_is_not_found(run, arguments):
    """With what there is."""
    ended = run("models", *arguments)
    assert ended.exit_code == 1
    assert ended.stderr.startswith("Error: not_found: ")


def test_a_decision_whose_version_is_gone_is_named_and_can_be_changed(
    command, database, grey_repository, tmp_path
):
    """The commands work in the state that they are needed in."""
    models = tmp_path / "models"
    shutil.copytree(grey_repository, models)

    def run(*arguments: object):
        known = {"HILUM_DATABASE_URL": database, "HILUM_MODEL_REPOSITORY": str(models)}
        return command(*arguments, **known)

    run("db", "upgrade")
    run("thresholds", "adopt-defaults", "chest", "1.0.0", "--site", "north")
    run("models", "promote", "chest", "1.0.0", "--site", "north")
    shutil.rmtree(models / "chest" / "1")
    listed = run("models", "list", "--site", "north")
    assert listed.exit_code == 0
    assert "chest 1.0.0, which is not installed" in listed.stderr
    assert run("models", "show", "chest", "--site", "north").exit_code == 0
    run("thresholds", "adopt-defaults", "chest", "1.1.0", "--site", "north")
    assert run("models", "promote", "chest", "1.1.0", "--site", "north").exit_code == 0
    assert run("models", "list", "--site", "north").stderr == ""


def test_a_promotion_names_its_site(run):
    """No site is taken for granted where something changes."""
    assert run("models", "promote", "chest", "1.0.0").exit_code == 2
    everywhere = run("models", "promote", "chest", "1.0.0", "--site", "*")
    assert (everywhere.exit_code, "invalid_request" in everywhere.stderr) == (1, True)


def test_without_models_the_command_says_how_to_name_them(command, database):
    """Exit code 2: the command line is wrong."""
    ended = command("models", "list", "--database-url", database)
    assert ended.exit_code == 2
    assert "HILUM_MODEL_REPOSITORY" in ended.stderr


def test_a_label_shows_its_operating_point_for_children(capsys):
    """Beside the one for everybody else, in the same cell."""
    model = small_chest()
    panel = model.panels[0]
    points = (
        replace(panel.operating_points[0], child_threshold=0.125),
        *panel.operating_points[1:],
    )
    panel = replace(panel, operating_points=points)
    found = VersionAtSite(
        manifest=replace(model, panels=(panel,)),
        shipped=model,
        in_force=True,
        promotion=None,
        missing=(),
    )
    print_panel(found, panel)
    assert "(children 0.125)" in " ".join(capsys.readouterr().out.split())
