"""Pieces of a mask."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hilum.imaging.components import label_components


def flooded(mask):
    """The same by flooding, pixel by pixel: slow and plain."""
    seen = np.zeros(mask.shape, dtype=bool)
    pieces = []
    for start in zip(*np.nonzero(mask), strict=True):
        if seen[start]:
            continue
        piece, waiting = set(), [start]
        while waiting:
            row, column = waiting.pop()
            inside = 0 <= row < mask.shape[0] and 0 <= column < mask.shape[1]
            if not inside or seen[row, column] or not mask[row, column]:
                continue
            seen[row, column] = True
            piece.add((int(row), int(column)))
            waiting += [(row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)]
        pieces.append(frozenset(piece))
    return pieces


@given(arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_pieces_are_those_that_flooding_finds(mask):
    """Every piece is found whole, numbered from the largest on, and counted."""
    labels, sizes = label_components(mask)
    found = [
        frozenset(zip(*(axis.tolist() for axis in np.nonzero(labels == rank + 1)), strict=True))
        for rank in range(len(sizes))
    ]
    assert set(found) == set(flooded(mask))
    assert [len(piece) for piece in found] == sizes.tolist()
    assert sizes.tolist() == sorted(sizes, reverse=True)
    assert ((labels > 0) == mask).all()


def test_an_empty_mask_has_no_pieces():
    """Nothing set, nothing found."""
    labels, sizes = label_components(np.zeros((4, 5), dtype=bool))
    assert labels.shape == (4, 5)
    assert not labels.any()
    assert len(sizes) == 0
