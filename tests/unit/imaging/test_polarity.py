"""Films that are negatives of themselves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilum.imaging.phantom import phantom_film
from hilum.imaging.polarity import looks_inverted, polarity


@given(st.integers(8, 90), st.integers(8, 90), st.integers(0, 2**32 - 1))
def test_a_negative_has_minus_the_polarity(rows, columns, seed):
    """Inverting a picture turns its polarity round, to the rounding of the small copy."""
    pixels = np.random.default_rng(seed).integers(0, 256, (rows, columns)).astype(np.uint8)
    assert polarity(pixels) == pytest.approx(-polarity(255 - pixels), abs=0.1)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_phantom_is_upright_and_its_negative_is_not(seed):
    """A drawn chest film is told from its negative, whatever its contrast."""
    film = phantom_film(256, 256, seed)
    for shown in (film, film // 2 + 60):
        assert polarity(shown) > 0.5
        assert not looks_inverted(shown)
        assert looks_inverted(255 - shown)


def test_what_is_no_chest_is_not_called_inverted():
    """One grey, a ramp, noise: no reason to call any of them a negative."""
    ramp = np.tile(np.arange(256, dtype=np.uint8), (200, 1))
    noise = np.random.default_rng(0).integers(0, 256, (300, 300)).astype(np.uint8)
    assert polarity(np.full((64, 64), 90, dtype=np.uint8)) == 0.0
    assert not any(map(looks_inverted, (ramp, ramp[:, ::-1], noise)))
