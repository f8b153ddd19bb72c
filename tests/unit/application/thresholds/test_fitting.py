"""Thresholds from labelled films: what is chosen, how sure it is, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from hilum.application.thresholds.fitting import (
    FEWEST_PATIENTS,
    LOWEST_AREA,
    curve,
    fit,
    require_separable,
)
from hilum.application.thresholds.resampling import FEWEST_OF_SOURCE, Aim, LabelledScores
from hilum.domain.errors import InvalidRequest, LabelNotSeparable, TooFewFilms


def films(positive, negative, patients=None) -> LabelledScores:
    scores = np.round(np.concatenate([positive, negative]), 6)
    truth = np.arange(scores.size) < len(positive)
    if patients is None:
        patients = np.arange(scores.size)
    return LabelledScores(scores, truth, np.asarray(patients, np.int64))


def drawn(seed: int = 0, size: int = 400, apart: float = 2.0) -> LabelledScores:
    """Positives and negatives whose logits are normal and so far apart."""
    chance = np.random.default_rng(seed)
    logits = np.concatenate([chance.normal(apart, 1.0, size), chance.normal(0.0, 1.0, size)])
    scores = 1.0 / (1.0 + np.exp(1.0 - logits))
    return films(scores[:size], scores[size:])


def test_the_highest_threshold_with_the_wanted_sensitivity_is_chosen():
    """19 of 20 positives lie at or above it, and one step higher only 18 would."""
    positive = np.linspace(0.05, 1.0, 20)
    negative = np.linspace(0.0, 0.5, 40)
    fitted = fit(films(positive, negative), Aim.SENSITIVITY, 0.95)
    assert fitted.threshold.value == pytest.approx(0.1)
    assert fitted.sensitivity.value == 0.95
    assert fitted.specificity.value == np.mean(np.round(negative, 6) < 0.1)


def test_the_lowest_threshold_with_the_wanted_specificity_is_chosen():
    """18 of 20 negatives lie below it, and it costs no more positives than it must."""
    positive = np.linspace(0.5, 1.0, 30)
    negative = np.linspace(0.05, 1.0, 20)
    fitted = fit(films(positive, negative), Aim.SPECIFICITY, 0.9)
    assert fitted.specificity.value == 0.9
    scores = np.round(np.concatenate([positive, negative]), 6)
    lower = scores[scores < fitted.threshold.value].max()
    assert np.mean(np.round(negative, 6) < lower) < 0.9


def test_films_of_one_probability_fall_on_one_side_together():
    """A threshold inside a tie is none: the wanted value is kept, the cost is counted in full."""
    fitted = fit(films([0.3] * 10 + [0.9] * 20, [0.3] * 15 + [0.1] * 15), Aim.SENSITIVITY, 0.9)
    assert fitted.threshold.value == pytest.approx(0.3)
    assert fitted.sensitivity.value == 1.0
    assert fitted.specificity.value == 0.5


def test_a_specificity_above_every_film_is_had_just_above_the_highest():
    """The highest probability is a negative's: nothing is positive, and that is said."""
    positive, negative = [0.2] * 25, [0.8] * 25
    fitted = fit(films(positive, negative), Aim.SPECIFICITY, 0.9)
    assert fitted.threshold.value == pytest.approx(0.800001)
    assert (fitted.specificity.value, fitted.sensitivity.value) == (1.0, 0.0)


def test_a_specificity_that_no_threshold_gives_is_refused():
    """A threshold above 1 would never be reached."""
    with pytest.raises(InvalidRequest, match="no threshold"):
        fit(films([0.2] * 25, [1.0] * 25), Aim.SPECIFICITY, 0.9)


