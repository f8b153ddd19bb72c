"""Answers that break the manifest's promises."""

from __future__ import annotations

import numpy as np
import pytest

from hilum.adapters.inference.tensors import promised_output
from hilum.domain.errors import InferenceFailed
from tests.fakes.model_catalogue import small_model

MODEL = small_model()


def answer(**changes: object):
    """A right answer for two films, with changes."""
    right = {
        "probabilities": np.full((2, 4), 0.25, np.float32),
        "heatmaps": np.zeros((2, 4, 4, 4), np.float32),
    }
    return {**right, **changes}


def test_takes_what_was_promised():
    """A right answer is handed on as it is."""
    output = promised_output(MODEL, answer(), 2)
    assert output.probabilities.shape == (2, 4)
    assert output.heatmaps.shape == (2, 4, 4, 4)


@pytest.mark.parametrize(
    "changes",
    [
        {"probabilities": None},
        {"heatmaps": None},
        {"probabilities": np.full((3, 4), 0.25, np.float32)},
        {"probabilities": np.full((2, 3), 0.25, np.float32)},
        {"probabilities": np.full((2, 4), 0.25, np.float64)},
        {"heatmaps": np.zeros((2, 4, 4), np.float32)},
        {"probabilities": np.full((2, 4), np.nan, np.float32)},
        {"probabilities": np.full((2, 4), 1.5, np.float32)},
        {"probabilities": np.full((2, 4), -0.5, np.float32)},
    ],
)
def test_refuses_what_was_not_promised(changes):
    """A missing output, another shape or dtype, or a probability that is none, is a defect."""
    with pytest.raises(InferenceFailed, match="pneumonia"):
        promised_output(MODEL, answer(**changes), 2)
