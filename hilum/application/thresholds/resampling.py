"""Sensitivity and specificity of labelled images at every threshold, and under a bootstrap."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    Masks = Mapping[str, NDArray[np.bool_]]

TOLERANCE: Final = 1e-9
FEWEST_OF_SOURCE: Final = 8
"""Images of a kind from which a source counts by itself: the specificity of fewer has steps of more
than a tenth, and one image would decide for the whole site."""

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
    """Images under one label.

    Attributes:
        scores: float64 [n], calibrated probabilities in [0, 1].
        truth: bool [n], whether the label is true of the image.
        patients: int64 [n], the same number for images of the same patient.
        sources: str [n], where each image comes from; None: all come from one source.
    """

    scores: NDArray[np.float64]
    truth: NDArray[np.bool_]
    patients: NDArray[np.int64]
    sources: NDArray[np.str_] | None = None


class SortedFilms:
    """Images by falling probability; images of equal probability fall on one side together."""

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
        sources = np.full(order.size, "") if films.sources is None else films.sources[order]
        self.by_source: Masks = {str(name): sources == name for name in np.unique(sources)}
        self._deciding = {
            Aim.SENSITIVITY: _deciding(self.by_source, self.truth),
            Aim.SPECIFICITY: _deciding(self.by_source, ~self.truth),
        }

    def rates(
        self, weights: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Sensitivity and share of false positives [b, k], for weights [b, n] of the images.

        NaN where the weights leave no image of a class.
        """
        return self._above(weights * self.truth), self._above(weights * ~self.truth)

    def choose(self, weights: NDArray[np.float64], aim: Aim, wanted: float) -> NDArray[np.float64]:
        """The threshold [b] that gives what is wanted at the worst source.

        NaN where the weights [b, n] leave no image of a class.
        """
        sensitivity, false_positives = self.rates(weights)
        rates = [self._above(weights * mask) for mask in self._deciding[aim].values()]
        worst: NDArray[np.float64] = reduce(np.fmin if aim is Aim.SENSITIVITY else np.fmax, rates)
        usable = np.isfinite(sensitivity[:, 0] + false_positives[:, 0] + worst[:, 0])
        return np.where(usable, self._threshold(worst, aim, wanted), np.nan)

    def worst_source(self, aim: Aim, wanted: float) -> str:
        """The source that decides the threshold, or pooled sources joined by ``+``."""
        chosen = {
            name: self._threshold(self._above(mask[np.newaxis].astype(float)), aim, wanted)[0]
            for name, mask in self._deciding[aim].items()
        }
        pick = min if aim is Aim.SENSITIVITY else max
        return pick(chosen, key=lambda name: chosen[name])

    def _threshold(self, rate: NDArray[np.float64], aim: Aim, wanted: float) -> NDArray[np.float64]:
        """The threshold [b] for a sensitivity, or a share of false positives, [b, k]."""
        if aim is Aim.SENSITIVITY:
            place = np.argmax(rate >= wanted - TOLERANCE, axis=1)
        else:
            place = (1.0 - rate >= wanted - TOLERANCE).sum(axis=1) - 1
        # At -1 even the highest probability is one too many: only above it nothing is positive.
        above = np.round(self.scores[0] + 10.0**-_DECIMALS, _DECIMALS)
        threshold: NDArray[np.float64] = np.where(place < 0, above, self.distinct[place])
        return threshold

    def _above(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """The share of weights [b, n] at and above each threshold, [b, k]."""
        counted = np.cumsum(weights, axis=1)
        whole = counted[:, -1:]
        share: NDArray[np.float64] = counted[:, self.ends] / np.where(whole > 0, whole, np.nan)
        return share


def _deciding(by_source: Masks, of_kind: NDArray[np.bool_]) -> Masks:
    """Images of a kind, by the sources that decide for it.

    Sources with few of them are pooled. What is still few decides nothing, unless there is nothing
    else.
    """
    kinds = {name: mask & of_kind for name, mask in by_source.items()}
    found = {name: kind for name, kind in kinds.items() if kind.sum() >= FEWEST_OF_SOURCE}
    small = {name: kind for name, kind in kinds.items() if name not in found and kind.any()}
    pooled = reduce(np.logical_or, small.values(), np.zeros_like(of_kind))
    if pooled.sum() >= FEWEST_OF_SOURCE or not found:
        found["+".join(small)] = pooled
    return found


@dataclass(frozen=True, slots=True)
class Draws:
    """What each draw of patients gave, float64 [resamples]; NaN where it gave nothing.

    Attributes:
        threshold: Chosen on the draw.
        sensitivity: Of the threshold that was chosen on all images, on the draw.
        specificity: Of the same threshold, on the draw.
        unseen_sensitivity: Of the draw's threshold on the patients that it left out.
        unseen_specificity: Of the draw's threshold on the patients that it left out.
        auroc: Within sources.
        source_sensitivity: float64 [resamples, S], as ``sensitivity``, of each source by name.
        source_specificity: float64 [resamples, S], as ``specificity``, of each source by name.
    """

    threshold: NDArray[np.float64]
    sensitivity: NDArray[np.float64]
    specificity: NDArray[np.float64]
    unseen_sensitivity: NDArray[np.float64]
    unseen_specificity: NDArray[np.float64]
    auroc: NDArray[np.float64]
    source_sensitivity: NDArray[np.float64]
    source_specificity: NDArray[np.float64]

    @classmethod
    def of(
        cls, films: SortedFilms, aim: Aim, wanted: float, chosen: float, resamples: int
    ) -> Draws:
        """Draw patients, with as many draws at once as fit into a little memory."""
        columns: list[list[NDArray[np.float64]]] = []
        for weights in _weights(films, resamples):
            drawn = films.choose(weights, aim, wanted)
            above_drawn = films.scores >= drawn[:, np.newaxis]
            left_out = (weights == 0).astype(np.float64)
            columns.append(
                [
                    drawn,
                    *_shares(films, weights, chosen),
                    _share(above_drawn, left_out * films.truth),
                    _share(~above_drawn, left_out * ~films.truth),
                    area(films, weights),
                    *_shares_by_source(films, weights, chosen),
                ]
            )
        return cls(*(np.concatenate(parts) for parts in zip(*columns, strict=True)))


def _weights(films: SortedFilms, resamples: int) -> Iterator[NDArray[np.float64]]:
    """How often each image counts in each draw, [b, n]: as often as its patient was drawn."""
    chance = np.random.default_rng(_SEED)
    count = films.patient_count
    at_once = max(1, _CELLS_AT_ONCE // films.scores.size)
    for start in range(0, resamples, at_once):
        size = min(at_once, resamples - start)
        drawn = chance.multinomial(count, np.full(count, 1.0 / count), size=size)
        yield drawn[:, films.patients].astype(np.float64)


def _shares(
    films: SortedFilms, weights: NDArray[np.float64], chosen: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sensitivity and specificity [b] of a threshold."""
    above = np.broadcast_to(films.scores >= chosen, weights.shape)
    return _share(above, weights * films.truth), _share(~above, weights * ~films.truth)


def _shares_by_source(
    films: SortedFilms, weights: NDArray[np.float64], chosen: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sensitivity and specificity [b, S] of a threshold, for each source."""
    found = [_shares(films, weights * mask, chosen) for mask in films.by_source.values()]
    sensitivity, specificity = zip(*found, strict=True)
    return np.stack(sensitivity, axis=1), np.stack(specificity, axis=1)


def _share(which: NDArray[np.bool_], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    whole = weights.sum(axis=1)
    share: NDArray[np.float64] = (which * weights).sum(axis=1) / np.where(whole > 0, whole, np.nan)
    return share


def area(films: SortedFilms, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Area under the curve [b] within sources.

    An image with the label is compared with those without it of its own source: between sources the
    place alone could tell them apart. Images of equal probability count half (trapezoid rule). NaN
    where no source has both kinds.
    """
    won, counted = np.zeros(len(weights)), np.zeros(len(weights))
    for mask in films.by_source.values():
        within = weights * mask
        found = _area(*films.rates(within))
        positives = np.where(np.isfinite(found), (within * films.truth).sum(axis=1), 0.0)
        won += np.nan_to_num(found) * positives
        counted += positives
    areas: NDArray[np.float64] = won / np.where(counted > 0, counted, np.nan)
    return areas


def _area(
    sensitivity: NDArray[np.float64], false_positives: NDArray[np.float64]
) -> NDArray[np.float64]:
    width = np.diff(false_positives, axis=1, prepend=0.0)
    before = np.concatenate([np.zeros_like(sensitivity[:, :1]), sensitivity[:, :-1]], axis=1)
    areas: NDArray[np.float64] = (width * (sensitivity + before) / 2).sum(axis=1)
    return areas
