"""Severely ill chests: those made from frontal radiographs, and those found among real ones."""

from __future__ import annotations

import numpy as np
import pytest

from hilum.imaging.phantom import phantom_film
from hilum_training.films.severe import SEVERE, make_severe, unequal

CHEST = phantom_film(256, 256, seed=3)[::2, ::2, np.newaxis]
LEFT, RIGHT = np.s_[30:80, 20:48, 0], np.s_[30:80, 80:108, 0]


def made(kind, seed=0):
    return make_severe(CHEST, kind, np.random.default_rng(seed))


@pytest.mark.parametrize("kind", SEVERE)
def test_a_kind_changes_the_radiograph_and_comes_again_from_its_seed(kind):
    """The image keeps its shape and type, differs from the original, and repeats with its seed."""
    first = made(kind)
    assert (first.shape, first.dtype) == (CHEST.shape, np.uint8)
    assert not np.array_equal(first, CHEST)
    assert np.array_equal(first, made(kind))
    assert not np.array_equal(first, made(kind, seed=1))


def test_one_opaque_lung_brightens_one_side():
    """One side becomes far brighter, the other does not become darker."""
    for seed in range(8):
        gains = [
            made("one_opaque", seed)[side].mean() - CHEST[side].mean() for side in (LEFT, RIGHT)
        ]
        assert max(gains) > 20
        assert min(gains) > -25


def test_both_opaque_lungs_brighten_both_sides():
    """The mean of either side rises."""
    for seed in range(8):
        image = made("both_opaque", seed)
        assert image[LEFT].mean() > CHEST[LEFT].mean() + 10
        assert image[RIGHT].mean() > CHEST[RIGHT].mean() + 10


def test_a_collapsed_lung_darkens_a_side():
    """At the wall of the chest one side is darker than before, unless it was dark already."""
    edges = np.s_[40:80, 24:32, 0], np.s_[40:80, 96:104, 0]
    images = [made("collapsed", seed) for seed in range(8)]
    darker = [min(image[at].mean() - CHEST[at].mean() for at in edges) < 0 for image in images]
    assert sum(darker) >= 6


def test_devices_only_brighten():
    """Metal and plastic absorb."""
    for seed in range(8):
        assert (made("devices", seed).astype(int) - CHEST >= -1).all()


def test_unequal_sides_are_found():
    """A chest with one white half is unequal, an even image and a healthy chest are not."""
    white = CHEST.copy()
    white[:, 64:] = 250
    assert unequal(white)
    assert not unequal(CHEST)
    assert not unequal(np.full((64, 64, 1), 90, np.uint8))
