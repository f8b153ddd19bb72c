"""A panel's report, from answers that are known."""

from __future__ import annotations

import numpy as np
import pytest

from hilum_training.evaluation.comparisons import compare
from hilum_training.evaluation.measure import measure_panel, section_thresholds
from hilum_training.evaluation.verdicts import PanelPoints
from hilum_training.measures.calibration import Calibration
from hilum_training.population.inside import Population
from tests.unit.training.panel_answers import GATE, answers, film, panel, sure

PNEUMONIA = panel("pneumonia")
EACH = 24
RIGHT = [("kermany", label, label) for label in PNEUMONIA.names for _ in range(EACH)]


def told(rows: list[tuple[str, str, str]], by: float = 4.0):
    """Answers of the pneumonia panel to (source, recorded label, answered label)."""
    films = [film(index, source, recorded) for index, (source, recorded, _) in enumerate(rows)]
    return answers(PNEUMONIA, films, [sure(PNEUMONIA, answered, by) for *_, answered in rows])


def test_a_perfect_model_measures_as_perfect():
    """All right: accuracy 1, AUROC 1, and full sensitivity and specificity at each point."""
    section = measure_panel(told(RIGHT), told(RIGHT))
    assert section["accuracy"]["value"] == 1.0
    for row in section["labels"].values():
        assert row["auroc"]["value"] == row["auprc"]["value"] == row["f1"]["value"] == 1.0
        assert row["test"]["sensitivity"]["value"] == row["test"]["specificity"]["value"] == 1.0
    assert all(row[name] == EACH for name, row in section["confusion"].items())


def test_precision_recall_and_f1_of_a_label_are_of_the_most_probable_answer():
    """Two of three answers right, two of four films found; each with its interval."""
    rows = [("kermany", "covid19", "covid19")] * 2 + [("kermany", "covid19", "normal")] * 2
    rows += [("kermany", "normal", "covid19")] + [("kermany", "normal", "normal")] * 5
    labels = measure_panel(told(RIGHT), told(rows))["labels"]
    row = labels["covid19"]
    found = [row[key]["value"] for key in ("precision", "recall", "f1")]
    assert found == pytest.approx([2 / 3, 0.5, 4 / 7], abs=1e-4)
    for key in ("precision", "recall", "f1"):
        low, high = row[key]["interval"]
        assert 0 <= low < row[key]["value"] < high <= 1
    assert labels["pneumonia_viral"]["precision"] == {"value": None, "interval": None}


def test_a_comparison_keeps_to_its_source_and_labels():
    """Films of another source, however wrong, do not move the figure within one."""
    inside = [("kermany", label, label) for label in PNEUMONIA.names[1:3] for _ in range(5)]
    outside = [("cohen", "pneumonia_bacterial", "pneumonia_viral")] * 5
    rows = measure_panel(told(RIGHT), told(inside + outside))["within_source"]
    (row,) = [row for row in rows if row["question"] == PNEUMONIA.comparisons[1].name]
    assert (row["positive_films"], row["negative_films"]) == (5, 5)
    assert row["auroc"]["value"] == row["accuracy"]["value"] == 1.0


def test_a_comparison_without_one_side_is_left_out():
    """No viral film in the source: no figure rather than a made-up one."""
    section = measure_panel(told(RIGHT), told([("kermany", "normal", "normal")] * 3))
    assert section["within_source"] == []


def test_unspecified_pneumonia_counts_in_its_comparison_and_not_in_accuracy():
    """A label that allows two answers cannot be right or wrong about which."""
    adults = [("nih14", "pneumonia_unspecified", "pneumonia_viral")] * 4
    adults += [("nih14", "normal", "normal")] * 4
    section = measure_panel(told(RIGHT), told(RIGHT + adults))
    assert section["films"]["test"] == len(RIGHT) + 4
    (row,) = [row for row in section["within_source"] if row["source"] == "nih14"]
    assert (row["positive_films"], row["auroc"]["value"]) == (4, 1.0)


def test_findings_outside_the_panel_are_reported_by_what_was_answered():
    """The card can say what a model does with an effusion."""
    section = measure_panel(told(RIGHT), told([*RIGHT, ("nih14", "other:effusion", "covid19")]))
    (row,) = section["outside_the_panel"]
    assert (row["recorded_label"], row["answered"]["covid19"]) == ("other", 1)
    assert 0 < row["mean_confidence"] <= 1


def test_overconfident_logits_are_softened():
    """Sure and wrong one time in four: slopes below one, and the error falls."""
    rows = [
        ("kermany", label, answered)
        for label in PNEUMONIA.names
        for answered in [label, label, label, "normal" if label != "normal" else "covid19"] * 8
    ]
    section = measure_panel(told(rows, by=15.0), told(rows, by=15.0))
    error = section["calibration_error"]
    assert error["after"]["value"] < error["before"] == pytest.approx(0.25, abs=0.01)
    assert max(section["calibration"]["scale"]) < 1


