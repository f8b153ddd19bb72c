"""The report's figures, from predictions that are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hilum_training.evaluation.measure import Predictions, compare, measure
from hilum_training.films.pack import Film
from hilum_training.recipe import read_recipe

RECIPE = read_recipe(Path(__file__).resolve().parents[3] / "training/recipes/pneumonia.toml")
LABELS = RECIPE.data.labels


def predictions(rows: list[tuple[str, str, list[float]]]) -> Predictions:
    """Predictions of films given as (source, recorded label, logits), each of its own patient."""
    films = tuple(
        Film(
            file=f"{index}.png",
            source=source,
            label=label,
            group=str(index),
            licence="CC BY 4.0",
            candidates=tuple(LABELS.index(a) for a in RECIPE.data.candidates.get(label, ())),
        )
        for index, (source, label, _) in enumerate(rows)
    )
    logits = np.array([row[2] for row in rows], dtype=float).reshape(len(rows), len(LABELS))
    return Predictions(films, tuple(film.group for film in films), logits)


def right(label: str) -> list[float]:
    return [4.0 if name == label else 0.0 for name in LABELS]


EVERY_LABEL = [("kermany", label, right(label)) for label in LABELS for _ in range(8)]
NOBODY = predictions([])


def test_a_perfect_model_measures_as_perfect():
    """All right: accuracy 1, AUROC 1, and full sensitivity and specificity at each point."""
    report = measure(RECIPE, predictions(EVERY_LABEL), predictions(EVERY_LABEL), NOBODY)
    assert report["accuracy"] == {"value": 1.0, "interval": [1.0, 1.0]}
    for row in report["labels"].values():
        assert row["auroc"] == 1.0
        assert row["test"] == {"sensitivity": 1.0, "specificity": 1.0}
    assert report["confusion"] == (8 * np.eye(4, dtype=int)).tolist()


def test_a_comparison_keeps_to_its_source_and_labels():
    """Films of another source, however wrong, do not move the figure within one."""
    comparison = RECIPE.comparisons[1]
    inside = [("kermany", label, right(label)) for label in LABELS[1:3] for _ in range(5)]
    outside = [("cohen", "pneumonia_bacterial", right("pneumonia_viral"))] * 5
    row = compare(comparison, predictions(inside + outside), 1.0, LABELS)
    assert row is not None
    assert (row["positive_films"], row["negative_films"], row["auroc"]) == (5, 5, 1.0)


def test_a_comparison_without_one_side_is_left_out():
    """No viral film in the source: no figure rather than a made-up one."""
    films = predictions([("kermany", "pneumonia_bacterial", right("pneumonia_bacterial"))])
    assert compare(RECIPE.comparisons[1], films, 1.0, LABELS) is None


def test_unspecified_pneumonia_counts_in_its_comparison_and_not_in_accuracy():
    """A label that allows two answers cannot be right or wrong about which."""
    adults = [("nih14", "pneumonia_unspecified", right("pneumonia_viral"))] * 4
    adults += [("nih14", "normal", right("normal"))] * 4
    report = measure(RECIPE, predictions(EVERY_LABEL), predictions(EVERY_LABEL + adults), NOBODY)
    assert report["films"]["test"] == len(EVERY_LABEL) + 4
    (row,) = [row for row in report["within_source"] if row["source"] == "nih14"]
    assert (row["positive_films"], row["auroc"]) == (4, 1.0)


def test_findings_outside_the_panel_are_reported_by_what_was_answered():
    """The card can say what a model does with an effusion."""
    probes = predictions([("nih14", "other:effusion", right("covid19"))] * 3)
    report = measure(RECIPE, predictions(EVERY_LABEL), predictions(EVERY_LABEL), probes)
    (row,) = report["outside_the_panel"]
    assert (row["finding"], row["answered"]["covid19"]) == ("other", 3)
    assert 0 < row["mean_confidence"] <= 1


def test_overconfident_logits_get_a_temperature_above_one():
    """Sure and wrong one time in four: the report's temperature softens, and the error falls."""
    rows = [
        (source, label, [15.0 if name == told else 0.0 for name in LABELS])
        for source, label, _ in EVERY_LABEL
        for told in (label, label, label, LABELS[(LABELS.index(label) + 1) % 4])
    ]
    report = measure(RECIPE, predictions(rows), predictions(rows), NOBODY)
    assert report["temperature"] > 1
    error = report["expected_calibration_error"]
    assert error["after"] < error["before"] == pytest.approx(0.25, abs=0.01)
