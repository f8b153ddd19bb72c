"""The probability at and above which a label is read as positive, chosen on validation films."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hilum_training.panel_recipe import OperatingPointRecipe


_PLATEAU: Final = 0.01
FEWEST_FOR_OWN_POINT: Final = 5
"""Validation films with a label from which a rule follows more than single films."""
FALLBACK_SPECIFICITY: Final = 0.95


class NoOperatingPoint(RuntimeError):
    """The validation films hold no film without the label: no rule can choose."""


@dataclass(frozen=True, slots=True)
class ChosenPoint:
    """A threshold in (0, 1), four decimals, and the rule that chose it, for people."""

    threshold: float
    rule: str


def choose_point(
    scores: NDArray[np.float64], positive: NDArray[np.bool_], recipe: OperatingPointRecipe
) -> ChosenPoint:
    """Threshold by the recipe's rule.

    ``youden``: the largest sensitivity + specificity; where thresholds within a hundredth of it
    differ, the middle one of them, since which of them is the very best is chance.
    ``sensitivity``: the largest threshold that still reaches the wanted sensitivity.
    ``specificity``: the smallest threshold that reaches the wanted specificity.
    With fewer than five positives the first two would follow single films: then the threshold is
    the one of specificity 0.95. It lies half way to the next lower score, so that a rounding
    difference between two runtimes does not flip the film that defined it; never below the
    recipe's floor.

    Args:
        scores: float [N], calibrated probabilities.
        positive: bool [N].
        recipe: Rule.

    Raises:
        NoOperatingPoint: No negative film.
    """
    chosen = _by_rule(scores, positive, recipe)
    if chosen.threshold >= recipe.floor:
        return chosen
    return ChosenPoint(recipe.floor, f"no less than {recipe.floor:g} ({chosen.rule})")


def _by_rule(
    scores: NDArray[np.float64], positive: NDArray[np.bool_], recipe: OperatingPointRecipe
) -> ChosenPoint:
    if positive.all():
        raise NoOperatingPoint("validation needs films without the label")
    if recipe.rule != "specificity" and int(positive.sum()) < FEWEST_FOR_OWN_POINT:
        rule = f"specificity {FALLBACK_SPECIFICITY:g} (too few positives for the wanted rule)"
        return ChosenPoint(at_specificity(scores, positive, FALLBACK_SPECIFICITY), rule)
    if recipe.rule == "youden":
        return ChosenPoint(_youden(scores, positive), "largest sensitivity + specificity")
    value = recipe.value or 0.0
    of_rule = at_sensitivity if recipe.rule == "sensitivity" else at_specificity
    return ChosenPoint(of_rule(scores, positive, value), f"{recipe.rule} {value:g}")


def best_accuracy(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    """The threshold with the most right answers; in the middle of its plateau."""
    values, sensitivity, specificity = _curve(scores, positive)
    share = positive.mean()
    right = np.nan_to_num(sensitivity) * share + np.nan_to_num(specificity) * (1 - share)
    best = np.flatnonzero(right >= right.max() - 1e-9)
    return _below(values, int(best[(len(best) - 1) // 2]))


def _youden(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    values, sensitivity, specificity = _curve(scores, positive)
    index = sensitivity + specificity
    best = np.flatnonzero(index >= index.max() - _PLATEAU)
    return _below(values, int(best[(len(best) - 1) // 2]))


def at_sensitivity(
    scores: NDArray[np.float64], positive: NDArray[np.bool_], wanted: float
) -> float:
    """Return the largest threshold that reaches a sensitivity.

    Args:
        scores: float [N].
        positive: bool [N]; one at least is positive.
        wanted: The sensitivity.
    """
    values, sensitivity, _ = _curve(scores, positive)
    return _below(values, int(np.flatnonzero(sensitivity >= wanted)[-1]))


def at_specificity(
    scores: NDArray[np.float64], positive: NDArray[np.bool_], wanted: float
) -> float:
    """Return the smallest threshold that reaches a specificity.

    Args:
        scores: float [N].
        positive: bool [N]; one at least is negative.
        wanted: The specificity.
    """
    values, _, specificity = _curve(scores, positive)
    reached = np.flatnonzero(specificity >= wanted)
    if len(reached):
        return _below(values, int(reached[0]))
    return rounded((float(values[-1]) + 1.0) / 2)


def _curve(
    scores: NDArray[np.float64], positive: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Distinct scores, ascending, with sensitivity and specificity at each as threshold."""
    values, places = np.unique(scores, return_inverse=True)
    on = np.bincount(places[positive], minlength=len(values))
    off = np.bincount(places[~positive], minlength=len(values))
    with np.errstate(invalid="ignore"):
        sensitivity = on[::-1].cumsum()[::-1] / on.sum()
        specificity = (off.cumsum() - off) / off.sum()
    return values, sensitivity, specificity


def _below(values: NDArray[np.float64], chosen: int) -> float:
    below = values[chosen - 1] if chosen else 0.0
    return rounded(float((values[chosen] + below) / 2))


def rounded(threshold: float) -> float:
    """Return a threshold as it is shipped: four decimals, inside (0, 1)."""
    return min(max(round(threshold, 4), 0.0001), 0.9999)
