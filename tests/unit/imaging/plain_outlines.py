"""Outlines and pieces of masks, cell by cell and corner by corner: slow and plain."""

from __future__ import annotations

import numpy as np

TOP, RIGHT, BOTTOM, LEFT = range(4)
LINES = (
    (8, TOP, LEFT),
    (4, RIGHT, TOP),
    (2, BOTTOM, RIGHT),
    (1, LEFT, BOTTOM),
    (12, RIGHT, LEFT),
    (6, BOTTOM, TOP),
    (3, LEFT, RIGHT),
    (9, TOP, BOTTOM),
    (14, BOTTOM, LEFT),
    (13, RIGHT, BOTTOM),
    (11, TOP, RIGHT),
    (7, LEFT, TOP),
    (10, TOP, LEFT),
    (10, BOTTOM, RIGHT),
    (5, RIGHT, TOP),
    (5, LEFT, BOTTOM),
)
"""Corners of a cell that are inside, as bits, and the sides that a line goes from and to."""


def plain_pieces(mask):
    """Labels and sizes by flooding, the largest piece first, of equal ones the upper one."""
    seen = np.zeros(mask.shape, dtype=bool)
    pieces = []
    for start in zip(*np.nonzero(mask), strict=True):
        piece, waiting = [], [start]
        while waiting:
            row, column = waiting.pop()
            inside = 0 <= row < mask.shape[0] and 0 <= column < mask.shape[1]
            if not inside or seen[row, column] or not mask[row, column]:
                continue
            seen[row, column] = True
            piece.append((row, column))
            waiting += [(row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)]
        if piece:
            pieces.append(piece)
    pieces.sort(key=lambda piece: -len(piece))
    labels = np.zeros(mask.shape, dtype=np.int32)
    for rank, piece in enumerate(pieces):
        labels[tuple(np.transpose(piece))] = rank + 1
    return labels, [len(piece) for piece in pieces]


def plain_outline(values, level):
    """The outline of largest area, float64 [n, 2]."""
    grid = np.pad(values.astype(float), 1)
    following = _following(grid >= level)
    loops = []
    while following:
        start, after = following.popitem()
        loop = [start]
        while after != start:
            loop.append(after)
            after = following.pop(after)
        loops.append(np.array([_crossing(edge, grid, level) for edge in loop]))
    if not loops:
        return np.zeros((0, 2))
    largest = max(loops, key=lambda loop: abs(_area(loop)))
    return np.clip(largest - 0.5, 0, values.shape[::-1])


def _following(inside):
    """From edge to edge; an edge is its row and column, and whether it is upright."""
    bits = inside.astype(int)
    case = 8 * bits[:-1, :-1] + 4 * bits[:-1, 1:] + 2 * bits[1:, 1:] + bits[1:, :-1]
    following = {}
    for kind, start, end in LINES:
        for row, column in np.argwhere(case == kind).tolist():
            following[_edge(row, column, start)] = _edge(row, column, end)
    return following


def _edge(row, column, side):
    return {
        TOP: (row, column, False),
        BOTTOM: (row + 1, column, False),
        LEFT: (row, column, True),
        RIGHT: (row, column + 1, True),
    }[side]


def _crossing(edge, grid, level):
    row, column, upright = edge
    here, there = grid[row, column], grid[row + upright, column + (not upright)]
    share = (level - here) / (there - here)
    return (column, row + share) if upright else (column + share, row)


def _area(loop):
    x, y = loop.T
    return np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)) / 2


def plain_simplified(polygon, tolerance):
    """Douglas and Peucker's corners, from the first one and the one farthest from it."""
    if len(polygon) < 4:
        return polygon
    ring = [*polygon.tolist(), polygon[0].tolist()]
    away = [(x - ring[0][0]) ** 2 + (y - ring[0][1]) ** 2 for x, y in ring[:-1]]
    far = away.index(max(away))
    kept = {0, far} | _kept(ring, 0, far, tolerance) | _kept(ring, far, len(polygon), tolerance)
    return polygon[sorted(kept)]


def _kept(ring, first, last, tolerance):
    most, found = tolerance**2, None
    along_x, along_y = ring[last][0] - ring[first][0], ring[last][1] - ring[first][1]
    square = along_x * along_x + along_y * along_y
    for index in range(first + 1, last):
        x, y = ring[index][0] - ring[first][0], ring[index][1] - ring[first][1]
        place = min(max((x * along_x + y * along_y) / square, 0), 1) if square else 0
        distance = (x - place * along_x) ** 2 + (y - place * along_y) ** 2
        if distance > most:
            most, found = distance, index
    if found is None:
        return set()
    before = _kept(ring, first, found, tolerance)
    return {found} | before | _kept(ring, found, last, tolerance)