def test_the_shipped_operating_point_is_measured_within_the_source():
    """A positive output at its threshold counts, whatever the accuracy's threshold is."""
    section = measure_panel(told(RIGHT), told(RIGHT))
    row = section["within_source"][0]
    assert row["shipped_sensitivity"]["value"] == row["shipped_specificity"]["value"] == 1.0


def test_a_panel_without_points_measures_nothing_at_them():
    """Too few patients of each label: areas are there, and figures at a point are not."""
    few = [("kermany", label, label) for label in PNEUMONIA.names for _ in range(8)]
    section = measure_panel(told(few), told(few))
    assert all(row["threshold"] is None for row in section["labels"].values())
    assert section_thresholds(section) == {}
    row = section["within_source"][0]
    assert row["auroc"]["value"] == 1.0
    for how in ("shipped", "named"):
        assert row[f"{how}_sensitivity"] == {"value": None, "interval": None}


def test_one_verdict_costs_a_label_what_another_takes():
    """Tuberculosis reaches its point and another label lies further above its own: not named."""
    tuberculosis = panel("tuberculosis")
    films = [film(0, "shenzhen", "tuberculosis"), film(1, "shenzhen", "normal")]
    part = answers(tuberculosis, films, np.log([[0.1, 0.3, 0.6], [0.8, 0.1, 0.1]]).tolist())
    as_it_is = Calibration("vector", (1.0,) * 3, (0.0,) * 3, (True,) * 3)
    points = PanelPoints.of_recipe(
        tuberculosis, {"normal": 0.5, "tuberculosis": 0.2, "other_abnormal": 0.2}
    )
    recorded = Population.as_recorded("tuberculosis", films)
    row = compare(tuberculosis.comparisons[0], part, part, as_it_is, points, recorded)
    assert row["shipped_sensitivity"]["value"] == row["shipped_specificity"]["value"] == 1.0
    assert row["named_sensitivity"]["value"] == 0.0
    assert row["named_specificity"]["value"] == 1.0


def test_what_chose_a_point_is_told_from_the_films_that_did():
    """Counts by source of the validation films stand in the text and in its table."""
    adults = [("nih14", "normal", "normal")] * 30
    section = measure_panel(told(RIGHT + adults), told(RIGHT))
    row = section["labels"]["covid19"]
    counted = {item["source"]: item for item in row["by_source"]}
    assert counted["kermany"]["positive_films"] == EACH
    assert (counted["kermany"]["negative_films"], counted["nih14"]["negative_films"]) == (72, 30)
    assert "it: kermany 24. Without it: kermany 72, nih14 30." in row["fitted_on"]
    assert row["chosen_by"] in row["fitted_on"]
    assert [item["source"] for item in row["test_by_source"]] == ["kermany"]
    assert row["predictive_values"]["prevalence"] == 0.05
    assert row["worst_source"]["source"] == row["predictive_values"]["source"] == "kermany"
    assert row["rank"] == "experimental"


def known_of(part, inside=None, children=None):
    """Every test image inside the scope and no child, but for what is given."""
    count = len(part.films)
    within = np.ones(count, dtype=bool) if inside is None else inside
    taken = np.zeros(count, dtype=bool) if children is None else children
    return Population({part.panel.name: within}, taken)


def test_verdicts_are_measured_inside_the_scope_alone():
    """Wrong answers outside it cost neither sensitivity nor specificity; areas keep every image."""
    wrong = [("kermany", "pneumonia_viral", "pneumonia_bacterial")] * 6
    test = told(RIGHT + wrong)
    inside = np.arange(len(test.films)) < len(RIGHT)
    apart = measure_panel(told(RIGHT), test, known_of(test, inside=inside))
    whole = measure_panel(told(RIGHT), test)
    for section, films, share in ((apart, 0, 1.0), (whole, 6, EACH / (EACH + 6))):
        label = section["labels"]["pneumonia_viral"]
        assert label["test"]["sensitivity"]["value"] == pytest.approx(share, abs=1e-4)
        assert label["test_by_source"][0]["positive_films"] == EACH + films
        row = section["within_source"][1]
        assert row["assessed_negative_films"] == EACH + films
        assert row["named_specificity"]["value"] == pytest.approx(share, abs=1e-4)
        assert (row["negative_films"], section["films"]["test"]) == (EACH + 6, len(RIGHT) + 6)
        assert row["auroc"]["value"] < 1.0


