"""Outlines of a map at a level: marching squares, then fewer points.

W. E. Lorensen and H. E. Cline, "Marching cubes", SIGGRAPH 1987, in two dimensions; simplified after
D. H. Douglas and T. K. Peucker, Cartographica 10 (1973) 112.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

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
_SADDLES: Final = (10, 5)


def _by_case() -> NDArray[np.int64]:
    """The same lines as int64 [16 cases, 2 lines, 3]: side from, side to, place in the table."""
    table = np.zeros((16, 2, 3), dtype=np.int64)
    lines = (
        (case, line, *sides) for case, found in _LINES.items() for line, sides in enumerate(found)
    )
    for place, (case, line, start, end) in enumerate(lines):
        table[case, line] = start, end, place
    return table


_TABLE: Final = _by_case()
_LONG: Final = 40
"""Corners from which numpy finds the farthest one faster than a loop does."""


def outer_outline(
    values: NDArray[Any], level: float, piece: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """The longest way round what lies above a level, to a fraction of a pixel.

    Args:
        values: Numbers [H, W]; beyond its borders the map counts as 0.
        level: Above 0. Where nothing reaches it there is no outline.
        piece: bool [H, W], one piece of what lies above the level: no other is looked at.

    Returns:
        float64 [n, 2], x and y of the corners of a closed polygon, clockwise on the screen, the
        first corner not repeated. The pixel of row r and column c covers x from c to c + 1 and y
        from r to r + 1; its value stands for its middle. Holes are left out.
    """
    inside = values >= level if piece is None else piece
    rows, columns = (np.flatnonzero(inside.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return np.zeros((0, 2))
    top, left = int(rows[0]), int(columns[0])
    part = (top, int(rows[-1])), (left, int(columns[-1]))
    grid = _with_border(values, *part)
    above = grid >= level
    if piece is not None:
        # Values just outside the piece stay: they place its border between pixels.
        others = above > _with_border(piece, *part)
        grid[others], above[others] = 0.0, False
    loops = [_points(loop, grid, level, (top, left)) for loop in _loops(_follow(above))]
    largest = max(loops, key=lambda loop: abs(enclosed_area(loop))) if loops[1:] else loops[0]
    # The border shifts by a pixel, the middle of a pixel by half of one.
    height, width = values.shape
    return np.clip(largest - 0.5, 0.0, (float(width), float(height)))


def _with_border(
    values: NDArray[Any], rows: tuple[int, int], columns: tuple[int, int]
) -> NDArray[np.float64]:
    """A part of a map, first to last row and column, and a pixel around it: 0 beyond the map."""
    (top, bottom), (left, right) = rows, columns
    grid = np.zeros((bottom - top + 3, right - left + 3))
    part = values[max(top - 1, 0) : bottom + 2, max(left - 1, 0) : right + 2]
    down, along = int(top == 0), int(left == 0)
    grid[down : down + part.shape[0], along : along + part.shape[1]] = part
    return grid


def enclosed_area(polygon: NDArray[np.float64]) -> float:
    """Area of a closed polygon, float64 [n, 2]; positive where it runs clockwise on the screen."""
    (x, y), (next_x, next_y) = polygon.T, np.concatenate([polygon[1:], polygon[:1]]).T
    return float(np.sum(x * next_y - y * next_x)) / 2.0


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
    ring = np.concatenate([polygon, polygon[:1]]).astype(np.float64)
    corners = ring.tolist()
    far = int(np.argmax(np.sum((polygon - polygon[0]) ** 2, axis=1)))
    keep = np.zeros(count + 1, dtype=bool)
    keep[[0, far]] = True
    waiting = [(0, far), (far, count)]
    while waiting:
        first, last = waiting.pop()
        if last - first == 1:
            continue
        if last - first > _LONG:
            middle = _farthest(ring[first : last + 1], tolerance)
        else:
            middle = _farthest_of_few(corners[first : last + 1], tolerance)
        if middle is not None:
            keep[first + middle] = True
            waiting += [(first, first + middle), (first + middle, last)]
    return polygon[keep[:count]]


def _farthest(line: NDArray[np.float64], tolerance: float) -> int | None:
    """The corner that lies farthest from the straight line between the first and the last one.

    Args:
        line: float64 [n, 2].
        tolerance: None if each corner lies within it.
    """
    along_x, along_y = (line[-1] - line[0]).tolist()
    square = along_x * along_x + along_y * along_y
    x, y = line[1:-1, 0] - line[0, 0], line[1:-1, 1] - line[0, 1]
    place = (x * along_x + y * along_y) / square if square else np.zeros(len(x))
    np.minimum(np.maximum(place, 0.0, out=place), 1.0, out=place)
    x -= place * along_x
    y -= place * along_y
    distances = x * x + y * y
    found = int(distances.argmax())
    return found + 1 if distances[found] > tolerance * tolerance else None


def _farthest_of_few(line: Sequence[Sequence[float]], tolerance: float) -> int | None:
    """As :func:`_farthest`, to the bit: for few corners a call of numpy costs more than a sum."""
    (from_x, from_y), (to_x, to_y) = line[0], line[-1]
    along_x, along_y = to_x - from_x, to_y - from_y
    square = along_x * along_x + along_y * along_y
    found, most = None, tolerance * tolerance
    for index, (x, y) in enumerate(line):
        away_x, away_y = x - from_x, y - from_y
        place = (away_x * along_x + away_y * along_y) / square if square else 0.0
        if place > 0.0:
            place = min(place, 1.0)
            away_x -= place * along_x
            away_y -= place * along_y
        distance = away_x * away_x + away_y * away_y
        if distance > most:
            found, most = index, distance
    return found


def _follow(inside: NDArray[np.bool_]) -> dict[int, int]:
    """From each crossed grid edge to the next; an edge's number is 2 (r W + c), + 1 if upright."""
    width = inside.shape[1]
    bits = inside.astype(np.uint8)
    case = 8 * bits[:-1, :-1] + 4 * bits[:-1, 1:] + 2 * bits[1:, 1:] + bits[1:, :-1]
    cell = np.flatnonzero((case != 0) & (case != 15))  # noqa: PLR2004 - none and all of 4 corners
    kind = case.ravel()[cell]
    line = np.zeros(len(cell), dtype=np.int64)
    if (twice := np.flatnonzero((kind == _SADDLES[0]) | (kind == _SADDLES[1]))).size:
        cell, kind = np.append(cell, cell[twice]), np.append(kind, kind[twice])
        line = np.append(line, np.ones(len(twice), dtype=np.int64))
    lines = _TABLE[kind, line]
    # In the table's order: the last edge is where an outline starts, and the first corner stays.
    order = np.argsort(lines[:, 2], kind="stable")
    cell, lines = cell[order], lines[order]
    row, column = np.divmod(cell, width - 1)
    edge = 2 * (row * width + column)
    # From a cell's upper left corner to its edges, by side.
    beside = np.array([0, 3, 2 * width, 1])
    starts, ends = (edge + beside[lines[:, end]] for end in (0, 1))
    return dict(zip(starts.tolist(), ends.tolist(), strict=True))


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


def _points(
    loop: list[int], grid: NDArray[np.float64], level: float, origin: tuple[int, int]
) -> NDArray[np.float64]:
    """Where the level is crossed on each edge, between the middles of two pixels.

    Args:
        loop: Numbers of edges.
        grid: A part of a map.
        level: To be crossed.
        origin: Row and column of the part, from which x and y count.
    """
    edge = np.array(loop, dtype=np.int64)
    upright = edge % 2
    row, column = np.divmod(edge // 2, grid.shape[1])
    here = grid[row, column]
    there = grid[row + upright, column + 1 - upright]
    share = (level - here) / (there - here)
    top, left = origin
    return np.stack([left + column + share * (1 - upright), top + row + share * upright], axis=1)
