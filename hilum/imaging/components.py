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
    labels = np.zeros(mask.shape, dtype=np.int32)
    # A run is a row's stretch of set pixels; in row order, the n-th rise belongs to the n-th fall.
    steps = np.diff(np.pad(mask.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    rows, starts = np.nonzero(steps == 1)
    ends = np.nonzero(steps == -1)[1]
    if not len(rows):
        return labels, np.zeros(0, dtype=np.int64)
    roots = _join(rows, starts, ends, mask.shape[1] + 2)
    lengths = ends - starts
    pieces, inverse = np.unique(roots, return_inverse=True)
    sizes = np.bincount(inverse, weights=lengths).astype(np.int64)
    order = np.argsort(-sizes, kind="stable")
    rank = np.empty(len(pieces), dtype=np.int32)
    rank[order] = np.arange(1, len(pieces) + 1)
    labels[mask] = np.repeat(rank[inverse], lengths)
    return labels, sizes[order]


def _join(
    rows: NDArray[np.int64], starts: NDArray[np.int64], ends: NDArray[np.int64], stride: int
) -> NDArray[np.int64]:
    """Index of the first run of each run's piece, int64 [runs]."""
    # One sorted number per run end, so that the runs above a run are a slice found by bisection.
    first = np.searchsorted(rows * stride + ends, (rows - 1) * stride + starts, side="right")
    after = np.searchsorted(rows * stride + starts, (rows - 1) * stride + ends, side="left")
    parent = list(range(len(rows)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    for run, (low, high) in enumerate(zip(first.tolist(), after.tolist(), strict=True)):
        for above in range(low, high):
            one, other = root(run), root(above)
            parent[max(one, other)] = min(one, other)
    return np.array([root(index) for index in range(len(parent))], dtype=np.int64)