def test_who_is_a_child_is_what_the_product_takes_for_one():
    """At the point for children an image is flagged that the point for others leaves alone."""
    infection = panel("infection")
    points = PanelPoints.of_recipe(infection, {"normal": 0.9, "infected": 0.9}, {"infected": 0.3})
    films = [film(0, "kermany", "pneumonia_viral", age=5.0), film(1, "kermany", "normal", age=5.0)]
    part = answers(infection, films, np.log([[0.5, 0.5], [0.8, 0.2]]).tolist())
    as_it_is = Calibration("vector", (1.0,) * 2, (0.0,) * 2, (True,) * 2)
    for taken, sensitivity in ((True, 1.0), (False, 0.0)):
        known = known_of(part, children=np.full(2, taken))
        row = compare(infection.comparisons[0], part, part, as_it_is, points, known)
        assert row["shipped_sensitivity"]["value"] == sensitivity
        assert row["named_sensitivity"]["value"] == sensitivity


def test_groups_stand_in_tables_of_their_own():
    """One row for each sex, age group and view, with its own films only."""
    films = [
        film(index, "nih14", label, sex=sex, age=age, view="PA")
        for index, (label, sex, age) in enumerate(
            [("normal", "F", 30.0), ("pneumonia_unspecified", "F", 70.0)] * 4
            + [("normal", "M", 12.0), ("pneumonia_unspecified", "M", 50.0)] * 4
        )
    ]
    infection = panel("infection")
    logits = [[2.0, 0.0] if f.label == "normal" or f.sex == "M" else [0.0, 2.0] for f in films]
    section = measure_panel(*[answers(infection, films, logits)] * 2)
    sexes = {row["sex"]: row for row in section["by"]["sex"]}
    assert (sexes["F"]["accuracy"]["value"], sexes["M"]["accuracy"]["value"]) == (1.0, 0.5)
    assert sexes["F"]["auroc_abnormal"]["value"] == 1.0
    ages = {row["age"] for row in section["by"]["age"]}
    assert ages == {"under 18", "18 to 39", "40 to 64", "65 and over"}


def test_a_multi_label_panel_is_measured_label_by_label():
    """Findings that rise with their logit have AUROC 1; a finding never seen has no point."""
    pathology = panel("pathology")
    films = [
        film(index, "nih14", "other", findings=frozenset({"effusion"} if index % 3 else {"mass"}))
        for index in range(60)
    ]
    logits = np.zeros((60, 14))
    for name in ("effusion", "mass"):
        present = [name in f.findings for f in films]
        logits[:, pathology.names.index(name)] = np.where(present, 2.0, -2.0)
    section = measure_panel(*[answers(pathology, films, logits.tolist())] * 2)
    assert section["labels"]["effusion"]["auroc"]["value"] == 1.0
    assert section["labels"]["hernia"]["auroc"]["value"] is None
    assert section["labels"]["effusion"]["threshold"] > 0
    hernia = section["labels"]["hernia"]
    assert (hernia["threshold"], hernia["chosen_by"]) == (None, None)
    assert hernia["no_point"].startswith("0 validation patients with it")
    assert hernia["test"]["sensitivity"] == {"value": None, "interval": None}
    assert (section["mean_auroc"], section["findings_counted"]) == (1.0, 2)
    assert "accuracy" not in section


def test_the_gate_counts_what_passes_and_what_stops():
    """One lateral film of four is let through: three quarters stop."""
    films = [film(i, "kermany", "normal") for i in range(10)]
    films += [film(10 + i, "cohen", "lateral") for i in range(4)]
    logits = [sure(GATE, "frontal")] * 10 + [sure(GATE, "lateral")] * 3 + [sure(GATE, "frontal")]
    validation = answers(GATE, films, [*logits[:-1], sure(GATE, "lateral")])
    section = measure_panel(validation, answers(GATE, films, logits))
    assert section["frontal_films_that_pass"]["value"] == 1.0
    assert section["other_pictures_that_stop"]["value"] == 0.75
    assert section["gate"][1] == {"label": "lateral", "source": "cohen", "films": 4, "pass": 1}
    assert section["that_stop"]["lateral"]["value"] == 0.75
    assert "frontal" not in section["that_stop"]


def test_a_constant_answer_stands_beside_the_calibration_of_rare_findings():
    """Each finding's share of the validation films: on the same films it is never wrong by much."""
    findings = panel("pathology")
    films = [
        film(
            index,
            "nih14",
            "normal" if index % 10 else "other",
            findings=("mass",) if not index % 10 else (),
        )
        for index in range(60)
    ]
    part = answers(findings, films, [sure(findings, "mass")] * 60)
    error = measure_panel(part, part)["calibration_error"]
    assert error["of_a_constant_answer"] == pytest.approx(0.0, abs=1e-4)
    assert error["after"]["value"] >= error["of_a_constant_answer"]
