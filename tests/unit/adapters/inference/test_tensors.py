"""Answers that break the manifest's promises."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hilum.adapters.inference.tensors import promised_outputs
from hilum.domain.errors import InferenceFailed
from hilum.domain.model import PanelKind, TensorSpec
from tests.fakes.model_catalogue import STRUCTURE_LABELS, model_of, small_panel

_WITHOUT_SCOPE = model_of(
    "chest",
    small_panel(),
    small_panel("lungs", STRUCTURE_LABELS, kind=PanelKind.STRUCTURES),
)
MODEL = replace(
    _WITHOUT_SCOPE,
    outputs=(*_WITHOUT_SCOPE.outputs, TensorSpec("scope", (1,), "float32", "scope")),
    scope_measures=("child",),
)
PROBABILITIES, HEATMAPS, MASKS, SCOPE = (spec.name for spec in MODEL.outputs)


def answer(**changes: object):
    """A right answer for two films, with changes."""
    right = {
        PROBABILITIES: np.full((2, 4), 0.25, np.float32),
        HEATMAPS: np.zeros((2, 4, 4, 4), np.float32),
        MASKS: np.full((2, 32, 32, 4), 7, np.uint8),
        SCOPE: np.full((2, 1), 0.5, np.float32),
    }
    return {**right, **changes}


def test_takes_what_was_promised():
    """A right answer is handed on as it is, without what another model gave."""
    outputs = promised_outputs(MODEL, answer(other=np.zeros(1)), 2)
    assert set(outputs) == {PROBABILITIES, HEATMAPS, MASKS, SCOPE}
    assert outputs[PROBABILITIES].shape == (2, 4)
    assert outputs[HEATMAPS].shape == (2, 4, 4, 4)
    assert outputs[MASKS].dtype == np.uint8


@pytest.mark.parametrize(
    "changes",
    [
        {PROBABILITIES: None},
        {HEATMAPS: None},
        {MASKS: None},
        {PROBABILITIES: np.full((3, 4), 0.25, np.float32)},
        {PROBABILITIES: np.full((2, 3), 0.25, np.float32)},
        {PROBABILITIES: np.full((2, 4), 0.25, np.float64)},
        {HEATMAPS: np.zeros((2, 4, 4), np.float32)},
        {MASKS: np.zeros((2, 32, 32, 4), np.float32)},
        {MASKS: np.zeros((2, 32, 32, 4), np.int8)},
        {MASKS: np.zeros((2, 32, 32, 3), np.uint8)},
        {PROBABILITIES: np.full((2, 4), np.nan, np.float32)},
        {PROBABILITIES: np.full((2, 4), 1.5, np.float32)},
        {PROBABILITIES: np.full((2, 4), -0.5, np.float32)},
        {HEATMAPS: np.full((2, 4, 4, 4), np.nan, np.float32)},
        {SCOPE: np.array([[np.nan], [0.5]], np.float32)},
        {SCOPE: np.array([[np.inf], [0.5]], np.float32)},
    ],
)
def test_refuses_what_was_not_promised(changes):
    """A missing output, another shape or dtype, or a probability that is none, is a defect."""
    with pytest.raises(InferenceFailed, match="chest"):
        promised_outputs(MODEL, answer(**changes), 2)


def test_an_answer_without_one_output_names_it():
    """So that an operator finds the model that lacks it."""
    lacking = answer()
    del lacking[MASKS]
    with pytest.raises(InferenceFailed, match="lungs_masks"):
        promised_outputs(MODEL, lacking, 2)
