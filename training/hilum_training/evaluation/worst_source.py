"""Operating points that hold at every source of the validation images, or none at all.

A threshold that is right on average is wrong somewhere: 90 % specificity over all sources together
left one hospital's healthy children with nine findings an image. So the threshold of a label is the
largest that any source asks for. A label has none unless enough patients have it and lack it, and
unless it is told from its absence within sources: between them the hospital gives it away.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from hilum_training.evaluation.operating_points import choose_point, rounded
from hilum_training.measures.bootstrap import PatientBootstrap
from hilum_training.measures.source_groups import groups

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from hilum_training.evaluation.label_images import LabelImages
    from hilum_training.panel_recipe import LabelRecipe, OperatingPointRecipe

_GATE: Final = "gate"
_ROUNDING: Final = 1e-9
"""A share times a count is a count but for rounding."""


@dataclass(frozen=True, slots=True)
class LabelPoint:
    """What was chosen for a label.

    Attributes:
        threshold: In (0, 1), four decimals, or None.
        rule: Which rule and which source decided, for people; empty without a threshold.
        no_point: Why there is no threshold, for people; empty with one.
        child_threshold: The threshold for images of small children, where it differs.
    """

    threshold: float | None
    rule: str = ""
    no_point: str = ""
    child_threshold: float | None = None


def point_of(
    kind: str, label: LabelRecipe, images: LabelImages, recipe: OperatingPointRecipe
) -> LabelPoint:
    """Choose a label's operating point.

    Args:
        kind: Of the panel. A gate's point is of all sources together.
        label: With its own specificity, if it has one.
        images: Validation images on which it is known whether the label is there.
        recipe: The panel's rule.

    Raises:
        NoOperatingPoint: A gate has no validation image without the label.
    """
    if kind == _GATE:
        chosen = choose_point(images.scores, images.present, recipe)
        return LabelPoint(chosen.threshold, chosen.rule)
    child = _for_children(label, images, recipe)
    if child is not None and images.children is not None:
        images = images.take(~images.children)
    if reason := lacking(images, recipe):
        apart = "" if child is None else ", small children not counted"
        return LabelPoint(None, no_point=f"{reason}{apart}")
    threshold, rule = _by_rule(label, images, recipe)
    if threshold < recipe.floor:
        threshold, rule = recipe.floor, f"no less than {recipe.floor:g} ({rule})"
    if child is None:
        return LabelPoint(threshold, rule)
    rule = f"{rule}, and of small children specificity {recipe.child_specificity:g}"
    return LabelPoint(threshold, rule, child_threshold=child)


def _for_children(
    label: LabelRecipe, images: LabelImages, recipe: OperatingPointRecipe
) -> float | None:
    """The threshold of a finding for children, where the recipe wants one and they carry it."""
    if recipe.child_specificity is None or not label.abnormal or images.children is None:
        return None
    own = images.take(images.children)
    if lacking(own, recipe):
        return None
    return _at_specificity(own.scores[~own.present], images.scores, recipe.child_specificity)


def area_within_sources(images: LabelImages) -> dict[str, Any]:
    """Return the AUROC within sources, a figure with its interval by patient."""
    draws = PatientBootstrap(images.clusters.tolist())
    return draws.area_within(images.scores, images.present, images.sources)


def lacking(images: LabelImages, recipe: OperatingPointRecipe) -> str:
    """Return what a label lacks for an operating point, or an empty string."""
    for present, words in ((True, "with"), (False, "without")):
        count = images.patients(present=present)
        if count < recipe.fewest_patients:
            return (
                f"{count} validation patients {words} it, of at least {recipe.fewest_patients} "
                "that an operating point needs"
            )
    area = area_within_sources(images)
    if area["interval"] is None:
        return "no source has validation images with it and without it"
    low, high = area["interval"]
    if low <= recipe.bar:
        return (
            f"the AUROC within sources is {area['value']:.2f} ({low:.2f} to {high:.2f}) on "
            f"validation images, and its lower end must lie above {recipe.bar:g}"
        )
    return ""


def _by_rule(
    label: LabelRecipe, images: LabelImages, recipe: OperatingPointRecipe
) -> tuple[float, str]:
    wanted = _specificity(label, recipe)
    if wanted is not None:
        return specificity_everywhere(images, wanted, recipe.fewest)
    if recipe.rule == "youden":
        chosen = choose_point(images.scores, images.present, recipe)
        return chosen.threshold, f"{chosen.rule}, all sources together"
    threshold, rule = sensitivity_everywhere(images, recipe.value or 0.0, recipe.fewest)
    if recipe.specificity_floor is None:
        return threshold, rule
    least, bound = specificity_everywhere(images, recipe.specificity_floor, recipe.fewest)
    if threshold >= least:
        return threshold, rule
    return least, f"{bound}, which is above that of {rule}"


def _specificity(label: LabelRecipe, recipe: OperatingPointRecipe) -> float | None:
    """What a label is to reach, if its rule is a specificity."""
    if label.specificity is not None:
        return label.specificity
    if not label.abnormal:
        return recipe.normal_specificity
    return recipe.value if recipe.rule == "specificity" else None


def specificity_everywhere(images: LabelImages, wanted: float, fewest: int) -> tuple[float, str]:
    """Return the smallest threshold with a specificity at every source, and what decided.

    Args:
        images: Of the label.
        wanted: The specificity.
        fewest: Patients without the label from which a source counts by itself.
    """
    absent = images.take(~images.present)
    found = {
        name: _at_specificity(absent.scores[chosen], images.scores, wanted)
        for name, chosen in groups(absent.sources, absent.clusters, fewest).items()
    }
    worst = max(found, key=lambda name: found[name])
    return found[worst], f"specificity {wanted:g} at the worst source ({worst})"


def sensitivity_everywhere(images: LabelImages, wanted: float, fewest: int) -> tuple[float, str]:
    """Return the largest threshold with a sensitivity at every source, and what decided.

    Args:
        images: Of the label.
        wanted: The sensitivity.
        fewest: Patients with the label from which a source counts by itself.
    """
    carrying = images.take(images.present)
    found = {
        name: _at_sensitivity(carrying.scores[chosen], images.scores, wanted)
        for name, chosen in groups(carrying.sources, carrying.clusters, fewest).items()
    }
    worst = min(found, key=lambda name: found[name])
    return found[worst], f"sensitivity {wanted:g} at the worst source ({worst})"


def _at_specificity(
    absent: NDArray[np.float64], every: NDArray[np.float64], wanted: float
) -> float:
    """The smallest threshold with a specificity.

    It lies half way from the highest score that must stay below it to the next higher one of every
    source: a source of a dozen images has none itself, and half way to 1 would silence the label.
    """
    allowed = math.floor((1 - wanted) * len(absent) + _ROUNDING)
    if allowed >= len(absent):
        return rounded(0.0)
    bound = float(np.sort(absent)[::-1][allowed])
    higher = every[every > bound]
    threshold = rounded((bound + (float(higher.min()) if len(higher) else 1.0)) / 2)
    # Four decimals may fall below a bound that lies close to the next score.
    return threshold if threshold > bound else rounded(math.ceil(bound * 1e4 + _ROUNDING) / 1e4)


def _at_sensitivity(
    carrying: NDArray[np.float64], every: NDArray[np.float64], wanted: float
) -> float:
    """The largest threshold with a sensitivity, half way to the next lower score of any image."""
    needed = math.ceil(wanted * len(carrying) - _ROUNDING)
    if needed < 1:
        return rounded(1.0)
    bound = float(np.sort(carrying)[::-1][needed - 1])
    lower = every[every < bound]
    threshold = rounded((bound + (float(lower.max()) if len(lower) else 0.0)) / 2)
    return threshold if threshold <= bound else rounded(math.floor(bound * 1e4) / 1e4)
