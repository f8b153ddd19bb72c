"""Operating points at the worst source."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hilum_training.evaluation.label_images import LabelImages
from hilum_training.evaluation.operating_points import NoOperatingPoint
from hilum_training.evaluation.worst_source import area_within_sources, point_of
from hilum_training.panel_recipe import LabelRecipe, OperatingPointRecipe

RULE = OperatingPointRecipe("specificity", 0.9, fewest=8, fewest_patients=20, bar=0.6)
LABEL = LabelRecipe("infected", "Infected")
NORMAL = LabelRecipe("normal", "Normal", abnormal=False)


def images(*parts: tuple[str, bool, list[float]]) -> LabelImages:
    """Images of their own patients: source, whether they have the label, scores."""
    scores = [score for *_, values in parts for score in values]
    return LabelImages(
        np.array(scores),
        np.array([present for _, present, values in parts for _ in values], dtype=bool),
        np.array([source for source, _, values in parts for _ in values], dtype=str),
        np.array([str(place) for place in range(len(scores))], dtype=str),
    )


def spread(low: float, high: float, count: int = 30) -> list[float]:
    return np.linspace(low, high, count).tolist()


CALM = ("kermany", False, spread(0.0, 0.2))
LOUD = ("nih14", False, spread(0.2, 0.6))
ILL = ("kermany", True, spread(0.5, 1.0))
ILL_LOUD = ("nih14", True, spread(0.4, 1.0))


def chosen(found: LabelImages, rule=RULE, label=LABEL, kind="single_label"):
    return point_of(kind, label, found, rule)


def specificity(found: LabelImages, source: str, threshold: float) -> float:
    absent = (found.sources == source) & ~found.present
    return float((found.scores[absent] < threshold).mean())


def test_the_largest_quantile_of_all_sources_is_the_threshold():
    """Every source reaches the specificity, and the worst one decides and is named."""
    found = images(CALM, LOUD, ILL, ILL_LOUD)
    point = chosen(found)
    assert specificity(found, "kermany", point.threshold) == 1.0
    assert specificity(found, "nih14", point.threshold) == pytest.approx(0.9, abs=0.02)
    assert point.rule == "specificity 0.9 at the worst source (nih14)"
    alone = chosen(images(CALM, ILL))
    assert alone.threshold < 0.2 < point.threshold


def test_small_sources_are_pooled():
    """Two sources of five images count as one; three images alone decide nothing."""
    small = [("cohen", False, [0.9] * 5), ("montgomery", False, [0.9] * 5)]
    point = chosen(images(CALM, ILL, *small))
    assert point.threshold > 0.89
    assert "(cohen+montgomery)" in point.rule
    few = chosen(images(CALM, ILL, ("cohen", False, [0.9] * 3)))
    assert "(kermany)" in few.rule


def test_a_small_source_does_not_silence_a_label():
    """Where all of its images must stay below, the point lies just above the highest of them."""
    few = ("montgomery", False, [0.3] * 10 + [0.301])
    found = images(CALM, ILL, few, ("shenzhen", True, [0.31, 0.32]))
    point = chosen(found, replace(RULE, value=0.95))
    assert point.threshold == pytest.approx((0.301 + 0.31) / 2, abs=1e-4)
    assert "(montgomery)" in point.rule
    highest = images(
        ("kermany", True, spread(0.5, 0.9)), ("kermany", False, [*spread(0, 0.2), 0.95])
    )
    assert chosen(highest, replace(RULE, value=1.0)).threshold == pytest.approx(0.975)


def test_four_decimals_do_not_fall_below_the_score_that_decides():
    """Scores closer than a ten thousandth: the threshold is rounded up, and the source is held."""
    close = ("kermany", False, [0.00001] * 29 + [0.00962])
    found = images(close, ("kermany", True, [0.00964, *spread(0.5, 1.0)]))
    point = chosen(found, replace(RULE, value=1.0))
    assert specificity(found, "kermany", point.threshold) == 1.0
    assert point.threshold == 0.0097


def test_a_sensitivity_goes_no_lower_than_it_must():
    """The point lies between the lowest ill image that counts and the next lower image of any."""
    rule = replace(RULE, rule="sensitivity", value=1.0)
    found = images(CALM, ("kermany", True, spread(0.5, 1.0)))
    assert chosen(found, rule).threshold == pytest.approx((0.5 + 0.2) / 2)


def test_sources_that_are_all_small_decide_together():
    """Without a source of its own size there is still a threshold."""
    rule = replace(RULE, fewest=50)
    assert "(kermany+nih14)" in chosen(images(CALM, LOUD, ILL, ILL_LOUD), rule).rule


def test_a_sensitivity_is_reached_at_the_worst_source():
    """Ill images of each source with enough of them are found, and the lowest scores decide."""
    rule = replace(RULE, rule="sensitivity", value=0.9)
    found = images(CALM, ("shenzhen", False, spread(0.0, 0.3)), ILL, ("shenzhen", True, [0.3] * 20))
    point = chosen(found, rule)
    assert point.threshold <= 0.3
    assert point.rule == "sensitivity 0.9 at the worst source (shenzhen)"


def test_a_specificity_floor_stops_a_sensitivity():
    """No threshold lies below the one of the floor, and the rule says that the floor decided."""
    rule = replace(RULE, rule="sensitivity", value=0.9, specificity_floor=0.8)
    found = images(CALM, LOUD, ILL, ("nih14", True, spread(0.3, 1.0)))
    point = chosen(found, rule)
    assert specificity(found, "nih14", point.threshold) == pytest.approx(0.8, abs=0.02)
    assert point.rule.startswith("specificity 0.8 at the worst source (nih14)")
    assert "sensitivity 0.9" in point.rule
    loose = chosen(found, replace(rule, specificity_floor=0.1))
    assert loose.rule == "sensitivity 0.9 at the worst source (nih14)"


def test_normal_is_called_on_few_ill_images_of_the_worst_source():
    """The rule of a label that is no finding is a specificity over ill images."""
    found = images(
        ("kermany", True, spread(0.5, 1.0)),
        ("kermany", False, spread(0.0, 0.2)),
        ("nih14", False, spread(0.0, 0.8)),
    )
    rule = replace(RULE, rule="sensitivity", value=0.95, normal_specificity=0.9)
    point = chosen(found, rule, NORMAL)
    assert specificity(found, "nih14", point.threshold) == pytest.approx(0.9, abs=0.02)


def test_a_label_may_have_a_specificity_of_its_own():
    """It takes the place of the panel's rule."""
    found = images(CALM, LOUD, ILL, ILL_LOUD)
    own = replace(LABEL, specificity=0.6)
    point = chosen(found, replace(RULE, rule="sensitivity", value=0.95), own)
    assert point.rule == "specificity 0.6 at the worst source (nih14)"


