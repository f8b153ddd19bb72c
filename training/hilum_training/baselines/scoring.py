"""One way to score every method: within one source first, pooled beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hilum_training.films.targets import recorded_kind
from hilum_training.measures.bootstrap import PatientBootstrap, figure
from hilum_training.measures.findings import counted_findings, mean_area
from hilum_training.measures.metrics import area_under_curve

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from hilum_training.films.library import FilmSet
    from hilum_training.panel_recipe import ComparisonRecipe, PanelRecipe

_PAIRED_DRAWS: Final = 500


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Probabilities of one panel for N films.

    Attributes:
        panel: The panel.
        films: N films.
        probabilities: float64 [N, K].
    """

    panel: PanelRecipe
    films: FilmSet
    probabilities: NDArray[np.float64]

    def question(self, asked: ComparisonRecipe) -> Question | None:
        """The films that a question is about, and their scores; None when one side has none."""
        sides = (*asked.positive, *asked.negative)
        rows = np.flatnonzero(
            [
                film.source == asked.source and recorded_kind(film) in sides
                for film in self.films.films
            ]
        )
        positive = np.array(
            [recorded_kind(self.films.films[row]) in asked.positive for row in rows], dtype=bool
        )
        if not positive.any() or positive.all():
            return None
        place = {name: index for index, name in enumerate(self.panel.names)}
        mass = [
            self.probabilities[rows][:, [place[name] for name in outputs]].sum(axis=1)
            for outputs in (asked.positive_outputs, asked.negative_outputs)
        ]
        scores = mass[0] / np.maximum(mass[0] + mass[1], 1e-12)
        return Question(scores, positive, tuple(self.films.clusters[row] for row in rows))


@dataclass(frozen=True, slots=True)
class Question:
    """Scores float64 [M], sides bool [M] and patients of the films of one question."""

    scores: NDArray[np.float64]
    positive: NDArray[np.bool_]
    clusters: tuple[str, ...]

    def area(self) -> dict[str, Any]:
        """AUROC with its interval over patients, and the number of films on each side."""
        return {
            "positive_films": int(self.positive.sum()),
            "negative_films": int((~self.positive).sum()),
            **PatientBootstrap(self.clusters).area(self.scores, self.positive),
        }


def score(said: Verdicts) -> dict[str, Any]:
    """Every figure of one method on one panel.

    Returns:
        ``within_source``: one row for each question of the panel that the films can answer.
        ``pooled``: accuracy where one answer is right, AUROC by label, and the mean of those of
            labels with enough films.
    """
    rows = [
        {"question": asked.name, "source": asked.source, **found.area()}
        for asked in said.panel.comparisons
        if (found := said.question(asked))
    ]
    return {"within_source": rows, "pooled": _pooled(said)}


def _pooled(said: Verdicts) -> dict[str, Any]:
    targets = said.films.targets(said.panel)
    several = said.panel.kind == "multi_label"
    rows = np.flatnonzero(targets.whole if several else targets.single)
    clusters = [said.films.clusters[row] for row in rows]
    draws = PatientBootstrap(clusters)
    probabilities, values = said.probabilities[rows], targets.values[rows] > 0
    labels = {
        name: {
            "positive_films": int(values[:, place].sum()),
            **draws.area(probabilities[:, place], values[:, place]),
        }
        for place, name in enumerate(said.panel.names)
    }
    pooled: dict[str, Any] = {"films": len(rows), "labels": labels}
    pooled["mean_auroc"] = figure(mean_area(probabilities, values))
    if not several:
        pooled["accuracy"] = draws.share(correct(said)[rows])
    return pooled


def correct(said: Verdicts) -> NDArray[np.bool_]:
    """Whether the most probable answer is the recorded one, bool [N]; no where several may be."""
    targets = said.films.targets(said.panel)
    hit = said.probabilities.argmax(axis=1) == targets.truth
    return np.asarray(hit & targets.single)


def paired_difference(
    statistic: Callable[[NDArray[np.int64]], float], clusters: tuple[str, ...], seed: int = 0
) -> dict[str, Any]:
    """A difference of two methods on the same films, with its interval over patients.

    Args:
        statistic: From indexes of drawn films to the difference; nan draws are left out.
        clusters: Patient cluster of each of N films.
        seed: Of the draws.

    Returns:
        ``value`` on the films as they are, ``interval`` at 95 %, None where there is none.
    """
    names, membership = np.unique(np.asarray(clusters, dtype=str), return_inverse=True)
    members = [np.flatnonzero(membership == index) for index in range(len(names))]
    generator = np.random.default_rng(seed)
    values = [
        statistic(np.concatenate([members[index] for index in drawn]))
        for drawn in generator.integers(0, len(names), (_PAIRED_DRAWS, len(names)))
    ]
    kept = [value for value in values if not np.isnan(value)]
    low, high = np.percentile(kept, [2.5, 97.5]) if kept else (np.nan, np.nan)
    whole = statistic(np.arange(len(clusters)))
    return {
        "value": figure(whole),
        "interval": [figure(float(low)), figure(float(high))] if kept else None,
    }


def area_difference(first: Question, second: Question) -> dict[str, Any]:
    """AUROC of the first less that of the second, on the same films."""
    return paired_difference(
        lambda rows: (
            area_under_curve(first.scores[rows], first.positive[rows])
            - area_under_curve(second.scores[rows], second.positive[rows])
        ),
        first.clusters,
    )


def mean_area_difference(
    scores: tuple[NDArray[np.float64], NDArray[np.float64]],
    present: NDArray[np.bool_],
    clusters: tuple[str, ...],
    findings: Sequence[int] | None = None,
) -> dict[str, Any]:
    """Mean AUROC over findings of the first scores less that of the second, on the same films.

    Args:
        scores: Of two methods, each float64 [N, K].
        present: bool [N, K].
        clusters: Patient cluster of each film.
        findings: Those that count, as in :func:`mean_area`. A draw without a film of one of them
            has no mean over all of them and is left out.
    """
    counted = counted_findings(present) if findings is None else findings
    first, second = scores
    return paired_difference(
        lambda rows: (
            mean_area(first[rows], present[rows], counted)
            - mean_area(second[rows], present[rows], counted)
        ),
        clusters,
    )


def said_path(runs: Path, name: str) -> Path:
    """Where a baseline's answers to the test films are kept."""
    return runs / f"{name}.said.npz"


def save_said(path: Path, variant: str, said: Verdicts) -> None:
    """Keep what a method said, so that another network can be set beside it without a new run."""
    files = np.array([film.file for film in said.films.films])
    np.savez(path, variant=np.array(variant), files=files, probabilities=said.probabilities)


def load_said(path: Path, panel: PanelRecipe, films: FilmSet) -> tuple[str, Verdicts]:
    """What a method said, and which of its variants.

    Raises:
        FileNotFoundError: It never ran.
        ValueError: It ran on other films.
    """
    with np.load(path) as stored:
        if stored["files"].tolist() != [film.file for film in films.films]:
            raise ValueError(f"{path.name} is about other films: run the baseline again")
        return str(stored["variant"]), Verdicts(panel, films, stored["probabilities"])
