"""The part of a recipe that says what a panel is: labels, what it learns from, what it is asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from hilum.domain.panel import Rank
from hilum_training.recipe_checks import check_part
from hilum_training.recipe_errors import InvalidRecipe
from hilum_training.recipe_toml import built, taken

SCOPE_MEASURES: Final = ("distance", "child")
"""What a scope may bound; a test keeps it with :mod:`hilum_training.population.probe`."""


@dataclass(frozen=True, slots=True)
class OperatingPointRecipe:
    """How thresholds are chosen on validation images.

    A gate's thresholds are of all sources together. Every other panel takes them at the worst
    source; see :mod:`hilum_training.evaluation.worst_source`.

    Attributes:
        rule: ``youden``, ``sensitivity`` or ``specificity``.
        value: The wanted sensitivity or specificity.
        floor: No threshold lies below it: an answer that the panel itself holds unlikely is not
            called positive, however rare the label is among the films that chose the threshold.
        specificity_floor: Rule ``sensitivity``: no threshold lies below the one with this
            specificity at the worst source.
        normal_specificity: Of labels that are no finding, over the ill images of the worst source.
        child_specificity: Of findings, over images of small children, which then have a threshold
            of their own; None: one threshold holds for everybody.
        fewest: A source with fewer patients of the kind that a rule asks for is pooled with others.
        fewest_patients: Validation patients with the label, and without it, that a threshold needs.
        bar: The lower end of the interval of a label's AUROC within sources must lie above it.
    """

    rule: str
    value: float | None = None
    floor: float = 0.0
    specificity_floor: float | None = None
    normal_specificity: float = 0.9
    child_specificity: float | None = None
    fewest: int = 8
    fewest_patients: int = 20
    bar: float = 0.6


@dataclass(frozen=True, slots=True)
class ScopeRecipe:
    """The population that a panel's operating points are valid for; see :mod:`hilum.domain.scope`.

    Attributes:
        minimum_age: Years.
        maximum_age: Years.
        views: Accepted values of View Position; empty for all.
        limits: Measures of :mod:`hilum_training.population.probe` that bound it.
    """

    minimum_age: float | None = None
    maximum_age: float | None = None
    views: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LossRecipe:
    """How films count in a panel's loss; see :mod:`hilum_training.learning.weighing`.

    Attributes:
        class_weights: A class of n films weighs in proportion to n ** -class_weights.
        focus: Exponent of the focal loss; 0 is cross-entropy.
    """

    class_weights: float = 0.0
    focus: float = 0.0


@dataclass(frozen=True, slots=True)
class LabelRecipe:
    """How a label is shown and coded (SNOMED CT); see :class:`hilum.domain.model.Label`.

    Attributes:
        weak: Of a structure: the evidence does not carry it.
        rank: A value of :class:`hilum.domain.panel.Rank`.
        prevalence: Share of images with it for which predictive values are stated.
        specificity: At the worst source, instead of what the panel's operating point asks for.
    """

    name: str
    display: str
    code: str = ""
    meaning: str = ""
    weak: bool = False
    abnormal: bool = True
    rank: str = Rank.VALIDATED.value
    prevalence: float | None = None
    specificity: float | None = None


@dataclass(frozen=True, slots=True)
class ComparisonRecipe:
    """A question put to the test split within one source.

    Attributes:
        name: The question.
        source: Films of this source only.
        positive: Recorded labels on one side.
        negative: Recorded labels on the other.
        positive_outputs: Outputs whose mass is the score's numerator.
        negative_outputs: With them, the denominator.
    """

    name: str
    source: str
    positive: tuple[str, ...]
    negative: tuple[str, ...]
    positive_outputs: tuple[str, ...]
    negative_outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PanelRecipe:
    """One panel: a head on the shared trunk.

    Attributes:
        name: Of the panel, as served.
        display: For people.
        kind: ``single_label``, ``multi_label`` or ``gate``.
        labels: Outputs, in the order of the axis K.
        operating_point: How the thresholds are chosen.
        candidates: Recorded label -> labels that it allows; others are probes, never trained on.
            A multi-label panel has none: it takes the film's findings as they are.
        sources: Films of these sources train and test the panel; empty for all.
        comparisons: What the test split is asked.
        weight: Of its loss, beside the other panels'.
        loss: What weighs within it.
        caution: One sentence that every surface shows with the panel.
        scope: The population that its operating points are valid for.
    """

    name: str
    display: str
    kind: str
    labels: tuple[LabelRecipe, ...]
    operating_point: OperatingPointRecipe
    candidates: dict[str, tuple[str, ...]] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    comparisons: tuple[ComparisonRecipe, ...] = ()
    weight: float = 1.0
    loss: LossRecipe = field(default_factory=LossRecipe)
    caution: str = ""
    scope: ScopeRecipe = field(default_factory=ScopeRecipe)

    @property
    def names(self) -> tuple[str, ...]:
        """Label names."""
        return tuple(label.name for label in self.labels)


def panel_recipe(document: Any) -> PanelRecipe:
    """A panel from its table in a TOML file.

    Raises:
        InvalidRecipe: A key is missing or unknown, or its parts do not fit.
    """
    panel = read_panel(document)
    check_panel(panel)
    return panel


def read_panel(document: Any) -> PanelRecipe:
    """A panel from its table in a TOML file, unchecked; see :func:`panel_recipe`.

    Raises:
        InvalidRecipe: A key is missing or unknown.
    """
    if not isinstance(document, dict):
        raise InvalidRecipe("[[panel]] is no table")
    table = dict(document)
    where = f"panel {table.get('name', 'without a name')}"
    candidates = taken(table, "candidates", dict, {})
    point = taken(table, "operating_point", dict)
    parts = {
        "candidates": {key: _names(key, value) for key, value in candidates.items()},
        "labels": tuple(
            built(LabelRecipe, label, f"{where}, label") for label in taken(table, "label", list)
        ),
        "operating_point": built(OperatingPointRecipe, point, f"{where}, operating_point"),
        "comparisons": tuple(
            built(ComparisonRecipe, item, f"{where}, comparison")
            for item in taken(table, "comparison", list, [])
        ),
        "loss": built(LossRecipe, taken(table, "loss", dict, {}), f"{where}, loss"),
        "scope": built(ScopeRecipe, taken(table, "scope", dict, {}), f"{where}, scope"),
    }
    return built(PanelRecipe, {**table, **parts}, where)


def _names(recorded: str, allowed: Any) -> tuple[str, ...]:
    if not isinstance(allowed, list) or not all(isinstance(name, str) for name in allowed):
        raise InvalidRecipe(f"candidates: {recorded} is {allowed!r}, not an array, each a text")
    return tuple(allowed)


def check_panel(panel: PanelRecipe) -> None:
    """Check what a panel's parts ask of one another.

    Raises:
        InvalidRecipe: They do not fit.
    """
    if panel.kind not in {"single_label", "multi_label", "gate"}:
        raise InvalidRecipe(f"{panel.name}: no kind {panel.kind}")
    if panel.kind == "multi_label" and panel.candidates:
        raise InvalidRecipe(f"{panel.name}: a multi-label panel has no candidates")
    check_part("panel", panel, panel.name)
    check_part("panel.loss", panel.loss, f"{panel.name}, loss")
    check_part("panel.operating_point", panel.operating_point, f"{panel.name}, operating_point")
    _check_scope(panel)
    for label in panel.labels:
        check_label(label, panel.name)
    labels = set(panel.names)
    for recorded, allowed in panel.candidates.items():
        if not allowed or not set(allowed) <= labels:
            raise InvalidRecipe(f"{recorded} may be {allowed}, which are not all labels")
    for comparison in panel.comparisons:
        _check_comparison(panel, comparison)
    point = panel.operating_point
    if point.rule not in {"youden", "sensitivity", "specificity"}:
        raise InvalidRecipe(f"{panel.name}: no operating point rule {point.rule}")
    if point.rule != "youden" and point.value is None:
        raise InvalidRecipe(f"{panel.name}: the operating point's value is missing")


def _check_scope(panel: PanelRecipe) -> None:
    check_part("panel.scope", panel.scope, f"{panel.name}, scope")
    if unknown := set(panel.scope.limits) - set(SCOPE_MEASURES):
        raise InvalidRecipe(f"{panel.name}, scope: nothing measures {', '.join(sorted(unknown))}")


def check_label(label: LabelRecipe, panel: str) -> None:
    """Check a label's rank and values.

    Raises:
        InvalidRecipe: There is no such rank, or a value is out of bounds.
    """
    where = f"{panel}, label {label.name}"
    if label.rank not in set(Rank):
        raise InvalidRecipe(f"{where}: no rank {label.rank!r}: there are {', '.join(Rank)}")
    check_part("panel.label", label, where)


def _check_comparison(panel: PanelRecipe, comparison: ComparisonRecipe) -> None:
    asked = f"{panel.name}, {comparison.name!r}"
    outputs = {*comparison.positive_outputs, *comparison.negative_outputs}
    if unknown := outputs - set(panel.names):
        raise InvalidRecipe(f"{asked}: no labels of the panel: {', '.join(sorted(unknown))}")
    recorded = {*comparison.positive, *comparison.negative}
    # A multi-label panel has no candidates: any recorded label may stand on a side.
    if panel.candidates and (unknown := recorded - set(panel.candidates)):
        raise InvalidRecipe(f"{asked}: not among the candidates: {', '.join(sorted(unknown))}")
    if panel.sources and comparison.source not in panel.sources:
        raise InvalidRecipe(f"{asked}: {comparison.source} is no source of the panel")
