"""How far the source gives away what it should not: the class, and by grey levels itself."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import numpy as np

from hilum_training.films.targets import recorded_kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from hilum_training.films.pack import Film


def class_by_source(films: Sequence[Film]) -> dict[str, float]:
    """Share of films whose class is right if one answers the commonest of the source, or of all.

    The gap between the two is what a network can score by knowing hospitals and nothing of lungs.
    """
    everywhere: Counter[str] = Counter()
    sources: dict[str, Counter[str]] = defaultdict(Counter)
    for film in films:
        everywhere[recorded_kind(film)] += 1
        sources[film.source][recorded_kind(film)] += 1
    right = sum(max(counts.values()) for counts in sources.values())
    return {
        "commonest_class_of_all": max(everywhere.values()) / len(films),
        "commonest_class_of_the_source": right / len(films),
    }


def source_by_histogram(
    histograms: NDArray[np.float64], sources: Sequence[str], clusters: Sequence[str]
) -> float | None:
    """Mean recall over sources of the nearest mean histogram, two-fold, folds by patient.

    Square roots of shares are compared by Euclidean distance (Hellinger). 1 over the number of
    sources is chance.

    Args:
        histograms: float64 [N, bins], shares.
        sources: N of them.
        clusters: Patient cluster of each film.

    Returns:
        None where a source has no film in one of the folds.
    """
    roots = np.sqrt(histograms)
    names = sorted(set(sources))
    truth = np.array([names.index(source) for source in sources])
    fold = np.array([hashlib.sha256(cluster.encode()).digest()[0] % 2 for cluster in clusters])
    answer = np.full(len(truth), -1)
    for side in (0, 1):
        learnt, asked = fold != side, fold == side
        if any(not np.any(learnt & (truth == index)) for index in range(len(names))):
            return None
        means = np.stack([roots[learnt & (truth == i)].mean(axis=0) for i in range(len(names))])
        distance = ((roots[asked][:, np.newaxis] - means[np.newaxis]) ** 2).sum(axis=2)
        answer[asked] = distance.argmin(axis=1)
    recalls = [float((answer[truth == i] == i).mean()) for i in range(len(names))]
    return sum(recalls) / len(recalls)