def test_a_label_of_few_patients_has_no_point():
    """Below the stated number of patients of either kind there is a reason instead."""
    point = chosen(images(CALM, ("kermany", True, spread(0.5, 1.0, 19))))
    assert point.threshold is None
    assert point.no_point.startswith("19 validation patients with it, of at least 20")
    point = chosen(images(("kermany", False, spread(0.0, 0.2, 19)), ILL))
    assert point.no_point.startswith("19 validation patients without it")


def test_patients_count_and_not_images():
    """Forty images of ten patients are ten."""
    found = images(CALM, ("kermany", True, spread(0.5, 1.0, 40)))
    clusters = found.clusters.copy()
    clusters[found.present] = [str(place % 10) for place in range(40)]
    assert chosen(replace(found, clusters=clusters)).no_point.startswith("10 validation patients")


def test_a_label_that_the_source_gives_away_has_no_point():
    """Told apart between sources and not within them: the interval reaches below the bar."""
    generator = np.random.default_rng(1)
    low, high = (generator.uniform(start, start + 0.3, (2, 30)).tolist() for start in (0.0, 0.7))
    found = images(
        ("kermany", False, [*low[0], *low[1]]),
        ("kermany", True, generator.uniform(0.0, 0.3, 30).tolist()),
        ("cohen", True, [*high[0], *high[1]]),
        ("cohen", False, generator.uniform(0.7, 1.0, 30).tolist()),
    )
    point = chosen(found)
    assert point.threshold is None
    assert "lower end must lie above 0.6" in point.no_point
    assert area_within_sources(found)["value"] == pytest.approx(0.5, abs=0.12)


def test_a_label_without_both_kinds_in_a_source_has_no_point():
    """Nothing within a source says that the label is told from its absence."""
    point = chosen(images(CALM, ("cohen", True, spread(0.5, 1.0))))
    assert point.no_point == "no source has validation images with it and without it"


def test_no_threshold_lies_below_the_floor_of_probability():
    """A point below it is lifted, and says so."""
    point = chosen(images(CALM, ILL), replace(RULE, floor=0.25))
    assert point.threshold == 0.25
    assert point.rule.startswith("no less than 0.25 (specificity 0.9 at the worst source (kermany)")


