"""The state of a run between epochs, so that an interrupted one goes on."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(slots=True)
class Progress:
    """What has been done: epochs finished, their log rows, the lowest validation loss so far.

    ``recipe`` is what makes a run this run and no other: the recipe, and a digest of its films.
    """

    recipe: str
    epochs_done: int = 0
    best_loss: float = float("inf")
    log: list[dict[str, float]] = field(default_factory=list)


def save(path: Path, progress: Progress, variables: Sequence[Any]) -> None:
    """Write progress and variables in one atomic step.

    Args:
        path: The .npz file.
        progress: What has been done.
        variables: Keras or TensorFlow variables, in a fixed order.
    """
    arrays = {f"v{index}": np.asarray(item) for index, item in enumerate(variables)}
    state = json.dumps(
        {
            "recipe": progress.recipe,
            "epochs_done": progress.epochs_done,
            "best_loss": progress.best_loss,
            "log": progress.log,
        }
    )
    partial = path.with_name(f"{path.stem}.partial.npz")
    np.savez(partial, state=np.array(state), **arrays)  # type: ignore[arg-type]
    os.replace(partial, path)  # noqa: PTH105 - says plainly that it is the atomic rename


def load(path: Path, recipe: str, variables: Sequence[Any]) -> Progress:
    """Take up a run: fill the variables and say how far it is; a fresh run when there is none.

    A run of another recipe or on other films is not taken up: it starts afresh.
    """
    if not path.is_file():
        return Progress(recipe)
    with np.load(path) as stored:
        progress = Progress(**json.loads(str(stored["state"])))
        if progress.recipe != recipe:
            return Progress(recipe)
        for index, item in enumerate(variables):
            item.assign(stored[f"v{index}"])
    return progress
