"""From a panel's probabilities to the labels that it names, as the product does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from hilum.domain.panel import PanelKind, Rank
from hilum.domain.verdict import named_labels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from hilum.domain.panel import Panel
    from hilum_training.panel_recipe import PanelRecipe


@dataclass(frozen=True, slots=True)
class PanelPoints:
    """What decides a panel's verdicts.

    Attributes:
        name: Of the panel.
        kind: How its outputs are read.
        labels: In the order of the output axis K.
        abnormal: Labels whose positive verdict is a finding.
        ranks: Rank of each label.
        thresholds: Operating points by label. A label without one is never named.
        child_thresholds: Those for images of small children, of labels where they differ.
    """

    name: str
    kind: PanelKind
    labels: tuple[str, ...]
    abnormal: frozenset[str]
    ranks: Mapping[str, Rank]
    thresholds: Mapping[str, float]
    child_thresholds: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of_recipe(
        cls,
        panel: PanelRecipe,
        thresholds: Mapping[str, float],
        child_thresholds: Mapping[str, float] | None = None,
    ) -> PanelPoints:
        """Take a recipe's panel with thresholds that were chosen for it."""
        return cls(
            name=panel.name,
            kind=PanelKind(panel.kind),
            labels=panel.names,
            abnormal=frozenset(label.name for label in panel.labels if label.abnormal),
            ranks={label.name: Rank(label.rank) for label in panel.labels},
            thresholds=thresholds,
            child_thresholds=child_thresholds or {},
        )

    @classmethod
    def of_manifest(cls, panel: Panel) -> PanelPoints:
        """Take a panel as it is shipped."""
        return cls(
            name=panel.name,
            kind=panel.kind,
            labels=tuple(label.name for label in panel.labels),
            abnormal=frozenset(label.name for label in panel.labels if label.abnormal),
            ranks={label.name: label.rank for label in panel.labels},
            thresholds={point.label: point.threshold for point in panel.operating_points},
            child_thresholds={
                point.label: point.child_threshold
                for point in panel.operating_points
                if point.child_threshold is not None
            },
        )

    def reached(
        self, chances: NDArray[np.floating], children: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """Return which labels reach their points, each judged by itself.

        Args:
            chances: float [N, K], calibrated probabilities.
            children: bool [N], images of small children.

        Returns:
            bool [N, K]. A label without a point reaches none.
        """
        points = [self.thresholds.get(label, np.inf) for label in self.labels]
        own = [self.child_thresholds.get(label, points[k]) for k, label in enumerate(self.labels)]
        return np.asarray(chances >= np.where(children[:, np.newaxis], own, points))

    def named(
        self,
        chances: NDArray[np.floating],
        *,
        experimental: bool = False,
        children: NDArray[np.bool_] | None = None,
    ) -> NDArray[np.bool_]:
        """Return which labels are named; see :func:`hilum.domain.verdict.named_labels`.

        Args:
            chances: float [N, K], calibrated probabilities.
            experimental: Experimental labels count as well, as where a site switches them on.
            children: bool [N], images of small children; None: none is.

        Returns:
            bool [N, K].
        """
        counted = {Rank.VALIDATED, Rank.EXPERIMENTAL} if experimental else {Rank.VALIDATED}
        points = {
            label: point for label, point in self.thresholds.items() if self.ranks[label] in counted
        }
        own = {label: point for label, point in self.child_thresholds.items() if label in points}
        found = np.zeros(chances.shape, dtype=bool)
        for row, values in enumerate(chances.tolist()):
            said = dict(zip(self.labels, values, strict=True))
            held = {**points, **own} if children is not None and children[row] else points
            for label in named_labels(self.kind, said, held, self.abnormal):
                found[row, self.labels.index(label)] = True
        return found
