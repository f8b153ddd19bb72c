"""The images on which it is known whether a label is there: what its point is chosen on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from hilum_training.films.targets import recorded_kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hilum_training.evaluation.answers import Answers
    from hilum_training.measures.calibration import Calibration
    from hilum_training.population.inside import Population

NORMAL: Final = "normal"
"""The recorded label of an image without a finding."""


@dataclass(frozen=True, slots=True)
class LabelImages:
    """Images of one label, of every source.

    Attributes:
        scores: float64 [N], calibrated probability of the label.
        present: bool [N].
        sources: str [N].
        clusters: str [N], patient cluster of each image.
        children: bool [N], images of small children; None: none is.
    """

    scores: NDArray[np.float64]
    present: NDArray[np.bool_]
    sources: NDArray[np.str_]
    clusters: NDArray[np.str_]
    children: NDArray[np.bool_] | None = None

    def take(self, chosen: NDArray[np.bool_]) -> LabelImages:
        """Return a part of them."""
        children = None if self.children is None else self.children[chosen]
        return LabelImages(
            self.scores[chosen],
            self.present[chosen],
            self.sources[chosen],
            self.clusters[chosen],
            children,
        )

    def called(self, threshold: float, child_threshold: float | None) -> NDArray[np.bool_]:
        """Return which images reach the operating point, that of children for children."""
        if child_threshold is None or self.children is None:
            return np.asarray(self.scores >= threshold)
        bounds = np.where(self.children, child_threshold, threshold)
        return np.asarray(self.scores >= bounds)

    def patients(self, *, present: bool) -> int:
        """Return how many patients have an image with the label, or one without it."""
        return len(np.unique(self.clusters[self.present == present]))


def label_images(
    part: Answers, calibration: Calibration, population: Population
) -> dict[str, LabelImages]:
    """Return each label's images.

    A label is known to be there where it is the one allowed answer of a single-label panel, or a
    finding that is listed. It is known to be absent where the panel's targets say so. Images that
    are recorded as normal lack every finding, also those of sources that the panel does not use.

    Args:
        part: Answers to a whole split, images that mean nothing to the panel among them.
        calibration: Of the panel.
        population: Of the same images. Those outside the panel's scope are left out.
    """
    chances = calibration.probabilities(part.logits)
    normal = np.array([recorded_kind(film) == NORMAL for film in part.films], dtype=bool)
    sources = np.array([film.source for film in part.films], dtype=str)
    clusters = np.array(part.clusters, dtype=str)
    inside, children = population.inside[part.panel.name], population.children
    found = {}
    for place, label in enumerate(part.panel.labels):
        present, absent = known(part, place)
        absent |= normal & ~present & label.abnormal
        chosen = (present | absent) & inside
        found[label.name] = LabelImages(
            chances[chosen, place],
            present[chosen],
            sources[chosen],
            clusters[chosen],
            children[chosen],
        )
    return found


def known(part: Answers, place: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return where the targets say that a label is there, and where they say that it is not.

    Args:
        part: N answers of the panel.
        place: Of the label, on the axis of the outputs.

    Returns:
        Two arrays, bool [N].
    """
    targets = part.targets
    carries = targets.values[:, place] > 0
    absent = targets.known & targets.asked[:, place] & ~carries
    if part.panel.kind == "multi_label":
        return carries & targets.known, absent
    return carries & targets.single, absent