def test_the_area_is_the_chance_that_a_positive_lies_above_a_negative():
    """By counting pairs, half for equal ones."""
    chance = np.random.default_rng(3)
    positive, negative = chance.integers(3, 10, 40) / 10, chance.integers(0, 7, 50) / 10
    above = (positive[:, None] > negative).mean() + (positive[:, None] == negative).mean() / 2
    fitted = fit(films(positive, negative), Aim.SENSITIVITY, 0.9)
    assert fitted.auroc.value == pytest.approx(above)
    assert fitted.auroc.low < above < fitted.auroc.high


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    """Of many sites that draw from one population, most intervals hold its true sensitivity.

    The sensitivity on unseen patients is compared: on the films that chose a threshold it is always
    at least the wanted one.
    """
    population = drawn(99, 20000)
    held = []
    for seed in range(60):
        fitted = fit(drawn(seed, 80), Aim.SENSITIVITY, 0.9, resamples=300)
        true = np.mean(population.scores[population.truth] >= fitted.threshold.value)
        held.append(fitted.unseen_sensitivity.low <= true <= fitted.unseen_sensitivity.high)
        assert fitted.sensitivity.value >= 0.9
    assert np.mean(held) > 0.85


def test_more_films_give_a_narrower_interval():
    """A quarter of the width for sixteen times the films, roughly."""
    few = fit(drawn(1, 50), Aim.SENSITIVITY, 0.9).threshold
    many = fit(drawn(1, 800), Aim.SENSITIVITY, 0.9).threshold
    assert (many.high - many.low) < 0.5 * (few.high - few.low)


def test_films_of_one_patient_are_drawn_together():
    """Ten copies of each film make nothing surer; taken for patients of their own they would."""
    one = drawn(5, 60)
    scores, truth = np.repeat(one.scores, 10), np.repeat(one.truth, 10)
    grouped = LabelledScores(scores, truth, np.repeat(one.patients, 10))
    alone = LabelledScores(scores, truth, np.arange(scores.size))
    widths = [
        (fitted.sensitivity.high - fitted.sensitivity.low, fitted.patients)
        for fitted in (fit(films, Aim.SENSITIVITY, 0.8) for films in (one, grouped, alone))
    ]
    assert widths[0][1] == widths[1][1] == 120
    assert widths[1][0] == pytest.approx(widths[0][0], rel=0.1)
    assert widths[2][0] < 0.5 * widths[1][0]


def test_the_same_films_give_the_same_answer():
    """In any order of the rows."""
    one = drawn(7, 60)
    order = np.random.default_rng(1).permutation(one.scores.size)
    other = LabelledScores(one.scores[order], one.truth[order], one.patients[order])
    assert fit(one, Aim.SENSITIVITY, 0.9) == fit(one, Aim.SENSITIVITY, 0.9)
    assert fit(one, Aim.SENSITIVITY, 0.9) == fit(other, Aim.SENSITIVITY, 0.9)


@pytest.mark.parametrize(
    ("positives", "negatives", "aim", "wanted", "fewest"),
    [
        (FEWEST_PATIENTS - 1, 100, Aim.SENSITIVITY, 0.9, FEWEST_PATIENTS),
        (100, FEWEST_PATIENTS - 1, Aim.SENSITIVITY, 0.9, FEWEST_PATIENTS),
        (99, 100, Aim.SENSITIVITY, 0.99, 100),
        (100, 99, Aim.SPECIFICITY, 0.99, 100),
        (0, 100, Aim.SENSITIVITY, 0.9, FEWEST_PATIENTS),
    ],
)
def test_too_few_patients_are_refused(positives, negatives, aim, wanted, fewest):
    """With the number that there is and the number that it takes."""
    with pytest.raises(TooFewFilms, match=f"at least {fewest}"):
        fit(films([0.9] * positives, [0.1] * negatives), aim, wanted)


def test_patients_are_counted_and_not_films():
    """A hundred films of two patients are two witnesses."""
    patients = [*([0, 1] * 50), *range(2, 102)]
    with pytest.raises(TooFewFilms, match="2 patients"):
        fit(films([0.9] * 100, [0.1] * 100, patients), Aim.SENSITIVITY, 0.9)


@pytest.mark.parametrize("wanted", [0.0, 0.49, 1.0, 1.5, float("nan")])
def test_a_value_that_cannot_be_wanted_is_refused(wanted):
    """A certain find is no threshold's to give."""
    with pytest.raises(InvalidRequest):
        fit(drawn(), Aim.SENSITIVITY, wanted)


