"""The population whose images a panel's operating points are valid for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

AGE: Final = "age_outside_scope"
VIEW: Final = "view_outside_scope"
CHILD: Final = "looks_like_a_child"
UNLIKE_TRAINING: Final = "unlike_training_images"
CHILD_BELOW: Final = 10.0
"""Years: who is younger has the operating points for children, where a label has such."""
CHILD_MEASURE: Final = "child"

REASONS: Final[Mapping[str, str]] = {
    AGE: "not validated for the patient's age",
    VIEW: "not validated for this view",
    CHILD: "not validated for children, and the image looks like a child's",
    UNLIKE_TRAINING: "the image is unlike those that the model was trained on",
}
"""What each cause means, in words that follow "Not assessed:"."""


@dataclass(frozen=True, slots=True)
class ScopeLimit:
    """A bound on what the pixels say.

    Attributes:
        measure: One of the model's :attr:`~hilum.domain.manifest.ModelManifest.scope_measures`.
        at_most: The largest value inside the scope.
        reason: The cause of an image beyond it, a key of :data:`REASONS`.
    """

    measure: str
    at_most: float
    reason: str


@dataclass(frozen=True, slots=True)
class Scope:
    """A population. Without any bound every image lies inside.

    Attributes:
        minimum_age: Years, or None.
        maximum_age: Years, or None.
        views: Accepted values of View Position (0018,5101). Empty accepts all.
        limits: Bounds on what the pixels say.
        sources: Where the images come from that the panel was trained on, for people.
        never_shown: Who was not among them, for people.
        child_above: Value of the measure ``child`` above which an image without a stated age is
            taken for a small child's; None: no image is.
    """

    minimum_age: float | None = None
    maximum_age: float | None = None
    views: tuple[str, ...] = ()
    limits: tuple[ScopeLimit, ...] = ()
    sources: tuple[str, ...] = ()
    never_shown: tuple[str, ...] = ()
    child_above: float | None = None

    @property
    def bounds(self) -> tuple[object, ...]:
        """Everything that decides a verdict; empty where nothing does."""
        bounds = (
            self.minimum_age,
            self.maximum_age,
            self.views,
            self.limits,
            *((self.child_above,) if self.child_above is not None else ()),
        )
        return bounds if any(bound not in (None, ()) for bound in bounds) else ()

    @property
    def ages(self) -> str:
        """The ages in words, empty without a bound."""
        if self.minimum_age is None and self.maximum_age is None:
            return ""
        if self.maximum_age is None:
            return f"{self.minimum_age:g} years and older"
        return f"{self.minimum_age or 0:g} to {self.maximum_age:g} years"


@dataclass(frozen=True, slots=True)
class Depicted:
    """What is known of an image and the person on it.

    Attributes:
        age: Years, or None where nothing says.
        view: View Position, or empty.
        measures: What the pixels say, by name of the measure.
    """

    age: float | None = None
    view: str = ""
    measures: Mapping[str, float] = field(default_factory=dict)


def shows_a_child(scope: Scope, depicted: Depicted) -> bool:
    """Return whether an image counts as a small child's: by the stated age, else by the pixels."""
    if depicted.age is not None:
        return depicted.age < CHILD_BELOW
    measured = depicted.measures.get(CHILD_MEASURE)
    return scope.child_above is not None and measured is not None and measured > scope.child_above


def outside(scope: Scope, depicted: Depicted) -> str:
    """Return why an image lies outside a scope, a key of :data:`REASONS`, or an empty string.

    What is not known is not held against an image. A stated age decides before the pixels do: they
    cannot call a patient a child whose age is in range.
    """
    if depicted.age is not None:
        below = scope.minimum_age is not None and depicted.age < scope.minimum_age
        above = scope.maximum_age is not None and depicted.age > scope.maximum_age
        if below or above:
            return AGE
    if scope.views and depicted.view and depicted.view not in scope.views:
        return VIEW
    for limit in scope.limits:
        if limit.reason == CHILD and depicted.age is not None:
            continue
        if depicted.measures.get(limit.measure, limit.at_most) > limit.at_most:
            return limit.reason
    return ""
