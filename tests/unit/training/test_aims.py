"""An aim is met by a figure; whether it is shown is for the interval to say."""

from __future__ import annotations

import pytest

from hilum_training.evaluation.aims import AIMS, Aim


@pytest.mark.parametrize(
    ("value", "interval", "verdict"),
    [
        (0.95, [0.92, 0.97], "yes"),
        (0.95, [0.85, 0.99], "yes, within chance"),
        (0.85, [0.80, 0.88], "**no**"),
        (0.85, [0.80, 0.92], "**no**, within chance"),
        (0.95, None, "yes"),
        (None, None, "not measured"),
    ],
)
def test_an_interval_across_the_bound_is_said(value, interval, verdict):
    """Three films of three right are no proof of 99 %."""
    aim = Aim("a share", 0.9, lambda _: {"value": value, "interval": interval})
    assert aim.row({})["met"] == verdict


def test_an_upper_bound_is_kept_from_below():
    """A calibration error is to be small."""
    aim = Aim("an error", 0.03, lambda _: {"value": 0.02, "interval": [0.01, 0.05]}, at_most=True)
    assert aim.row({})["met"] == "yes, within chance"
    assert aim.row({})["wanted"] == "at most 0.03"


def test_each_kind_of_picture_that_must_stop_has_an_aim_of_its_own():
    """Many easy negatives do not hide three lateral films."""
    words = {aim.what for aim in AIMS}
    assert {"gate: lateral films that stop", "gate: frontal films as negatives that stop"} <= words
