"""Connected components of a mask, in numpy alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def label_components(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Number the pieces of a mask; pixels that touch by a side belong together.

    Args:
        mask: bool [H, W].

    Returns:
        int32 [H, W], 0 outside and 1..n inside, the largest piece first (of equal ones the upper
        one), and int64 [n], the number of pixels of each.
    """
    height, width = mask.shape
    stride = width + 1
    # One unset column after each row and one pixel before the first: a run, a row's stretch of set
    # pixels, ends in its row, and along the film rises and falls take turns.
    pixels = np.zeros(height * stride + 1, dtype=np.bool_)
    pixels[1:].reshape(height, stride)[:, :width] = mask
    turns = np.flatnonzero(pixels[1:] != pixels[:-1])
    if not len(turns):
        return np.zeros(mask.shape, dtype=np.int32), np.zeros(0, dtype=np.int64)
    starts, ends = turns[0::2], turns[1::2]
    pieces, inverse = np.unique(_join(starts, ends, stride), return_inverse=True)
    sizes = np.bincount(inverse, weights=ends - starts).astype(np.int64)
    order = np.argsort(-sizes, kind="stable")
    rank = np.empty(len(pieces), dtype=np.int32)
    rank[order] = np.arange(1, len(pieces) + 1)
    # Without the columns between rows, what lies before, in and after the runs fills the mask.
    borders = (turns.reshape(-1, 2) - (starts // stride)[:, np.newaxis]).ravel()
    lengths = np.diff(borders, prepend=0, append=mask.size)
    values = np.zeros(len(lengths), dtype=np.int32)
    values[1::2] = rank[inverse]
    return np.repeat(values, lengths).reshape(mask.shape), sizes[order]


def _join(starts: NDArray[np.int64], ends: NDArray[np.int64], stride: int) -> NDArray[np.int64]:
    """Index of the first run of each run's piece, int64 [runs].

    Args:
        starts: Of the runs, as places along the film.
        ends: One past each run.
        stride: From a place to the one below it.
    """
    # The runs above a run are a slice found by bisection.
    first = np.searchsorted(ends, starts - stride, side="right")
    after = np.searchsorted(starts, ends - stride, side="left")
    # Most runs have one above them. Its own first one, and so on, is found for all runs at once.
    above = np.where(first < after, first, np.arange(len(starts)))
    while not np.array_equal(further := above[above], above):
        above = further
    # Where there are more, pieces meet that were two so far: a union of the few of them.
    parent = above.tolist()

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    for run in np.flatnonzero(after - first > 1).tolist():
        for other in range(int(first[run]) + 1, int(after[run])):
            one, two = root(run), root(other)
            parent[max(one, two)] = min(one, two)
    # No parent comes after its child, so that one pass from the first run on finds every root.
    for run, before in enumerate(parent):
        parent[run] = parent[before]
    return np.array(parent, dtype=np.int64)