def with_children(found: LabelImages) -> LabelImages:
    """Images of the source kermany are of small children."""
    return replace(found, children=found.sources == "kermany")


def test_children_have_a_threshold_of_their_own_where_the_recipe_says_so():
    """Their specificity is over children alone, and the other threshold is over the rest."""
    rule = replace(RULE, child_specificity=0.8)
    found = with_children(images(CALM, LOUD, ILL, ILL_LOUD))
    point = chosen(found, rule)
    assert specificity(found, "kermany", point.child_threshold) == pytest.approx(0.8, abs=0.02)
    assert specificity(found, "nih14", point.threshold) == pytest.approx(0.9, abs=0.02)
    assert point.rule.endswith("and of small children specificity 0.8")
    assert chosen(found).child_threshold is None
    called = found.called(point.threshold, point.child_threshold)
    assert called[found.children & ~found.present].mean() == pytest.approx(0.2, abs=0.02)


def test_adults_are_not_held_to_what_children_score():
    """Where children have a threshold of their own, theirs is no source of the other one."""
    loud_children = [("kermany", False, spread(0.2, 0.6)), ILL]
    found = with_children(images(*loud_children, ("nih14", False, spread(0.0, 0.2)), ILL_LOUD))
    point = chosen(found, replace(RULE, child_specificity=0.8))
    assert point.threshold < 0.2 < point.child_threshold
    assert "(nih14)" in point.rule


def test_few_children_and_labels_that_are_no_finding_share_the_threshold():
    """Fewer patients than a point needs, or the label normal: one threshold for everybody."""
    rule = replace(RULE, child_specificity=0.8)
    few = images(("kermany", False, spread(0.0, 0.2, 10)), LOUD, ILL, ILL_LOUD)
    assert chosen(with_children(few), rule).child_threshold is None
    found = with_children(images(CALM, LOUD, ILL, ILL_LOUD))
    assert chosen(found, rule, NORMAL).child_threshold is None


def test_each_group_must_carry_its_own_threshold():
    """Nineteen ill adults are too few once children are apart, however many ill children are."""
    rule = replace(RULE, child_specificity=0.8)
    found = with_children(images(CALM, LOUD, ILL, ("nih14", True, spread(0.4, 1.0, 19))))
    assert chosen(found).threshold is not None
    point = chosen(found, rule)
    assert (point.threshold, point.child_threshold) == (None, None)
    assert point.no_point.startswith("19 validation patients with it, of at least 20")
    assert point.no_point.endswith(", small children not counted")


def test_children_among_whom_the_label_is_not_told_share_the_threshold():
    """Their own AUROC does not reach the bar, though that of all together does."""
    rule = replace(RULE, child_specificity=0.8)
    alike = [("kermany", present, spread(0.0, 0.2)) for present in (True, False)]
    adults = [("nih14", False, spread(0.0, 0.2, 90)), ("nih14", True, spread(0.5, 1.0, 90))]
    point = chosen(with_children(images(*alike, *adults)), rule)
    assert point.threshold is not None
    assert point.child_threshold is None


def test_few_patients_with_many_images_are_no_source_of_their_own():
    """Forty loud images of four patients do not decide for everybody."""
    found = images(CALM, ILL, ("covid_cxnet", False, spread(0.8, 0.9, 40)))
    assert "(covid_cxnet)" in chosen(found).rule
    clusters = found.clusters.copy()
    clusters[found.sources == "covid_cxnet"] = [f"c{place % 4}" for place in range(40)]
    assert "(kermany)" in chosen(replace(found, clusters=clusters)).rule


def test_a_gate_takes_all_sources_together():
    """Its rule is pooled and asks for no number of patients."""
    rule = OperatingPointRecipe("sensitivity", 0.9)
    found = images(("kermany", True, spread(0.5, 1.0, 10)), ("drawn", False, [0.1] * 3))
    assert chosen(found, rule, kind="gate").rule == "sensitivity 0.9"
    with pytest.raises(NoOperatingPoint):
        chosen(images(("kermany", True, [0.9])), rule, kind="gate")


def test_youden_takes_all_sources_together():
    """It has no worst source; the rule says so."""
    point = chosen(images(CALM, LOUD, ILL, ILL_LOUD), OperatingPointRecipe("youden"))
    assert point.rule.endswith("all sources together")
