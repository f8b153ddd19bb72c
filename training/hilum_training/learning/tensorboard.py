"""The log of a fit for TensorBoard: one scalar a figure, one step an epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import tensorflow as tf

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_NO_FIGURE: Final = frozenset({"epoch"})


class TensorBoardLog:
    """Writes the rows of a fit's log as TensorBoard events.

    The folder belongs to one run: a run that starts over (epoch 1) clears the events of the last
    one, a run that goes on after an interruption adds to them.

    Args:
        folder: Where TensorBoard is to look (``tensorboard --logdir``).
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writer: Any = None

    def write(self, row: Mapping[str, float]) -> None:
        """One epoch: each figure of the row as a scalar, on disk when this returns.

        ``<panel>_auroc`` and the like are grouped by panel: ``pneumonia/auroc``.
        """
        epoch = int(row["epoch"])
        if epoch == 1 and self._writer is None:
            for stale in self._folder.glob("events.out.tfevents.*"):
                stale.unlink()
        if self._writer is None:
            self._writer = tf.summary.create_file_writer(str(self._folder))
        with self._writer.as_default():
            for name, value in row.items():
                if name not in _NO_FIGURE:
                    tf.summary.scalar(_tag(name), value, step=epoch)
        self._writer.flush()


def _tag(name: str) -> str:
    panel, _, figure = name.rpartition("_")
    return f"{panel}/{figure}" if figure in {"auroc", "accuracy", "dice"} and panel else name
