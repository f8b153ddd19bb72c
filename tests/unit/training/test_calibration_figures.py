"""Calibration within each source."""

from __future__ import annotations

import numpy as np
import pytest

from hilum_training.evaluation.calibration_figures import FEWEST_FOR_WORST, calibration_figures
from hilum_training.measures.calibration import Calibration
from tests.unit.training.panel_answers import answers, film, panel

INFECTION = panel("infection")
AS_IT_IS = Calibration("vector", (1.0, 1.0), (0.0, 0.0), (True, True))


def told(rows):
    """Source, share of right answers, and images; each image is answered with 0.8."""
    films, logits = [], []
    for source, right, count in rows:
        for place in range(count):
            label = "normal" if place < right * count else "pneumonia_viral"
            films.append(film(len(films), source, label))
            logits.append([float(np.log(0.8 / 0.2)), 0.0])
    return answers(INFECTION, films, logits)


def test_errors_that_cancel_between_sources_stand_within_each():
    """Too sure in one source and not sure enough in the other: nought together, 0.2 in each."""
    part = told([("kermany", 1.0, 60), ("nih14", 0.6, 60)])
    found = calibration_figures(part, part, AS_IT_IS)
    assert found["after"]["value"] == pytest.approx(0.0, abs=1e-3)
    errors = {row["source"]: row["error"]["value"] for row in found["within_source"]}
    assert errors == {"kermany": pytest.approx(0.2), "nih14": pytest.approx(0.2)}
    assert found["worst_source"]["error"]["value"] == pytest.approx(0.2)


def test_a_source_of_few_images_is_no_worst_source():
    """It has a row, and its error is mostly chance."""
    part = told([("kermany", 0.9, 60), ("cohen", 0.0, FEWEST_FOR_WORST - 1)])
    found = calibration_figures(part, part, AS_IT_IS)
    assert found["worst_source"]["source"] == "kermany"
    assert {row["source"] for row in found["within_source"]} == {"kermany", "cohen"}
    few = told([("cohen", 0.5, 8)])
    assert calibration_figures(few, few, AS_IT_IS)["worst_source"] is None
