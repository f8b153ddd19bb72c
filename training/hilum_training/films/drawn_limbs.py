"""Drawn radiographs of limbs: hand, foot, foot from the side, knee or elbow, shoulder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hilum_training.films.drawn_shapes import Sketch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def hand(size: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Draw one hand from the front, or two side by side."""
    sketch = Sketch(size, generator, turn=0.5, zoom=(0.8, 1.3))
    if sketch.chance(0.25):
        sketch.x = np.abs(sketch.x * 2) - np.float32(generator.uniform(0.7, 1.0))
        sketch.y = sketch.y * 2
    spread = generator.uniform(0.06, 0.22)
    sketch.soft(sketch.ellipse((0, 0.3), (0.33, 0.36)), 0.5)
    sketch.soft(sketch.curve([(0, 0.5), (0, 1.4)], [0.22]), 0.5)
    for finger, length in enumerate((0.92, 1.0, 0.95, 0.75)):
        angle = (finger - 1.5) * spread
        start = (-0.24 + 0.16 * finger, 0.38)
        _ray(sketch, start, angle, [share * length for share in (0.4, 0.28, 0.2, 0.13)])
    _ray(sketch, (-0.28, 0.5), -0.5 - spread, [0.3, 0.24, 0.17])
    for index in range(8):
        place = (-0.18 + 0.12 * (index % 4), 0.5 + 0.11 * (index // 4))
        sketch.bone(sketch.ellipse(place, (0.07, 0.06), power=2.5), 0.5)
    for x, width in ((-0.1, 0.11), (0.13, 0.07)):
        sketch.bone(sketch.curve([(x, 0.74), (x, 0.9), (x * 0.8, 1.5)], [width, 0.07, 0.06]), 0.8)
    return sketch.exposed()


def foot(size: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Draw a foot from above."""
    sketch = Sketch(size, generator, turn=0.5, zoom=(0.8, 1.3))
    sketch.soft(sketch.curve([(0, -0.3), (0.02, 0.3), (0.05, 1.1)], [0.4, 0.34, 0.26]), 0.6)
    for toe, length in enumerate((0.9, 0.82, 0.78, 0.74, 0.7)):
        start = (-0.26 + 0.13 * toe, 0.2 + 0.03 * toe)
        shares = (0.55, 0.22, 0.13) if toe == 0 else (0.6, 0.17, 0.09, 0.07)
        _ray(sketch, start, (toe - 2) * 0.06, [share * length for share in shares])
    for place, radii in (
        ((-0.2, 0.36), (0.1, 0.1)),
        ((-0.05, 0.38), (0.08, 0.1)),
        ((0.1, 0.4), (0.09, 0.1)),
        ((-0.12, 0.55), (0.16, 0.09)),
        ((0.18, 0.55), (0.1, 0.13)),
        ((-0.05, 0.75), (0.17, 0.17)),
        ((0.1, 0.95), (0.18, 0.25)),
    ):
        sketch.bone(sketch.ellipse(place, radii, power=2.6), 0.6)
    return sketch.exposed()


def lateral_foot(size: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Draw a foot and an ankle from the side."""
    sketch = Sketch(size, generator, turn=0.4, zoom=(0.8, 1.4))
    sketch.soft(sketch.curve([(0.4, -1.4), (0.42, 0.2), (0.5, 0.4)], [0.24, 0.26, 0.3]), 0.6)
    sketch.soft(sketch.curve([(0.5, 0.4), (0, 0.45), (-0.9, 0.62)], [0.28, 0.24, 0.1]), 0.5)
    tibia = [(0.38, -1.4), (0.38, -0.1), (0.36, 0.08)]
    sketch.bone(sketch.curve(tibia, [0.11, 0.11, 0.16]), 0.9)
    sketch.bone(sketch.curve([(0.5, -1.4), (0.48, 0.16)], [0.05]), 0.5)
    sketch.bone(sketch.ellipse((0.3, 0.24), (0.22, 0.13), 0.2), 0.7)
    sketch.bone(sketch.curve([(0.66, 0.44), (0.25, 0.38)], [0.17, 0.12]), 0.8, 0.15)
    for x, y in ((0.06, 0.32), (-0.08, 0.38), (0.02, 0.46)):
        sketch.bone(sketch.ellipse((x, y), (0.09, 0.1), power=2.5), 0.6)
    for toe in range(4):
        lift = 0.04 * toe
        bones = [(-0.15, 0.42 + lift), (-0.55, 0.52 + lift)]
        sketch.bone(sketch.curve(bones, [0.05, 0.04]), 0.5)
        sketch.bone(sketch.curve([(-0.6, 0.55 + lift), (-0.78, 0.6 + lift)], [0.035]), 0.4)
    return sketch.exposed()


def hinge(size: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Draw a knee or an elbow, bent or straight, with or without a prosthesis."""
    sketch = Sketch(size, generator, turn=0.6, zoom=(0.8, 1.5))
    bend = float(generator.choice([0.0, generator.uniform(0, 1.2)]))
    far = (1.5 * np.sin(bend), 1.5 * np.cos(bend))
    waist = generator.uniform(0.3, 0.5)
    sketch.soft(sketch.curve([(0, -1.5), (0, 0), far], [waist, waist * 0.9, waist * 0.8]), 0.6)
    shaft = generator.uniform(0.1, 0.18)
    upper = [(0, -1.5), (0, -0.4), (0, -0.15)]
    sketch.bone(sketch.curve(upper, [shaft, shaft, shaft * 1.7]), 1.0)
    for x in (-0.14, 0.14):
        sketch.bone(sketch.ellipse((x, -0.1), (0.19, 0.16)), 0.6, 0.12)
    foot_of = (far[0] * 0.12, far[1] * 0.12)
    lower = [foot_of, (far[0] * 0.3, far[1] * 0.3), far]
    sketch.bone(sketch.curve(lower, [shaft * 2.0, shaft, shaft * 0.8]), 1.0)
    beside = [(far[0] * 0.2 + 0.3, far[1] * 0.2), (far[0] + 0.22, far[1])]
    sketch.bone(sketch.curve(beside, [0.06, 0.045]), 0.6)
    if sketch.chance(0.6):
        sketch.bone(sketch.ellipse((0, -0.18), (0.14, 0.15)), 0.4, 0.15)
    if sketch.chance(0.2):
        sketch.flat(sketch.ellipse((0, -0.06), (0.3, 0.1), power=3), 2.0, 0.05)
        sketch.flat(sketch.curve([(0, 0.08), (0, 0.5)], [0.05]), 2.0, 0.05)
    return sketch.exposed()


def shoulder(size: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Draw a shoulder: upper arm, blade and collar bone, with a corner of the chest."""
    sketch = Sketch(size, generator, turn=0.2, zoom=(0.9, 1.3))
    sketch.soft(sketch.curve([(-1.3, 0.0), (0.1, -0.1), (0.5, 1.4)], [0.75, 0.6, 0.36]), 0.8)
    chest = sketch.ellipse((-1.05, 0.75), (0.55, 0.85))
    sketch.air(chest, 0.4)
    for index in range(5):
        rib = [(-1.3, 0.1 + 0.25 * index), (-0.75, 0.2 + 0.25 * index), (-0.55, 0.5 + 0.25 * index)]
        sketch.bone(sketch.curve(rib, [0.06]), 0.4)
    arm = generator.uniform(-0.3, 0.9)
    far = (0.4 + 1.5 * np.sin(arm), 1.5 * np.cos(arm))
    sketch.bone(sketch.curve([(0.4, 0.0), far], [0.14, 0.11]), 1.0)
    sketch.bone(sketch.ellipse((0.36, -0.08), (0.23, 0.22)), 0.9, 0.12)
    sketch.bone(sketch.ellipse((0.06, -0.02), (0.09, 0.2), 0.2), 0.7)
    sketch.flat(sketch.ellipse((-0.25, 0.35), (0.28, 0.5), 0.25), 0.3, 0.4)
    sketch.bone(sketch.curve([(0.04, 0.1), (-0.1, 0.5), (-0.28, 0.9)], [0.05]), 0.5)
    collar = [(-1.2, -0.2), (-0.5, -0.42), (0.1, -0.38)]
    sketch.bone(sketch.curve(collar, [0.08, 0.07, 0.09]), 0.8)
    sketch.bone(sketch.curve([(0.1, -0.42), (0.38, -0.34)], [0.08, 0.06]), 0.7)
    return sketch.exposed()


def _ray(
    sketch: Sketch, start: tuple[float, float], angle: float, lengths: Sequence[float]
) -> None:
    """Add a finger or a toe: bones from the root outwards, in their soft tissue.

    Args:
        sketch: Drawn on.
        start: Root of the first bone.
        angle: From upright, radians.
        lengths: Of each bone.
    """
    x, y = start
    way = np.array([np.sin(angle), -np.cos(angle)])
    total = sum(lengths) * 1.06
    sketch.soft(sketch.curve([start, (x + way[0] * total, y + way[1] * total)], [0.09, 0.06]), 0.35)
    width = 0.055
    for length in lengths:
        end = (x + way[0] * length * 0.88, y + way[1] * length * 0.88)
        middle = ((x + end[0]) / 2, (y + end[1]) / 2)
        bone = sketch.curve([(x, y), middle, end], [width * 1.25, width * 0.75, width])
        sketch.bone(bone, 0.8, 0.3)
        x, y = x + way[0] * length, y + way[1] * length
        width *= 0.85
