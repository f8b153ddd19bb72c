"""Which images lie inside the scopes of panels, by what their pixels say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hilum.domain.scope import Depicted, Scope, ScopeLimit, outside, shows_a_child
from hilum_training.population.probe import MEASURES, REASONS, children_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from hilum_training.films.pack import Film
    from hilum_training.panel_recipe import ScopeRecipe


def scope_of(recipe: ScopeRecipe, measured: Mapping[str, Any]) -> Scope:
    """Build a panel's scope.

    Args:
        recipe: Ages, views, and the measures that bound it.
        measured: ``limits`` by measure, ``sources`` and ``never_shown``, as the report has them.
    """
    return Scope(
        minimum_age=recipe.minimum_age,
        maximum_age=recipe.maximum_age,
        views=recipe.views,
        limits=tuple(
            ScopeLimit(name, measured["limits"][name], REASONS[name]) for name in recipe.limits
        ),
        sources=tuple(measured.get("sources", ())),
        never_shown=tuple(measured.get("never_shown", ())),
        child_above=measured.get("child_above"),
    )


@dataclass(frozen=True, slots=True)
class Population:
    """Which of N images lie inside scopes, and which count as small children's.

    Attributes:
        inside: bool [N] by panel: inside its scope.
        children: bool [N]: taken for a small child's.
    """

    inside: dict[str, NDArray[np.bool_]]
    children: NDArray[np.bool_]

    @classmethod
    def of(cls, scopes: Mapping[str, Scope], measures: NDArray[np.floating]) -> Population:
        """Apply scopes to measures, as for files that state neither age nor view.

        Children are those of a panel that has operating points for such.

        Args:
            scopes: By panel.
            measures: float [N, 2] in the order of :data:`MEASURES`.
        """
        depicted = [
            Depicted(measures=dict(zip(MEASURES, values, strict=True)))
            for values in measures.tolist()
        ]
        inside = {
            name: np.array([not outside(scope, seen) for seen in depicted], dtype=bool)
            for name, scope in scopes.items()
        }
        children = [
            any(shows_a_child(scope, seen) for scope in scopes.values()) for seen in depicted
        ]
        return cls(inside, np.array(children, dtype=bool))

    @classmethod
    def as_recorded(cls, panel: str, films: Sequence[Film]) -> Population:
        """Take who is a child from the records, with every image inside a panel's scope."""
        return cls({panel: np.ones(len(films), dtype=bool)}, children_of(films))
