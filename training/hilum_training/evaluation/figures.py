"""The report's figures, as SVG that is the same for the same numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from hilum_training.evaluation.measure import Predictions, comparison_scores
from hilum_training.evaluation.metrics import softmax

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from hilum_training.recipe import Recipe


def draw_figures(recipe: Recipe, test: Predictions, metrics: dict[str, Any], folder: Path) -> None:
    """Write ``roc.svg``, ``reliability.svg`` and ``confusion.svg``."""
    temperature = metrics["temperature"]
    known = test.known()
    with mpl.rc_context({"svg.hashsalt": recipe.name, "font.size": 8, "svg.fonttype": "none"}):
        figure = Figure(figsize=(5, 4.5), layout="constrained")
        _roc(figure.subplots(), recipe, test, metrics)
        _save(figure, folder / "roc.svg")
        figure = Figure(figsize=(4, 3.6), layout="constrained")
        _reliability(figure.subplots(), known, temperature)
        _save(figure, folder / "reliability.svg")
        figure = Figure(figsize=(4.6, 3.8), layout="constrained")
        _confusion(figure.subplots(), recipe.data.labels, metrics["confusion"])
        _save(figure, folder / "confusion.svg")


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, format="svg", metadata={"Date": None})


def _roc(axes: Axes, recipe: Recipe, test: Predictions, metrics: dict[str, Any]) -> None:
    measured = {row["question"]: row for row in metrics["within_source"]}
    for comparison in recipe.comparisons:
        if comparison.name not in measured:
            continue
        sides = (*comparison.positive, *comparison.negative)
        part = test.take(
            [
                index
                for index, film in enumerate(test.films)
                if film.source == comparison.source and film.label in sides
            ]
        )
        scores = comparison_scores(comparison, part, metrics["temperature"], recipe.data.labels)
        positive = np.array([film.label in comparison.positive for film in part.films])
        false_rate, true_rate = _curve(scores, positive)
        row = measured[comparison.name]
        low, high = row["interval"]
        axes.plot(
            false_rate,
            true_rate,
            label=f"{comparison.name}\n{row['auroc']:.3f} ({low:.3f} to {high:.3f})",
        )
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=0.8)
    axes.set(xlabel="1 - specificity", ylabel="sensitivity", title="Test films, within one source")
    axes.legend(loc="lower right", fontsize=6)


def _curve(
    scores: NDArray[np.float64], positive: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    order = np.argsort(-scores, kind="stable")
    hits = positive[order]
    true_rate = np.concatenate([[0.0], np.cumsum(hits) / max(hits.sum(), 1)])
    false_rate = np.concatenate([[0.0], np.cumsum(~hits) / max((~hits).sum(), 1)])
    return false_rate, true_rate


def _reliability(axes: Axes, known: Predictions, temperature: float) -> None:
    truth = known.truth()
    for name, divisor in (("before", 1.0), ("after temperature", temperature)):
        probabilities = softmax(known.logits / divisor)
        confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
        which = np.minimum((confidence * 10).astype(int), 9)
        points = [
            (confidence[which == b].mean(), correct[which == b].mean())
            for b in range(10)
            if (which == b).sum() >= 10  # noqa: PLR2004 - fewer films say nothing of a rate
        ]
        axes.plot(*zip(*points, strict=True), marker="o", markersize=3, label=name)
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=0.8)
    axes.set(xlabel="confidence", ylabel="share correct", title="Calibration, test films")
    axes.legend()


def _confusion(axes: Axes, labels: tuple[str, ...], counts: list[list[int]]) -> None:
    matrix = np.array(counts, dtype=float)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    half = 0.5
    for row, column in np.ndindex(*matrix.shape):
        colour = "white" if shares[row, column] > half else "black"
        axes.text(column, row, str(counts[row][column]), ha="center", va="center", color=colour)
    axes.set_xticks(range(len(labels)), labels, rotation=30, ha="right")
    axes.set_yticks(range(len(labels)), labels)
    axes.set(xlabel="answered", ylabel="recorded", title="Test films, all sources")
