"""Can a film's source be read from the network's features?

A logistic regression on the pooled features. What it can tell, a panel's head could use too: where
source and label go together, a high figure means that the pooled results prove nothing.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from hilum_training.measures.bootstrap import PatientBootstrap, figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from hilum_training.films.library import FilmSet
    from hilum_training.films.pack import Film

MOST_PER_SOURCE: Final = 400
FEWEST_PER_SOURCE: Final = 4
THUMBNAIL: Final = 16


def probe_films(films: Sequence[Film]) -> NDArray[np.int64]:
    """Which films teach the probe: at most so many of each source, spread over all of them."""
    picked: list[int] = []
    for source in sorted({film.source for film in films}):
        own = np.flatnonzero([film.source == source for film in films])
        count = min(len(own), MOST_PER_SOURCE)
        picked += own[np.linspace(0, len(own) - 1, count).astype(np.int64)].tolist()
    return np.array(sorted(picked), dtype=np.int64)


def thumbnails(inputs: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Block means, standardised film by film, float32 [N, 256]: what any network could see."""
    size = inputs.shape[1] // THUMBNAIL * THUMBNAIL
    block = size // THUMBNAIL
    cut = inputs[:, :size, :size, 0].astype(np.float32)
    small = cut.reshape(len(cut), THUMBNAIL, block, THUMBNAIL, block).mean(axis=(2, 4))
    flat = small.reshape(len(cut), -1)
    deviation = flat.std(axis=1, keepdims=True)
    return np.asarray((flat - flat.mean(axis=1, keepdims=True)) / np.maximum(deviation, 1e-3))


def probe_source(
    train: FilmSet,
    test: FilmSet,
    features: tuple[NDArray[np.float32], NDArray[np.float32]],
) -> dict[str, Any] | None:
    """How well the source is told from features of unseen films.

    Args:
        train: Films that teach the probe.
        test: Films of other patients.
        features: float32 [N, C] of both.

    Returns:
        Accuracy with its interval, the mean over the sources, and what guessing gives; None where
        there is but one source with enough films.
    """
    counts = Counter(film.source for film in train.films)
    sources = sorted(source for source, count in counts.items() if count >= FEWEST_PER_SOURCE)
    teach, ask = (
        np.flatnonzero([film.source in sources for film in part.films]) for part in (train, test)
    )
    if len(sources) < 2 or not len(ask):  # noqa: PLR2004 - a choice between two
        return None
    taught, asked = (
        np.array([sources.index(part.films[at].source) for at in index])
        for part, index in ((train, teach), (test, ask))
    )
    scaler = StandardScaler().fit(features[0][teach])
    model = LogisticRegression(C=0.1, max_iter=2000, class_weight="balanced")
    model.fit(scaler.transform(features[0][teach]), taught)
    right = model.predict(scaler.transform(features[1][ask])) == asked
    shares = [float(right[asked == index].mean()) for index in np.unique(asked)]
    draws = PatientBootstrap([test.clusters[at] for at in ask])
    return {
        "sources": len(sources),
        "test_films": len(ask),
        "accuracy": draws.share(right),
        "mean_over_sources": figure(float(np.mean(shares))),
        "largest_source": figure(float(np.bincount(asked).max() / len(asked))),
        "guessing": figure(1 / len(sources)),
    }
