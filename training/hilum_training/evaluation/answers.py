"""What a network says of films, beside what it was asked: all that the figures are made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hilum_training.measures.calibration import Calibration, fit_calibration

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from hilum_training.films.library import FilmSet
    from hilum_training.films.pack import Film
    from hilum_training.films.targets import Targets
    from hilum_training.panel_recipe import PanelRecipe


@dataclass(frozen=True, slots=True)
class Answers:
    """Logits of one panel for N films.

    Attributes:
        panel: The panel.
        films: N films.
        clusters: Patient cluster of each: what is drawn as one in a bootstrap.
        targets: What the panel was asked.
        logits: float64 [N, K], before calibration.
    """

    panel: PanelRecipe
    films: tuple[Film, ...]
    clusters: tuple[str, ...]
    targets: Targets
    logits: NDArray[np.float64]

    @classmethod
    def of(cls, panel: PanelRecipe, films: FilmSet, logits: NDArray[np.float64]) -> Answers:
        """Answers for a whole film set; films that mean nothing to the panel may be among them."""
        return cls(panel, films.films, films.clusters, films.targets(panel), logits)

    @property
    def places(self) -> NDArray[np.int64]:
        """int64 [N]: the one allowed label; of use on :meth:`single`."""
        return self.targets.truth

    def take(self, indexes: NDArray[np.int64]) -> Answers:
        """A part of them."""
        return Answers(
            panel=self.panel,
            films=tuple(self.films[index] for index in indexes),
            clusters=tuple(self.clusters[index] for index in indexes),
            targets=self.targets.take(indexes),
            logits=self.logits[indexes],
        )

    def where(self, condition: Callable[[Film], bool]) -> Answers:
        """Those of the films for which a condition holds."""
        return self.take(np.flatnonzero([condition(film) for film in self.films]))

    def known(self) -> Answers:
        """Those of which nothing that the panel is asked is left open."""
        return self.take(np.flatnonzero(self.targets.whole))

    def single(self) -> Answers:
        """Those with exactly one right answer: what accuracy can be counted on."""
        return self.take(np.flatnonzero(self.targets.single))

    def calibration(self) -> Calibration:
        """Fitted on these films, which are validation films."""
        asked = self.known()
        return fit_calibration(self.panel.kind, asked.logits, asked.targets.values)

    def outside(self) -> Answers:
        """Films of the panel's sources on which no answer of the panel is right."""
        sources = self.panel.sources
        asked = np.array([not sources or film.source in sources for film in self.films], dtype=bool)
        return self.take(np.flatnonzero(asked & ~self.targets.known))
