"""From a panel's section of a report to what the manifest says of it."""

from __future__ import annotations

from hilum.domain.panel import Rank
from hilum.domain.verdict import predictive_value_of
from hilum_training.evaluation.measure import measure_panel
from hilum_training.export.export_recipe import coded_labels
from hilum_training.export.manifest import panel_of
from hilum_training.panel_recipe import LabelRecipe
from tests.unit.training.panel_answers import answers, film, panel, sure


def measured(asked, labels, each):
    films = [film(place, "kermany", label) for place, label in enumerate(labels * each)]
    part = answers(asked, films, [sure(asked, item.label) for item in films])
    return measure_panel(part, part)


def shipped(asked, section):
    labels = coded_labels(asked.labels)
    return panel_of(asked.name, asked.display, asked.kind, labels, section, asked.caution)


def test_a_label_without_a_point_has_none_in_the_manifest():
    """Its reason and its counts stay among the metrics."""
    pneumonia = panel("pneumonia")
    labels = ["normal"] * 3 + ["pneumonia_bacterial"] * 3 + ["covid19"]
    section = measured(pneumonia, labels, 10)
    found = shipped(pneumonia, section)
    assert {point.label for point in found.operating_points} == {
        "normal",
        "pneumonia_bacterial",
    }
    assert found.operating_point("covid19") is None
    assert found.metrics["labels"]["covid19"]["no_point"].startswith("10 validation patients")
    assert found.metrics["labels"]["covid19"]["by_source"][0]["positive_films"] == 10


def test_a_point_says_which_images_chose_it():
    """The sentence is the one of its own label, not one of the panel's."""
    pneumonia = panel("pneumonia")
    section = measured(pneumonia, list(pneumonia.names), 30)
    for point in shipped(pneumonia, section).operating_points:
        assert point.fitted_on == section["labels"][point.label]["fitted_on"]
        assert point.fitted_on.startswith("Validation images with it: kermany 30.")
        assert point.fitted_on.endswith("assumes one patient more who is.")


def test_the_product_computes_the_predictive_value_of_the_report():
    """The shipped pair is that of the source where a flag means least."""
    pneumonia = panel("pneumonia")
    section = measured(pneumonia, list(pneumonia.names), 30)
    found = shipped(pneumonia, section)
    for label in found.labels[1:]:
        row = section["labels"][label.name]
        point = found.operating_point(label.name)
        assert (point.sensitivity, point.specificity) == (1.0, round(90 / 91, 4))
        assert predictive_value_of(label, point) == row["predictive_values"]["ppv"]["value"] < 1


def test_a_point_without_enough_test_patients_ships_no_pair():
    """Then no predictive value is said, and the sentence tells why."""
    pneumonia = panel("pneumonia")
    section = measured(pneumonia, list(pneumonia.names), 30)
    row = section["labels"]["normal"]
    part = {**section, "labels": {"normal": {**row, "worst_source": None}}}
    point = shipped(pneumonia, part).operating_point("normal")
    assert (point.sensitivity, point.specificity) == (None, None)


def test_rank_and_prevalence_of_a_label_reach_the_manifest():
    """Below validated, a label is weak as earlier readers of the manifest know it."""
    germ, heart = coded_labels(
        [
            LabelRecipe("covid19", "COVID-19", rank="experimental", prevalence=0.05),
            LabelRecipe("heart", "Heart", weak=True),
        ]
    )
    assert (germ.rank, germ.prevalence, germ.weak) == (Rank.EXPERIMENTAL, 0.05, True)
    assert (heart.rank, heart.prevalence, heart.weak) == (Rank.VALIDATED, None, True)
    infected = coded_labels(panel("infection").labels)[1]
    assert (infected.rank, infected.weak) == (Rank.VALIDATED, False)
