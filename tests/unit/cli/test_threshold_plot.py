"""The picture of fitted thresholds."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from hilum.application.thresholds.fitting import curve, fit
from hilum.application.thresholds.label_fit import LabelFit
from hilum.application.thresholds.resampling import Aim, LabelledScores
from hilum.domain.errors import TooFewFilms
from hilum_cli.threshold_plot import draw_thresholds

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def fitted() -> LabelFit:
    chance = np.random.default_rng(4)
    scores = np.round(np.concatenate([chance.beta(4, 2, 700), chance.beta(2, 4, 700)]), 6)
    films = LabelledScores(scores, np.arange(1400) < 700, np.arange(1400))
    found = fit(films, Aim.SENSITIVITY, 0.9, resamples=200)
    return LabelFit("tuberculosis", "tuberculosis", found, curve(films))


def test_it_is_a_picture_with_a_row_for_each_label(fitted):
    """Labels without a threshold have none; names and the notice are text, and escaped."""
    refused = LabelFit("pathology", "hernia", None, None, TooFewFilms("too few"))
    text = draw_thresholds([fitted, refused, fitted], "site <north> & co", "Research use only")
    picture = ET.fromstring(text)  # noqa: S314 - our own
    words = [node.text for node in picture.iter(f"{SVG}text")]
    assert words.count("tuberculosis / tuberculosis") == 2
    assert "site <north> & co" in words
    assert "Research use only" in words
    assert "pathology / hernia" not in words


def test_the_point_lies_on_the_curve(fitted):
    """Where the chosen threshold's sensitivity and specificity are."""
    picture = ET.fromstring(draw_thresholds([fitted], "t", "n"))  # noqa: S314 - our own
    (dot,) = picture.iter(f"{SVG}circle")
    assert float(dot.get("cx", "")) == pytest.approx(
        (1 - fitted.fit.specificity.value) * 260, abs=0.1
    )
    assert float(dot.get("cy", "")) == pytest.approx(
        (1 - fitted.fit.sensitivity.value) * 260, abs=0.1
    )


def test_a_long_curve_is_drawn_with_few_points_and_both_ends(fitted):
    """A thousand films make no megabyte; the curve still ends at the corner."""
    text = draw_thresholds([fitted], "t", "n")
    lines = re.findall(r'<polyline[^>]* points="([^"]+)"', text)
    assert len(lines) == 3
    for line in lines:
        assert len(line.split()) < 900
    assert lines[0].split()[0] == "0.0,260.0"
    assert lines[0].split()[-1] == "260.0,0.0"
    assert len(text) < 60_000
