"""Intervals by drawing patients again, all draws at once.

Films of one patient are not independent; drawing films would give intervals too narrow. A draw is a
weight for each film, how often its patient came up, and every statistic here takes weights: a
thousand draws are one matrix, not a thousand passes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

DRAWS: Final = 1000
LEVEL: Final = 0.95


class PatientBootstrap:
    """Draws of the patients of N films.

    Every method gives a figure, ``{"value": ..., "interval": [low, high]}``: on the films as they
    are, and the percentile interval of the draws in which the statistic exists; None where it
    does not.

    Args:
        clusters: Patient cluster of each film.
        draws: How many.
        seed: Of the draws.
    """

    def __init__(self, clusters: Sequence[str], draws: int = DRAWS, seed: int = 0) -> None:
        names, membership = np.unique(np.asarray(clusters, dtype=str), return_inverse=True)
        count = len(names)
        generator = np.random.default_rng(seed)
        drawn = np.zeros((draws, count), dtype=np.int64)
        if count:
            drawn = generator.multinomial(count, np.full(count, 1 / count), size=draws)
        # The first row is the sample itself, so that value and interval are of one formula.
        whole = np.concatenate([np.ones((1, count), dtype=np.int64), drawn])
        self._weights = whole[:, membership].astype(np.float64)
        self._membership = membership

    def share(
        self, hits: NDArray[np.bool_], among: NDArray[np.bool_] | None = None
    ) -> dict[str, Any]:
        """Share of hits among films: accuracy, sensitivity, specificity.

        Where all films are hits, or none, every draw says the same; the interval is then the exact
        one of so many patients (Clopper and Pearson, Biometrika 1934).

        Args:
            hits: bool [N].
            among: bool [N]: the films that count; None for all.
        """
        counted = np.ones(len(hits), dtype=bool) if among is None else among
        found = _figure(
            _ratio(self._weights @ (hits & counted).astype(float), self._weights @ counted)
        )
        if found["value"] in {0.0, 1.0} and len(set(hits[counted].tolist())) == 1:
            patients = len(np.unique(self._membership[counted]))
            least = ((1 - LEVEL) / 2) ** (1 / patients)
            found["interval"] = [figure(least), 1.0] if found["value"] else [0.0, figure(1 - least)]
        return found

    def ratio(self, top: NDArray[np.float64], bottom: NDArray[np.float64]) -> dict[str, Any]:
        """Sum over films of one number over the sum of another: a mean, or a share of boxes.

        Args:
            top: float [N].
            bottom: float [N], e.g. 1 for each film that counts.
        """
        return _figure(_ratio(self._weights @ top, self._weights @ bottom))

    def calibration_error(
        self, confidence: NDArray[np.float64], right: NDArray[np.bool_], bins: int = 15
    ) -> dict[str, Any]:
        """ECE in bins of equal width, see :func:`expected_calibration_error`.

        A draw repeats films, so that its bins hold fewer different ones and stray further: draws
        lie above the films' own error, often all of them. The bootstrap's own estimate of that
        bias, the mean of the draws less the figure, is taken off each draw (Efron and Tibshirani,
        An Introduction to the Bootstrap, 1993, chapter 10), and no draw falls below 0. The figure
        itself stays as it is; with few films it is somewhat high for the same reason.

        Args:
            confidence: float [N] in 0..1, or [N, K]: a film's answers count together.
            right: bool, of the same shape.
            bins: How many.
        """
        films = len(confidence)
        which = np.minimum((confidence * bins).astype(int), bins - 1).reshape(films, -1)
        apart = (right - confidence).reshape(films, -1)
        gaps = np.zeros(len(self._weights))
        for place in range(bins):
            inside = np.where(which == place, apart, 0.0).sum(axis=1)
            gaps += np.abs(self._weights @ inside)
        return _figure(_less_bias(_ratio(gaps, self._weights.sum(axis=1) * which.shape[1])))

    def area(self, scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> dict[str, Any]:
        """AUROC, ties half."""
        on, off = self._by_score(scores, positive)
        below = np.cumsum(off, axis=1) - off / 2
        pairs = on.sum(axis=1) * off.sum(axis=1)
        return _figure(_ratio((on * below).sum(axis=1), pairs))

    def area_within(
        self,
        scores: NDArray[np.float64],
        positive: NDArray[np.bool_],
        strata: NDArray[np.str_],
    ) -> dict[str, Any]:
        """AUROC within strata: a positive film is compared with negative ones of its own stratum.

        The mean over positive films of the share of negatives that they outrank, ties half. Strata
        without a negative film do not count.

        Args:
            scores: float [N].
            positive: bool [N].
            strata: str [N], e.g. the source of each film.
        """
        won = np.zeros(len(self._weights))
        counted = np.zeros(len(self._weights))
        for name in np.unique(strata):
            inside = np.flatnonzero(strata == name)
            on, off = self._by_score(scores[inside], positive[inside], inside)
            below = np.cumsum(off, axis=1) - off / 2
            against = off.sum(axis=1)
            won += np.nan_to_num(_ratio((on * below).sum(axis=1), against))
            counted += np.where(against > 0, on.sum(axis=1), 0.0)
        return _figure(_ratio(won, counted))

    def average_precision(
        self, scores: NDArray[np.float64], positive: NDArray[np.bool_]
    ) -> dict[str, Any]:
        """AUPRC as average precision: the mean of the precision at each positive film's score."""
        on, off = (side[:, ::-1] for side in self._by_score(scores, positive))
        hits = np.cumsum(on, axis=1)
        precision = _ratio(hits, hits + np.cumsum(off, axis=1))
        return _figure(_ratio((on * np.nan_to_num(precision)).sum(axis=1), on.sum(axis=1)))

    def specificity_at(
        self, scores: NDArray[np.float64], positive: NDArray[np.bool_], sensitivity: float
    ) -> dict[str, Any]:
        """Specificity at the largest threshold that reaches a sensitivity on the same films."""
        on, off = (side[:, ::-1] for side in self._by_score(scores, positive))
        hits, alarms = np.cumsum(on, axis=1), np.cumsum(off, axis=1)
        if not hits.shape[1]:
            return _figure(np.full(len(self._weights), np.nan))
        reached = hits >= sensitivity * hits[:, -1:] - 1e-9  # of counts: rounding, not chance
        first = reached.argmax(axis=1)
        values = 1 - _ratio(alarms[np.arange(len(first)), first], alarms[:, -1])
        return _figure(np.where(hits[:, -1] > 0, values, np.nan))

    def _by_score(
        self,
        scores: NDArray[np.float64],
        positive: NDArray[np.bool_],
        films: NDArray[np.int64] | None = None,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Weight of positives and of negatives at each distinct score, ascending: [draws, G].

        ``films`` are the places of those that are scored; None for all.
        """
        if not len(scores):
            empty = np.zeros((len(self._weights), 0))
            return empty, empty
        order = np.argsort(scores, kind="stable")
        ordered = scores[order]
        starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        chosen = order if films is None else films[order]
        weights, is_positive = self._weights[:, chosen], positive[order]
        on = np.add.reduceat(weights * is_positive, starts, axis=1)
        off = np.add.reduceat(weights * ~is_positive, starts, axis=1)
        return on, off


def figure(value: float) -> float | None:
    """A number as a report holds it: four decimals, None for not-a-number."""
    return None if math.isnan(value) else round(float(value), 4)


def _figure(values: NDArray[np.float64]) -> dict[str, Any]:
    whole, draws = float(values[0]), values[1:]
    kept = draws[~np.isnan(draws)]
    if math.isnan(whole) or not len(kept):
        return {"value": figure(whole), "interval": None}
    tail = (1 - LEVEL) / 2 * 100
    low, high = np.percentile(kept, [tail, 100 - tail])
    return {"value": figure(whole), "interval": [figure(float(low)), figure(float(high))]}


def _less_bias(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The draws of a figure that cannot be negative, moved so that their mean is the figure."""
    whole, draws = values[:1], values[1:]
    return np.concatenate([whole, np.maximum(draws - (draws.mean() - whole), 0.0)])


def _ratio(top: NDArray[np.float64], bottom: NDArray[np.float64]) -> NDArray[np.float64]:
    out = np.full(top.shape, np.nan)
    np.divide(top, bottom, out=out, where=bottom > 0)
    return out
