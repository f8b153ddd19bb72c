"""The log of a fit as TensorBoard reads it."""

from __future__ import annotations

import os

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
pytest.importorskip("tensorflow", reason="needs the training environment: make test-training")

from tensorboard.backend.event_processing.event_accumulator import (
    TENSORS,
    EventAccumulator,
)

from hilum_training.learning.tensorboard import TensorBoardLog


def read(folder) -> dict[str, list[int]]:
    """Steps by tag, as TensorBoard's own reader finds them."""
    events = EventAccumulator(str(folder), size_guidance={TENSORS: 0})
    events.Reload()
    return {tag: [item.step for item in events.Tensors(tag)] for tag in events.Tags()["tensors"]}


def row(epoch: int) -> dict[str, float]:
    return {"epoch": epoch, "loss": 1 / epoch, "validation_loss": 1.0, "infection_auroc": 0.5}


def test_each_figure_of_an_epoch_is_a_scalar_at_its_step(tmp_path):
    """Panels are grouped by name; the epoch is the step and no figure."""
    log = TensorBoardLog(tmp_path)
    log.write(row(1))
    log.write(row(2))
    assert read(tmp_path) == {
        "loss": [1, 2],
        "validation_loss": [1, 2],
        "infection/auroc": [1, 2],
    }


def test_a_run_that_goes_on_adds_and_a_run_that_starts_over_clears(tmp_path):
    """The folder shows one run, however often it was interrupted."""
    TensorBoardLog(tmp_path).write(row(1))
    TensorBoardLog(tmp_path).write(row(2))
    assert read(tmp_path)["loss"] == [1, 2]
    TensorBoardLog(tmp_path).write(row(1))
    assert read(tmp_path)["loss"] == [1]
