"""The probability at and above which a label is read as positive, chosen on validation films."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hilum_training.recipe import OperatingPointRecipe


_PLATEAU: Final = 0.01


class NoOperatingPoint(RuntimeError):
    """The validation films hold no positive or no negative of a label."""


def choose_threshold(
    scores: NDArray[np.float64], positive: NDArray[np.bool_], recipe: OperatingPointRecipe
) -> float:
    """Threshold by the recipe's rule.

    ``youden``: the largest sensitivity + specificity; where thresholds within a hundredth of it
    differ, the middle one of them, since which of them is the very best is chance.
    ``sensitivity``: the largest threshold that still reaches the wanted sensitivity.
    The threshold lies half way to the next lower score, so that a rounding difference between two
    runtimes does not flip the film that defined it.

    Args:
        scores: float [N], calibrated probabilities.
        positive: bool [N].
        recipe: Rule.

    Returns:
        In (0, 1), rounded to four decimals.

    Raises:
        NoOperatingPoint: Only one kind of film.
    """
    if positive.all() or not positive.any():
        raise NoOperatingPoint("validation needs films with the label and films without")
    values = np.unique(scores)
    called = scores[np.newaxis, :] >= values[:, np.newaxis]
    sensitivity = called[:, positive].mean(axis=1)
    specificity = (~called[:, ~positive]).mean(axis=1)
    if recipe.rule == "youden":
        index = sensitivity + specificity
        best = np.flatnonzero(index >= index.max() - _PLATEAU)
        chosen = int(best[(len(best) - 1) // 2])
    else:
        chosen = int(np.flatnonzero(sensitivity >= (recipe.sensitivity or 0.0))[-1])
    below = values[chosen - 1] if chosen else 0.0
    middle = float((values[chosen] + below) / 2)
    return min(max(round(middle, 4), 0.0001), 0.9999)
