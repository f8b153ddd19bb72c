"""A panel: one reading that a model gives, with its labels and operating points."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from hilum.domain.errors import InvalidManifest
from hilum.domain.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class CodedConcept:
    """A code from a terminology (DICOM PS3.16 section 8): scheme, value and meaning."""

    scheme: str
    value: str
    meaning: str


class Rank(StrEnum):
    """How far the evidence carries a label.

    ``validated``: its verdict is shown. ``experimental``: folded away, and without a verdict at a
    site until an administrator switches it on there. ``not_shown``: on no surface.
    """

    VALIDATED = "validated"
    EXPERIMENTAL = "experimental"
    NOT_SHOWN = "not_shown"


@dataclass(frozen=True, slots=True)
class Label:
    """One output class.

    Attributes:
        name: Stable identifier, e.g. ``pneumonia_bacterial``.
        display: For people, e.g. ``Bacterial pneumonia``.
        code: SNOMED CT or RadLex concept, where one fits.
        weak: The evidence does not carry this label. Superseded by ``rank``.
        abnormal: A positive verdict is a finding (``normal`` is not).
        rank: How far the evidence carries it.
        prevalence: Share of images with it for which predictive values are stated, or None.
    """

    name: str
    display: str
    code: CodedConcept | None = None
    weak: bool = False
    abnormal: bool = True
    rank: Rank = Rank.VALIDATED
    prevalence: float | None = None


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """The probability at and above which a label is read as positive.

    Attributes:
        label: Label name.
        threshold: In [0, 1], compared to the calibrated probability.
        sensitivity: Measured on the split named in ``fitted_on``.
        specificity: Measured on the same split.
        fitted_on: Which images chose it.
        beyond_scope: Causes of lying outside the panel's scope for which it holds, too: a site
            fitted it on its own images of that kind. Keys of :data:`hilum.domain.scope.REASONS`.
        child_threshold: The threshold for images of small children, where it differs, or None.
    """

    label: str
    threshold: float
    sensitivity: float | None = None
    specificity: float | None = None
    fitted_on: str = ""
    beyond_scope: tuple[str, ...] = ()
    child_threshold: float | None = None

    def threshold_for(self, *, child: bool) -> float:
        """Return the threshold for an image of a small child, or of anybody else."""
        return self.threshold if self.child_threshold is None or not child else self.child_threshold

    def holds(self, beyond: str) -> bool:
        """Return whether it holds for an image outside the scope for a cause, or inside (empty)."""
        return not beyond or beyond in self.beyond_scope


class PanelKind(StrEnum):
    """How a panel's outputs are read.

    ``single_label``: K probabilities that sum to 1. ``multi_label``: K probabilities, each of its
    own. ``gate``: like ``single_label``, the film is read further only if the label ``frontal`` is
    positive. ``structures``: K masks.
    """

    SINGLE_LABEL = "single_label"
    MULTI_LABEL = "multi_label"
    GATE = "gate"
    STRUCTURES = "structures"


FRONTAL: Final = "frontal"
"""The label of the gate that lets a film through."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One reading that a model gives.

    Attributes:
        name: Stable identifier, e.g. ``pneumonia``.
        display: For people, e.g. ``Pneumonia``.
        kind: How its outputs are read.
        labels: In the order of the output axis K.
        operating_points: At most one per label. A label without one gets no verdict. A gate has
            one for each label, structures have none.
        calibration: Method and parameters, and whether the graph already applies them.
        metrics: Measured metrics with intervals and the split they were measured on.
        caution: One sentence that every surface shows with the panel, or empty.
        scope: The population that the operating points are valid for.
    """

    name: str
    display: str
    kind: PanelKind
    labels: tuple[Label, ...]
    operating_points: tuple[OperatingPoint, ...] = ()
    calibration: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    caution: str = ""
    scope: Scope = field(default_factory=Scope)

    def __post_init__(self) -> None:
        """Check what reading relies on.

        Raises:
            InvalidManifest: Labels and operating points do not fit one another.
        """
        names = [label.name for label in self.labels]
        if not names or len(set(names)) != len(names):
            raise InvalidManifest(f"{self.name}: no label, or a label stands twice")
        points = [point.label for point in self.operating_points]
        allowed = [] if self.kind is PanelKind.STRUCTURES else names
        if len(set(points)) != len(points) or not set(points) <= set(allowed):
            raise InvalidManifest(f"{self.name}: operating points and labels differ")
        if self.kind is PanelKind.GATE and len(points) != len(names):
            raise InvalidManifest(f"{self.name}: a gate needs an operating point for each label")
        bounds = [
            point.threshold_for(child=child)
            for point in self.operating_points
            for child in (False, True)
        ]
        if not all(0.0 <= bound <= 1.0 for bound in bounds):
            raise InvalidManifest(f"{self.name}: an operating point lies outside [0, 1]")
        if self.kind is PanelKind.GATE and FRONTAL not in names:
            raise InvalidManifest(f"{self.name}: a gate needs the label {FRONTAL}")

    def operating_point(self, label: str) -> OperatingPoint | None:
        """Return the operating point of a label, or None where it has none."""
        return next((point for point in self.operating_points if point.label == label), None)
