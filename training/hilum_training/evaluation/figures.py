"""The report's figures, as SVG that is the same for the same numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from hilum_training.evaluation.comparisons import ask
from hilum_training.measures.findings import counted_findings
from hilum_training.measures.metrics import sigmoid, softmax

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from hilum_training.evaluation.answers import Answers
    from hilum_training.measures.calibration import Calibration

_FEWEST_IN_BIN: Final = 10
_FEW_CURVES: Final = 5
FOOTNOTE: Final = "Research use only. Not for diagnosis."


@dataclass(frozen=True, slots=True)
class _Question:
    """One curve: its name, scores float64 [N], and the films that count as positive, bool [N]."""

    name: str
    scores: NDArray[np.float64]
    positive: NDArray[np.bool_]


def draw_figures(
    test: Answers, calibration: Calibration, section: dict[str, Any], folder: Path
) -> None:
    """Write ``roc.svg``, ``precision_recall.svg``, ``reliability.svg`` and ``confusion.svg``.

    Curves are of the panel's questions within one source; of its labels where it has none. A
    multi-label panel has no confusion matrix.
    """
    folder.mkdir(parents=True, exist_ok=True)
    multi = test.panel.kind == "multi_label"
    counted = test.known() if multi else test.single()
    questions = _questions(test, counted, calibration)
    with mpl.rc_context({"svg.hashsalt": test.panel.name, "font.size": 8, "svg.fonttype": "none"}):
        figure = Figure(figsize=(5.4, 5), layout="constrained")
        _roc(figure.subplots(), questions, section)
        _save(figure, folder / "roc.svg")
        figure = Figure(figsize=(5.4, 5), layout="constrained")
        _precision_recall(figure.subplots(), questions, section)
        _save(figure, folder / "precision_recall.svg")
        figure = Figure(figsize=(4, 3.8), layout="constrained")
        _reliability(figure.subplots(), counted, calibration)
        _save(figure, folder / "reliability.svg")
        if not multi:
            figure = Figure(figsize=(4.8, 4), layout="constrained")
            _confusion(figure.subplots(), test.panel.names, section["confusion"])
            _save(figure, folder / "confusion.svg")


def _save(figure: Figure, path: Path) -> None:
    figure.supxlabel(FOOTNOTE, fontsize=6, color="0.4")
    figure.savefig(path, format="svg", metadata={"Date": None})


def _questions(test: Answers, counted: Answers, calibration: Calibration) -> list[_Question]:
    if test.panel.comparisons:
        asked = [(item.name, ask(item, test, calibration)) for item in test.panel.comparisons]
        return [_Question(name, it.scores, it.positive) for name, it in asked if it.two_sided]
    chances = calibration.probabilities(counted.logits)
    present = counted.targets.values > 0
    return [
        _Question(test.panel.names[place], chances[:, place], present[:, place])
        for place in counted_findings(present)
    ]


def _legend(name: str, key: str, section: dict[str, Any]) -> str:
    rows = {row["question"]: row for row in section["within_source"]}
    found = (rows.get(name) or section["labels"][name])[key]
    if found["interval"] is None:
        return f"{name}\n{found['value']:.3f}"
    low, high = found["interval"]
    return f"{name}\n{found['value']:.3f} ({low:.3f} to {high:.3f})"


def _title(section: dict[str, Any]) -> str:
    return "Test films, within one source" if section["within_source"] else "Test films"


def _roc(axes: Axes, questions: Sequence[_Question], section: dict[str, Any]) -> None:
    for item in questions:
        hits, alarms = _counts(item)
        axes.plot(
            alarms / max(alarms[-1], 1),
            hits / max(hits[-1], 1),
            label=_legend(item.name, "auroc", section),
        )
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=0.8)
    axes.set(xlabel="1 - specificity", ylabel="sensitivity", title=_title(section))
    _name_curves(axes, "lower right", len(questions))


def _precision_recall(axes: Axes, questions: Sequence[_Question], section: dict[str, Any]) -> None:
    for item in questions:
        hits, alarms = _counts(item)
        called = np.maximum(hits + alarms, 1)
        axes.plot(
            hits[1:] / max(hits[-1], 1),
            (hits / called)[1:],
            label=_legend(item.name, "auprc", section),
        )
    axes.set(xlabel="recall", ylabel="precision", title=_title(section), ylim=(0, 1.02))
    _name_curves(axes, "lower left", len(questions))


def _name_curves(axes: Axes, place: Literal["lower left", "lower right"], count: int) -> None:
    """The legend; smaller where there are many curves, none where there is no curve."""
    if count:
        axes.legend(loc=place, fontsize=6 if count <= _FEW_CURVES else 4.5)


def _counts(item: _Question) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """True and false positives as the threshold falls past each distinct score; zero first."""
    order = np.argsort(-item.scores, kind="stable")
    scores, hits = item.scores[order], item.positive[order]
    last = np.flatnonzero(np.concatenate([scores[1:] != scores[:-1], [True]]))
    return (
        np.concatenate([[0.0], np.cumsum(hits)[last].astype(float)]),
        np.concatenate([[0.0], np.cumsum(~hits)[last].astype(float)]),
    )


def _reliability(axes: Axes, counted: Answers, calibration: Calibration) -> None:
    multi = counted.panel.kind == "multi_label"
    raw = sigmoid(counted.logits) if multi else softmax(counted.logits)
    after = calibration.probabilities(counted.logits)
    for name, chances in (("before", raw), (f"after {calibration.method}", after)):
        if multi:
            confidence, right = chances.ravel(), (counted.targets.values > 0).ravel()
        else:
            confidence = chances.max(axis=1)
            right = chances.argmax(axis=1) == counted.places
        which = np.minimum((confidence * 10).astype(int), 9)
        bins = [which == b for b in range(10) if (which == b).sum() >= _FEWEST_IN_BIN]
        axes.plot(
            [confidence[at].mean() for at in bins],
            [right[at].mean() for at in bins],
            marker="o",
            markersize=3,
            label=name,
        )
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=0.8)
    told = "share present" if multi else "share correct"
    axes.set(xlabel="probability", ylabel=told, title="Calibration, test films of all sources")
    axes.legend()


def _confusion(axes: Axes, labels: tuple[str, ...], counts: dict[str, dict[str, int]]) -> None:
    matrix = np.array([[counts[row][column] for column in labels] for row in labels], dtype=float)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    half = 0.5
    for row, column in np.ndindex(*matrix.shape):
        colour = "white" if shares[row, column] > half else "black"
        axes.text(column, row, f"{matrix[row, column]:.0f}", ha="center", va="center", color=colour)
    axes.set_xticks(range(len(labels)), labels, rotation=30, ha="right")
    axes.set_yticks(range(len(labels)), labels)
    axes.set(xlabel="answered", ylabel="recorded", title="Test films of all sources")