def test_the_curve_goes_from_no_positive_to_all():
    """Sensitivity rises and specificity falls as the threshold does."""
    found = curve(drawn(2, 50))
    assert np.all(np.diff(found.thresholds) < 0)
    assert np.all(np.diff(found.sensitivity) >= 0)
    assert np.all(np.diff(found.specificity) <= 0)
    assert (found.sensitivity[-1], found.specificity[-1]) == (1.0, 0.0)


def of_sources(**sources: LabelledScores) -> LabelledScores:
    """Images of several sources; patients of each are numbered by themselves."""
    parts = list(sources.items())
    return LabelledScores(
        np.concatenate([part.scores for _, part in parts]),
        np.concatenate([part.truth for _, part in parts]),
        np.concatenate([part.patients + 1000 * n for n, (_, part) in enumerate(parts)]),
        np.concatenate([[name] * part.scores.size for name, part in parts]),
    )


QUIET = films(np.linspace(0.5, 0.9, 40), np.linspace(0.0, 0.2, 40))
LOUD = films(np.linspace(0.7, 1.0, 40), np.linspace(0.3, 0.69, 40))


@pytest.mark.parametrize(("aim", "worst"), [(Aim.SPECIFICITY, "loud"), (Aim.SENSITIVITY, "quiet")])
def test_what_is_wanted_holds_at_the_worst_source(aim, worst):
    """It has what it would have by itself; the other source has more than was wanted."""
    both = fit(of_sources(quiet=QUIET, loud=LOUD), aim, 0.9, resamples=100)
    alone = fit({"quiet": QUIET, "loud": LOUD}[worst], aim, 0.9, resamples=100)
    assert both.worst_source == worst
    assert both.threshold.value == pytest.approx(alone.threshold.value, abs=0.01)
    figures = {item.source: item for item in both.by_source}
    assert set(figures) == {"quiet", "loud"}
    other = {"loud": "quiet", "quiet": "loud"}[worst]
    assert getattr(figures[worst], aim.value).value == getattr(alone, aim.value).value == 0.9
    assert getattr(figures[other], aim.value).value == 1.0
    assert (figures["loud"].positives, figures["loud"].negatives) == (40, 40)
    assert (alone.worst_source, alone.by_source) == ("", ())


def test_sources_with_few_images_are_pooled():
    """Three images alone do not decide; eight of two small sources do together."""
    tops = films([0.9], [0.8] * (FEWEST_OF_SOURCE // 2))
    fitted = fit(of_sources(quiet=QUIET, b=tops, a=tops), Aim.SPECIFICITY, 0.9, resamples=100)
    assert fitted.worst_source == "a+b"
    few = films([0.9], [0.8] * 3)
    alone = fit(of_sources(quiet=QUIET, few=few), Aim.SPECIFICITY, 0.9, resamples=100)
    assert alone.worst_source == "quiet"
    assert alone.by_source[0].specificity.value == 0.0


def test_the_area_is_counted_within_sources():
    """A source whose every image is ill and bright makes no label separable."""
    apart = of_sources(ill=films([0.9] * 40, [0.95]), well=films([0.1], np.linspace(0, 0.5, 40)))
    fitted = fit(apart, Aim.SENSITIVITY, 0.9, resamples=200)
    assert fitted.auroc.value < 0.1
    with pytest.raises(LabelNotSeparable, match=r"AUROC within sources is 0\.0"):
        require_separable(fitted)
    never = of_sources(ill=films([0.9] * 40, []), well=films([], [0.1] * 40))
    with pytest.raises(LabelNotSeparable, match="no source"):
        fit(never, Aim.SENSITIVITY, 0.9)


def test_a_label_is_separable_above_the_bar():
    """The lower end of the interval counts, not the value."""
    require_separable(fit(drawn(1, 100), Aim.SENSITIVITY, 0.9, resamples=200))
    hardly = fit(drawn(1, 60, apart=0.5), Aim.SENSITIVITY, 0.9, resamples=200)
    assert hardly.auroc.low < LOWEST_AREA < hardly.auroc.value
    with pytest.raises(LabelNotSeparable, match=r"must lie above 0\.6"):
        require_separable(hardly)
