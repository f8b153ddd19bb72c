"""Two measures on the trunk's pooled features, served with the network.

``distance``: how far an image lies from the training images of the nearest source, in units of
their spread (Mahalanobis distance after a projection, as in Lee et al., NeurIPS 2018). ``child``:
the probability that the image is a small child's, by a logistic regression. Both are fitted on
training images after the network is trained, and change none of its answers.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

import numpy as np
from sklearn.linear_model import LogisticRegression

from hilum.domain.scope import CHILD, CHILD_BELOW, UNLIKE_TRAINING
from hilum_training.panel_recipe import SCOPE_MEASURES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from hilum_training.films.pack import Film
    from hilum_training.recipe import Recipe

MEASURES: Final = SCOPE_MEASURES
REASONS: Final = {"distance": UNLIKE_TRAINING, "child": CHILD}
"""Why an image beyond the bound of a measure is out of scope."""
DIRECTIONS: Final = 32
"""Of the features' principal directions: the rest is noise at this number of images."""
ADULT_FROM: Final = 16.0
"""Years. From :data:`CHILD_BELOW` to this age an image teaches neither side."""
_RIDGE: Final = 1e-3


@dataclass(frozen=True, slots=True)
class PopulationProbe:
    """Parameters of both measures.

    Attributes:
        mean: float32 [C], of the training images' pooled features.
        scale: float32 [C], their standard deviation.
        projection: float32 [C, D], to whitened directions.
        centres: float32 [S, D], the mean of each source there.
        child_weights: float32 [C], of the standardised features.
        child_bias: float32 [1].
    """

    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    projection: NDArray[np.float32]
    centres: NDArray[np.float32]
    child_weights: NDArray[np.float32]
    child_bias: NDArray[np.float32]

    def measures(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Measure images.

        Args:
            features: float32 [N, C], pooled.

        Returns:
            float64 [N, 2] in the order of :data:`MEASURES`.
        """
        standard = (features.astype(np.float64) - self.mean) / self.scale
        placed = standard @ self.projection
        apart = placed[:, np.newaxis, :] - self.centres[np.newaxis]
        distance = np.sqrt(np.square(apart).mean(axis=2).min(axis=1))
        child = 1.0 / (1.0 + np.exp(-(standard @ self.child_weights + self.child_bias[0])))
        return np.stack([distance, child], axis=1)


def fit_probe(features: NDArray[np.float32], films: Sequence[Film]) -> PopulationProbe:
    """Fit both measures on training images.

    Args:
        features: float32 [N, C], pooled.
        films: N, what is known of them.
    """
    mean = features.mean(axis=0)
    scale = np.maximum(features.std(axis=0), _RIDGE)
    standard = (features - mean) / scale
    sources = sorted({film.source for film in films})
    places = np.array([sources.index(film.source) for film in films])
    projection, centres = _whitening(standard, places, len(sources))
    weights, bias = _child_regression(standard, films)
    as_kept = (mean, scale, projection, centres, weights, bias)
    return PopulationProbe(*(np.asarray(value, dtype=np.float32) for value in as_kept))


def is_child(film: Film) -> bool | None:
    """Return whether an image is a small child's; None where that is not known.

    Without an age, images of collections of adults' images count as adults'.
    """
    if film.age is not None:
        if film.age < CHILD_BELOW:
            return True
        return False if film.age >= ADULT_FROM else None
    return film.age_group.startswith("paediatric")


def children_of(films: Sequence[Film]) -> NDArray[np.bool_]:
    """Return which images are known to be small children's, bool [N]."""
    return np.array([is_child(film) is True for film in films], dtype=bool)


def measures_of(recipe: Recipe) -> tuple[str, ...]:
    """Return the measures that a recipe's network serves: all, where a panel is bounded by one."""
    return MEASURES if any(panel.scope.limits for panel in recipe.panels) else ()


def probe_path(weights: Path, name: str) -> Path:
    """Return where the probe of a recipe lies, beside its weights."""
    return weights / f"{name}.population.npz"


def save_probe(probe: PopulationProbe, path: Path) -> None:
    """Write a probe as ``.npz``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **{item.name: getattr(probe, item.name) for item in fields(probe)})


def load_probe(path: Path) -> PopulationProbe:
    """Read a probe.

    Raises:
        OSError: It is not there.
    """
    with np.load(path) as stored:
        return PopulationProbe(**{item.name: stored[item.name] for item in fields(PopulationProbe)})


def _whitening(
    standard: NDArray[np.float32], places: NDArray[np.int64], count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Principal directions, scaled so that images spread by 1 about the mean of their source."""
    _, spread, directions = np.linalg.svd(standard.astype(np.float64), full_matrices=False)
    kept = directions[: min(DIRECTIONS, int((spread > _RIDGE).sum()))].T
    placed = standard @ kept
    centres = np.stack([placed[places == place].mean(axis=0) for place in range(count)])
    within = placed - centres[places]
    covariance = np.cov(within, rowvar=False) + _RIDGE * np.eye(kept.shape[1])
    values, axes = np.linalg.eigh(np.atleast_2d(covariance))
    whiten = axes / np.sqrt(np.maximum(values, _RIDGE))
    return kept @ whiten, centres @ whiten


def _child_regression(
    standard: NDArray[np.float32], films: Sequence[Film]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    known = np.array([is_child(film) is not None for film in films])
    children = np.array([bool(is_child(film)) for film in films])[known]
    if children.all() or not children.any():
        # Nothing tells children from adults: no image is taken for a child's.
        return np.zeros(standard.shape[1]), np.full(1, -20.0)
    regression = LogisticRegression(C=0.01, max_iter=2000, class_weight="balanced")
    regression.fit(standard[known], children)
    return regression.coef_[0], regression.intercept_
