"""How a fit went, epoch by epoch: whether more of the same training could have helped."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Final

import matplotlib as mpl
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

EPOCHS: Final = "epochs.csv"
LEARNING: Final = "learning.svg"
_WORDS: Final = {"_accuracy": ", accuracy", "_auroc": ", mean AUROC"}
_DICE: Final = "validation_dice_"


def read_epochs(path: Path) -> list[dict[str, float]]:
    """The rows of an ``epochs.csv``, as :func:`hilum_training.learning.log.write_log` wrote it."""
    with path.open(encoding="utf-8", newline="") as stream:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(stream)]


def tells_of_panels(rows: Sequence[Mapping[str, float]]) -> bool:
    """Whether a log says anything of panels, or of structures, on validation films."""
    return bool(rows) and any(_words(key) for key in rows[0])


def draw_learning(rows: Sequence[Mapping[str, float]], name: str, path: Path) -> None:
    """Draw loss of training and of validation, and beside it what validation films say of panels.

    Args:
        rows: From :func:`read_epochs`, at least one.
        name: Of the network.
        path: Where to write the SVG, the same for the same rows.
    """
    with mpl.rc_context({"svg.hashsalt": name, "font.size": 8, "svg.fonttype": "none"}):
        figure = Figure(figsize=(8, 3.6), layout="constrained")
        losses, figures = figure.subplots(1, 2)
        epochs = [row["epoch"] for row in rows]
        for key, label in (("loss", "training films"), ("validation_loss", "validation films")):
            losses.plot(epochs, [row[key] for row in rows], marker="o", markersize=3, label=label)
        losses.set(xlabel="epoch", ylabel="loss", title=f"{name}: loss")
        losses.legend()
        for key in rows[0]:
            if label := _words(key):
                values = [row[key] for row in rows]
                figures.plot(epochs, values, marker="o", markersize=3, label=label)
        figures.set(xlabel="epoch", title="validation films, all sources", ylim=(0.5, 1))
        figures.legend(fontsize=6)
        figure.savefig(path, format="svg", metadata={"Date": None})


def _words(key: str) -> str:
    """What a column of the log says of validation films, for a person; empty for the others."""
    if key.startswith(_DICE):
        return key.removeprefix(_DICE).replace("_", " ") + ", Dice"
    for suffix, words in _WORDS.items():
        if key.endswith(suffix):
            return key.removesuffix(suffix) + words
    return ""
