"""What a panel is asked to say of a film."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from hilum_training.films.asked import EVERY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from hilum_training.films.pack import Film
    from hilum_training.panel_recipe import PanelRecipe


@dataclass(frozen=True, slots=True)
class Targets:
    """Targets of one panel for N films.

    Attributes:
        values: float32 [N, K]. Single label: 1 where the recorded label allows the answer.
            Multi-label: 1 where the finding is present.
        known: bool [N]: the panel learns from the film.
        asked: bool [N, K]. Multi-label: whether the film's source says if the finding is there;
            only then is a 0 in ``values`` its absence. True throughout for other panels.
    """

    values: NDArray[np.float32]
    known: NDArray[np.bool_]
    asked: NDArray[np.bool_]

    @property
    def single(self) -> NDArray[np.bool_]:
        """Bool [N]: exactly one answer is allowed, so that accuracy and AUROC can be counted."""
        return np.asarray(self.known & (self.values.sum(axis=1) == 1))

    @property
    def whole(self) -> NDArray[np.bool_]:
        """Bool [N]: nothing that the panel is asked is left open."""
        return np.asarray(self.known & self.asked.all(axis=1))

    @property
    def truth(self) -> NDArray[np.int64]:
        """int64 [N]: the allowed answer; means something where :attr:`single` holds."""
        return np.asarray(self.values.argmax(axis=1), dtype=np.int64)

    def take(self, indexes: NDArray[np.int64]) -> Targets:
        """Those of a part of the films."""
        return Targets(self.values[indexes], self.known[indexes], self.asked[indexes])


def panel_targets(films: Sequence[Film], panel: PanelRecipe) -> Targets:
    """Targets of a panel.

    A film of a source that the panel does not use is unknown to it, as is a recorded label that
    is not among its candidates. A multi-label panel learns from a film the findings that are
    listed, and of those that were asked the absence of the others; a film of which neither says
    anything is unknown to it.
    """
    values = np.zeros((len(films), len(panel.labels)), dtype=np.float32)
    several = panel.kind == "multi_label"
    known = np.zeros(len(films), dtype=bool)
    asked = np.full(values.shape, not several)
    place = {name: index for index, name in enumerate(panel.names)}
    for row, film in enumerate(films):
        if panel.sources and film.source not in panel.sources:
            continue
        if several:
            present = [place[finding] for finding in film.findings if finding in place]
            asked[row] = EVERY in film.asked
            asked[row, present] = True
            asked[row, [place[finding] for finding in film.asked if finding in place]] = True
            known[row] = asked[row].any()
        else:
            present = [place[name] for name in panel.candidates.get(recorded_kind(film), ())]
            known[row] = bool(present)
        values[row, present] = 1
    return Targets(values, known, asked)


OTHER_BODY: Final = "not_chest"
"""The recorded kind of a radiograph of another body than the chest."""
_BODY: Final = "other:body_"


def recorded_kind(film: Film) -> str:
    """Name the kind of the recorded label.

    Returns:
        The label up to its colon, so that every other finding counts as ``other``. A label
        ``other:body_...`` is of another body than the chest, and counts as ``not_chest``.
    """
    if film.label.startswith(_BODY):
        return OTHER_BODY
    return film.label.partition(":")[0]
