"""How much a film's answer counts in a panel's loss, by its class and by how far off it is.

Sampling (:mod:`hilum_training.learning.sampling`) balances whole films by source and label. A film
of a multi-label panel has many labels, most of them absent: only weights in the loss reach those.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hilum_training.films.targets import Targets
    from hilum_training.panel_recipe import PanelRecipe


@dataclass(frozen=True, slots=True)
class Weighing:
    """Weights of a panel's classes, and its focus.

    Attributes:
        present: float32 [K], of a film that has the label, or may have it.
        absent: float32 [K], of a film without the finding; a multi-label panel's alone.
        focus: An answer that gives its film the probability p weighs (1 - p) ** focus: the focal
            loss (Lin et al., ICCV 2017).
    """

    present: NDArray[np.float32]
    absent: NDArray[np.float32]
    focus: float

    def of_labels(self, losses: Any, values: Any) -> Any:
        """Losses of a multi-label panel, float32 [N, K], weighed label by label."""
        classes = ops.where(values > 0, self.present, self.absent)
        return losses * classes * self._focal(losses)

    def of_films(self, losses: Any, allowed: Any) -> Any:
        """Losses of a single-label panel, float32 [N]; several allowed labels weigh their mean."""
        share = allowed / ops.maximum(ops.sum(allowed, axis=1, keepdims=True), 1.0)
        return losses * ops.sum(share * self.present, axis=1) * self._focal(losses)

    def _focal(self, losses: Any) -> Any:
        return (1.0 - ops.exp(-losses)) ** self.focus if self.focus else 1.0


def weighing_of(panel: PanelRecipe, targets: Targets) -> Weighing | None:
    """The weighing that a panel's recipe asks for (None: all films count alike).

    A class of n films weighs in proportion to n ** -class_weights, and the films weigh 1 in the
    mean, so that the panel keeps its share beside the others. The classes of a single-label panel
    are its labels; each label of a multi-label panel has two of its own, present and absent. A
    class without films weighs 1.

    Args:
        panel: The panel.
        targets: Its training films'.
    """
    loss = panel.loss
    if not loss.class_weights and not loss.focus:
        return None
    values = targets.values[targets.known]
    if panel.kind == "multi_label":
        # Of a finding that was not asked, a film is in neither class.
        asked = targets.asked[targets.known]
        present = ((values > 0) & asked).sum(axis=0)
        counts = np.stack([present, asked.sum(axis=0) - present])
        classes = class_weights(counts, loss.class_weights)
        return Weighing(classes[0], classes[1], loss.focus)
    # A film that may be one of two labels is half a film of each.
    share = values / np.maximum(values.sum(axis=1, keepdims=True), 1.0)
    classes = class_weights(share.sum(axis=0), loss.class_weights)
    return Weighing(classes, np.ones_like(classes), loss.focus)


def class_weights(counts: NDArray[Any], exponent: float) -> NDArray[np.float32]:
    """Weights of classes by their films.

    Args:
        counts: Films of each class [C], or of each class of K questions [C, K].
        exponent: 0 weighs all alike, 1 gives every class of a question the same sum.

    Returns:
        float32 of the same shape; over a question's films the mean is 1.
    """
    films = np.asarray(counts, dtype=np.float64)
    raw = np.where(films > 0, np.maximum(films, 1e-9) ** -exponent, 0.0)
    mean = (raw * films).sum(axis=0) / np.maximum(films.sum(axis=0), 1e-9)
    weights = np.where(films > 0, raw / np.where(mean > 0, mean, 1.0), 1.0)
    return np.asarray(weights, dtype=np.float32)
