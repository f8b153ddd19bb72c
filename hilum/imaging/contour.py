"""Outlines of a map at a level: marching squares, then fewer points.

W. E. Lorensen and H. E. Cline, "Marching cubes", SIGGRAPH 1987, in two dimensions; simplified after
D. H. Douglas and T. K. Peucker, Cartographica 10 (1973) 112.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_TOP, _RIGHT, _BOTTOM, _LEFT = range(4)
# Corners of a cell as bits 8 (upper left), 4 (upper right), 2 (lower right), 1 (lower left), and
# the lines through it, each with the inside on its right hand. Where opposite corners are inside,
# they are kept apart, as pixels that touch by a corner are in `components`.
_LINES: Final = {
    8: ((_TOP, _LEFT),),
    4: ((_RIGHT, _TOP),),
    2: ((_BOTTOM, _RIGHT),),
    1: ((_LEFT, _BOTTOM),),
    12: ((_RIGHT, _LEFT),),
    6: ((_BOTTOM, _TOP),),
    3: ((_LEFT, _RIGHT),),
    9: ((_TOP, _BOTTOM),),
    14: ((_BOTTOM, _LEFT),),
    13: ((_RIGHT, _BOTTOM),),
    11: ((_TOP, _RIGHT),),
    7: ((_LEFT, _TOP),),
    10: ((_TOP, _LEFT), (_BOTTOM, _RIGHT)),
    5: ((_RIGHT, _TOP), (_LEFT, _BOTTOM)),
}


def outer_outline(values: NDArray[np.float64], level: float) -> NDArray[np.float64]:
    """The longest way round what lies above a level, to a fraction of a pixel.

    Args:
        values: float64 [H, W]; beyond its borders the map counts as 0.
        level: Above 0. Where nothing reaches it there is no outline.

    Returns:
        float64 [n, 2], x and y of the corners of a closed polygon, clockwise on the screen, the
        first corner not repeated. The pixel of row r and column c covers x from c to c + 1 and y
        from r to r + 1; its value stands for its middle. Holes are left out.
    """
    grid = np.pad(values, 1)
    loops = [_points(loop, grid, level) for loop in _loops(_follow(grid >= level))]
    if not loops:
        return np.zeros((0, 2))
    largest = max(loops, key=lambda loop: abs(enclosed_area(loop)))
    # The pad shifts by a pixel, the middle of a pixel by half of one.
    height, width = values.shape
    return np.clip(largest - 0.5, 0.0, (float(width), float(height)))


def enclosed_area(polygon: NDArray[np.float64]) -> float:
    """Area of a closed polygon, float64 [n, 2]; positive where it runs clockwise on the screen."""
    x, y = polygon[:, 0], polygon[:, 1]
    return float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2.0


def simplify(polygon: NDArray[np.float64], tolerance: float) -> NDArray[np.float64]:
    """Drop corners that lie within a tolerance of the line between those that stay.

    Args:
        polygon: float64 [n, 2], closed.
        tolerance: In the polygon's unit.

    Returns:
        float64 [m, 2], m <= n.
    """
    count = len(polygon)
    if count < 4:  # noqa: PLR2004 - a triangle has nothing to drop
        return polygon
    # Lists: an outline has a few hundred corners, for which a call of numpy costs more than a sum.
    ring = [(float(x), float(y)) for x, y in polygon.tolist()]
    ring.append(ring[0])
    far = int(np.argmax(np.sum((polygon - polygon[0]) ** 2, axis=1)))
    keep = np.zeros(count + 1, dtype=bool)
    keep[[0, far]] = True
    waiting = [(0, far), (far, count)]
    while waiting:
        first, last = waiting.pop()
        middle = _farthest(ring, first, last, tolerance)
        if middle is not None:
            keep[middle] = True
            waiting += [(first, middle), (middle, last)]
    return polygon[keep[:count]]


def _farthest(
    ring: Sequence[tuple[float, float]], first: int, last: int, tolerance: float
) -> int | None:
    """The corner between two others that lies farthest from the line that joins them.

    None if each of them lies within the tolerance, or there is none.
    """
    (from_x, from_y), (to_x, to_y) = ring[first], ring[last]
    along_x, along_y = to_x - from_x, to_y - from_y
    square = along_x * along_x + along_y * along_y
    found, most = None, tolerance * tolerance
    for index in range(first + 1, last):
        x, y = ring[index][0] - from_x, ring[index][1] - from_y
        place = (x * along_x + y * along_y) / square if square else 0.0
        place = min(max(place, 0.0), 1.0)
        away_x, away_y = x - place * along_x, y - place * along_y
        distance = away_x * away_x + away_y * away_y
        if distance > most:
            found, most = index, distance
    return found


def _follow(inside: NDArray[np.bool_]) -> dict[int, int]:
    """From each crossed grid edge to the next; an edge's number is 2 (r W + c), + 1 if upright."""
    height, width = inside.shape
    bits = inside.astype(np.uint8)
    case = 8 * bits[:-1, :-1] + 4 * bits[:-1, 1:] + 2 * bits[1:, 1:] + bits[1:, :-1]
    number = 2 * np.arange(height * width, dtype=np.int64).reshape(height, width)
    edges = {
        _TOP: number[:-1, :-1],
        _BOTTOM: number[1:, :-1],
        _LEFT: number[:-1, :-1] + 1,
        _RIGHT: number[:-1, 1:] + 1,
    }
    following: dict[int, int] = {}
    for kind, lines in _LINES.items():
        at = case == kind
        for start, end in lines:
            following.update(zip(edges[start][at].tolist(), edges[end][at].tolist(), strict=True))
    return following


def _loops(following: dict[int, int]) -> list[list[int]]:
    loops = []
    while following:
        edge, after = following.popitem()
        loop = [edge]
        while after != edge:
            loop.append(after)
            after = following.pop(after)
        loops.append(loop)
    return loops


def _points(loop: list[int], grid: NDArray[np.float64], level: float) -> NDArray[np.float64]:
    """Where the level is crossed on each edge, between the middles of two pixels."""
    edge = np.array(loop, dtype=np.int64)
    upright = edge % 2
    row, column = np.divmod(edge // 2, grid.shape[1])
    here = grid[row, column]
    there = grid[row + upright, column + 1 - upright]
    share = (level - here) / (there - here)
    return np.stack([column + share * (1 - upright), row + share * upright], axis=1)
