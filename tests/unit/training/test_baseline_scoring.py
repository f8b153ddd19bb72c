"""Scores of the baselines, on answers that the test writes down."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hilum_training.baselines.scoring import (
    Verdicts,
    load_said,
    paired_difference,
    said_path,
    save_said,
    score,
)
from hilum_training.baselines.verdict import differences, ensemble_pays, mean_of, named
from tests.unit.training.baseline_films import CHEST, film, film_set

INFECTION = next(panel for panel in CHEST.panels if panel.name == "infection")
FILMS = film_set(
    [film(i, "kermany", ("normal", "pneumonia_viral")[i % 2]) for i in range(40)]
    + [film(100 + i, "shenzhen", "normal") for i in range(5)]
)
TRUTH = np.array([i % 2 for i in range(40)] + [0] * 5)


def verdicts(infected: np.ndarray) -> Verdicts:
    """A method that gives these probabilities of infection."""
    return Verdicts(INFECTION, FILMS, np.stack([1 - infected, infected], axis=1))


def test_a_question_counts_the_films_of_its_source_alone():
    """Five normal films of another hospital are in the pooled figures and in no question."""
    figures = score(verdicts(np.where(TRUTH == 1, 0.9, 0.1)))
    (row,) = figures["within_source"]
    assert (row["positive_films"], row["negative_films"], row["value"]) == (20, 20, 1.0)
    assert figures["pooled"]["films"] == 45
    assert figures["pooled"]["accuracy"]["value"] == 1.0


def test_a_source_that_gives_the_answer_away_lifts_the_pooled_figure_alone():
    """Guessing by source: chance within a source, better than chance when pooled."""
    by_source = np.array([0.6] * 40 + [0.2] * 5)
    figures = score(verdicts(by_source))
    assert figures["within_source"][0]["value"] == 0.5
    assert figures["pooled"]["labels"]["infected"]["value"] > 0.5


def test_a_film_with_two_allowed_answers_is_not_counted_as_right_or_wrong():
    """A report of pneumonia allows bacterial and viral: accuracy leaves it out."""
    pneumonia = CHEST.panels[0]
    films = film_set([film(0, "nih14", "pneumonia_unspecified"), film(1, "nih14", "normal")])
    said = Verdicts(pneumonia, films, np.array([[0.1, 0.8, 0.05, 0.05], [0.7, 0.1, 0.1, 0.1]]))
    figures = score(said)
    assert figures["pooled"]["films"] == 1
    assert figures["pooled"]["accuracy"]["value"] == 1.0
    assert figures["within_source"][0]["positive_films"] == 1


def test_a_method_differs_from_itself_by_nothing():
    """Paired: every draw gives both the same films."""
    said = verdicts(np.random.default_rng(0).random(45))
    found = differences(said, said)
    assert found["accuracy"] == {"value": 0.0, "interval": [0.0, 0.0]}
    assert found["within_source"][0]["interval"] == [0.0, 0.0]


def test_a_difference_counts_patients_and_not_films():
    """Forty films of two patients give a wider interval than forty patients."""
    values = np.array([0.0, 1.0] * 20)
    wide = paired_difference(lambda rows: float(values[rows].mean()), tuple("ab" * 20))
    narrow = paired_difference(
        lambda rows: float(values[rows].mean()), tuple(str(i) for i in range(40))
    )
    width = [found["interval"][1] - found["interval"][0] for found in (wide, narrow)]
    assert width[0] > 2 * width[1]


def test_an_ensemble_pays_only_when_it_is_better_and_at_most_twice_the_price():
    """A clear gain at a low price is kept; at a high price, or without a gain, it is not."""
    generator = np.random.default_rng(1)
    blurred = verdicts(np.clip(TRUTH * 0.2 + generator.normal(0.4, 0.4, 45), 0.01, 0.99))
    exact = verdicts(np.where(TRUTH == 1, 0.999, 0.001))
    gain = differences(mean_of([blurred, exact]), blurred)
    assert ensemble_pays(gain, 10.0, 5.0)
    assert not ensemble_pays(gain, 10.0, 15.0)
    assert not ensemble_pays(differences(mean_of([exact, blurred]), exact), 10.0, 5.0)
    assert not ensemble_pays(differences(exact, exact), 10.0, 5.0)


def test_what_a_method_said_is_kept_for_its_own_films(tmp_path):
    """A later network is set beside the same answers; other films are refused."""
    said = verdicts(np.linspace(0, 1, 45))
    path = said_path(tmp_path, "cnn")
    save_said(path, "mean", said)
    variant, again = load_said(path, INFECTION, FILMS)
    assert variant == "mean"
    assert np.array_equal(again.probabilities, said.probabilities)
    with pytest.raises(ValueError, match="other films"):
        load_said(path, INFECTION, FILMS.take(np.arange(3)))


def test_the_mean_of_methods_is_of_their_probabilities():
    """Not of their votes."""
    both = mean_of([verdicts(np.full(45, 0.2)), verdicts(np.full(45, 0.6))])
    assert np.allclose(both.probabilities[:, 1], 0.4)


def test_several_findings_have_no_accuracy_and_a_mean_over_those_that_occur():
    """A finding of three films has a figure of its own and none in the mean."""
    pooled = score(findings(sure_of=("mass",)))["pooled"]
    assert "accuracy" not in pooled
    assert pooled["mean_auroc"] == 1.0
    assert pooled["labels"]["hernia"]["positive_films"] == 3
    assert pooled["labels"]["hernia"]["value"] < 0.9
    assert pooled["labels"]["edema"]["value"] is None


def test_methods_that_answer_several_findings_differ_in_the_mean_auroc_and_not_in_accuracy():
    """Films with exactly one finding are few and say nothing of the others."""
    knows, guesses = findings(sure_of=("mass",)), findings(sure_of=())
    found = differences(knows, guesses)
    assert "accuracy" not in found
    assert found["mean_auroc"]["value"] == pytest.approx(
        1.0 - score(guesses)["pooled"]["mean_auroc"], abs=1e-3
    )
    assert found["mean_auroc"]["interval"][0] > 0
    assert [name for name, _ in named(found)] == ["mean AUROC over findings"]
    assert ensemble_pays(found, 10.0, 5.0)


def findings(sure_of: tuple[str, ...]) -> Verdicts:
    """Forty films, every second with a mass, three with a hernia; guesses but for some findings."""
    pathology = next(panel for panel in CHEST.panels if panel.name == "pathology")
    shown = [
        frozenset({"mass" if i % 2 else "none", *(["hernia"] if i < 3 else [])}) for i in range(40)
    ]
    films = film_set(
        [replace(film(i, "nih14", "normal"), findings=shown[i]) for i in range(len(shown))]
    )
    said = np.random.default_rng(5).random((len(shown), len(pathology.labels)))
    for name in sure_of:
        said[:, pathology.names.index(name)] = [name in item for item in shown]
    return Verdicts(pathology, films, said)
