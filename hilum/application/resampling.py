"""Sensitivity and specificity of labelled films at every threshold, and under a bootstrap."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

TOLERANCE: Final = 1e-9

_SEED: Final = 20261121
_CELLS_AT_ONCE: Final = 2_000_000
_DECIMALS: Final = 6
"""Of the probabilities that are kept with a result."""


class Aim(StrEnum):
    """Which of the two is wanted; the other is what it costs."""

    SENSITIVITY = "sensitivity"
    SPECIFICITY = "specificity"


@dataclass(frozen=True, slots=True)
class LabelledScores:
    """Films under one label.

    Attributes:
        scores: float64 [n], calibrated probabilities in [0, 1].
        truth: bool [n], whether the label is true of the film.
        patients: int64 [n], the same number for films of the same patient.
    """

    scores: NDArray[np.float64]
    truth: NDArray[np.bool_]
    patients: NDArray[np.int64]


class SortedFilms:
    """Films by falling probability; films of equal probability fall on one side together."""

    def __init__(self, films: LabelledScores) -> None:
        order = np.argsort(-films.scores, kind="stable")
        self.scores = films.scores[order]
        self.truth = films.truth[order]
        numbers = np.unique(films.patients, return_inverse=True)[1]
        self.patients = numbers.reshape(-1)[order]
        self.patient_count = int(numbers.max()) + 1
        ends = np.flatnonzero(np.diff(self.scores, append=-np.inf))
        self.ends = ends
        self.distinct = self.scores[ends]

    def rates(
        self, weights: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Sensitivity and share of false positives [b, k], for weights [b, n] of the films.

        NaN where the weights leave no film of a class.
        """
        shares = []
        for of_class in (self.truth, ~self.truth):
            counted = np.cumsum(weights * of_class, axis=1)
            whole = counted[:, -1:]
            shares.append(counted[:, self.ends] / np.where(whole > 0, whole, np.nan))
        return shares[0], shares[1]

    def choose(self, weights: NDArray[np.float64], aim: Aim, wanted: float) -> NDArray[np.float64]:
        """The threshold [b] for weights [b, n]; NaN where they leave no film of a class."""
        sensitivity, false_positives = self.rates(weights)
        usable = np.isfinite(sensitivity[:, 0] + false_positives[:, 0])
        if aim is Aim.SENSITIVITY:
            place = np.argmax(sensitivity >= wanted - TOLERANCE, axis=1)
        else:
            place = (1.0 - false_positives >= wanted - TOLERANCE).sum(axis=1) - 1
        # At -1 even the highest probability is one too many: only above it nothing is positive.
        above = np.round(self.scores[0] + 10.0**-_DECIMALS, _DECIMALS)
        chosen = np.where(place < 0, above, self.distinct[place])
        return np.where(usable, chosen, np.nan)


@dataclass(frozen=True, slots=True)
class Draws:
    """What each draw of patients gave, float64 [resamples]; NaN where it gave nothing."""

    threshold: NDArray[np.float64]
    sensitivity: NDArray[np.float64]
    specificity: NDArray[np.float64]
    unseen_sensitivity: NDArray[np.float64]
    unseen_specificity: NDArray[np.float64]
    auroc: NDArray[np.float64]

    @classmethod
    def of(
        cls, films: SortedFilms, aim: Aim, wanted: float, chosen: float, resamples: int
    ) -> Draws:
        """Draw patients, with as many draws at once as fit into a little memory."""
        columns: list[list[NDArray[np.float64]]] = []
        for weights in _weights(films, resamples):
            drawn = films.choose(weights, aim, wanted)
            above_drawn = films.scores >= drawn[:, np.newaxis]
            above_chosen = np.broadcast_to(films.scores >= chosen, weights.shape)
            left_out = (weights == 0).astype(np.float64)
            columns.append(
                [
                    drawn,
                    _share(above_chosen, weights * films.truth),
                    _share(~above_chosen, weights * ~films.truth),
                    _share(above_drawn, left_out * films.truth),
                    _share(~above_drawn, left_out * ~films.truth),
                    area(films, weights),
                ]
            )
        return cls(*(np.concatenate(parts) for parts in zip(*columns, strict=True)))


def _weights(films: SortedFilms, resamples: int) -> Iterator[NDArray[np.float64]]:
    """How often each film counts in each draw, [b, n]: as often as its patient was drawn."""
    chance = np.random.default_rng(_SEED)
    count = films.patient_count
    at_once = max(1, _CELLS_AT_ONCE // films.scores.size)
    for start in range(0, resamples, at_once):
        size = min(at_once, resamples - start)
        drawn = chance.multinomial(count, np.full(count, 1.0 / count), size=size)
        yield drawn[:, films.patients].astype(np.float64)


def _share(which: NDArray[np.bool_], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    whole = weights.sum(axis=1)
    share: NDArray[np.float64] = (which * weights).sum(axis=1) / np.where(whole > 0, whole, np.nan)
    return share


def area(films: SortedFilms, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Area under the curve [b], by the trapezoid rule: films of equal probability count half."""
    sensitivity, false_positives = films.rates(weights)
    width = np.diff(false_positives, axis=1, prepend=0.0)
    before = np.concatenate([np.zeros_like(sensitivity[:, :1]), sensitivity[:, :-1]], axis=1)
    area: NDArray[np.float64] = (width * (sensitivity + before) / 2).sum(axis=1)
    return area
