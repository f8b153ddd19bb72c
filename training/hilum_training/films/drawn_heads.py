"""Drawn radiographs of the head: skull from the side and from the front, and the jaws unrolled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hilum_training.films.drawn_shapes import Sketch

if TYPE_CHECKING:
    from numpy.typing import NDArray


def lateral_skull(size: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Draw a skull from the side, or a cephalogram."""
    head = Sketch(size, generator, turn=0.3, zoom=(0.75, 1.5))
    head.soft(head.ellipse((0.1, -0.2), (0.78, 0.66)), 0.5)
    head.soft(head.curve([(0.15, 0.3), (0.3, 1.4)], [0.38]), 0.6)
    head.soft(head.curve([(-0.55, -0.1), (-0.45, 0.35), (-0.3, 0.6)], [0.25, 0.32, 0.2]), 0.4)
    vault = head.ellipse((0.1, -0.2), (0.7, 0.57), power=head.generator.uniform(2, 2.6))
    head.bone(vault, 1.0, head.generator.uniform(0.06, 0.14))
    head.flat(vault, 0.35, 0.4)
    base = [(-0.55, -0.02), (-0.15, 0.08), (0.1, 0.08), (0.3, 0.26), (0.55, 0.2)]
    head.soft(head.curve(base, [0.05]), 0.5)
    head.soft(head.ellipse((0.15, 0.16), (0.16, 0.11)), 0.7)
    head.air(head.ellipse((-0.5, 0.02), (0.13, 0.12)), 0.35)
    head.air(head.ellipse((-0.42, 0.23), (0.15, 0.12)), 0.4)
    head.bone(head.curve([(-0.6, -0.08), (-0.57, 0.12), (-0.68, 0.26)], [0.03]), 0.5)
    head.soft(head.curve([(-0.64, 0.36), (-0.2, 0.36)], [0.035]), 0.5)
    if head.chance(0.9):
        for x in np.arange(-0.62, -0.28, head.generator.uniform(0.05, 0.07)):
            head.soft(head.ellipse((x, 0.42), (0.026, 0.07)), 0.6)
            head.soft(head.ellipse((x, 0.53), (0.024, 0.06)), 0.6)
    jaw = [(-0.62, 0.66), (-0.3, 0.63), (-0.04, 0.48), (0.02, 0.14)]
    head.bone(head.curve(jaw, [0.09, 0.09, 0.1, 0.06]), 0.7)
    head.air(head.curve([(-0.1, 0.34), (0.04, 0.62), (0.1, 1.3)], [0.05]), 0.4)
    _neck(head, 0.24, 0.38)
    for _ in range(int(generator.integers(0, 6))):
        start = generator.uniform(-0.4, 0.5), generator.uniform(-0.6, 0.1)
        end = start[0] + generator.normal(0, 0.2), start[1] + generator.normal(0, 0.2)
        head.air(head.curve([start, end], [0.012]), 0.15)
    return head.exposed()


def frontal_skull(size: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Draw a skull from the front: orbits, sinuses, teeth, lower jaw."""
    head = Sketch(size, generator, turn=0.2, zoom=(0.75, 1.4))
    head.soft(head.ellipse((0, -0.08), (0.64, 0.84)), 0.5)
    head.soft(head.curve([(0, 0.5), (0, 1.4)], [0.36]), 0.5)
    vault = head.ellipse((0, -0.2), (0.55, 0.62), power=2.3)
    head.bone(vault, 1.0, generator.uniform(0.07, 0.15))
    head.flat(vault, 0.35, 0.4)
    head.soft(head.ellipse((0, 0.25), (0.4, 0.45)), 0.4)
    petrous = generator.uniform(-0.05, 0.3)
    for side in (-1, 1):
        orbit = head.ellipse((0.22 * side, 0.02), (0.16, 0.13), power=2.6)
        head.air(orbit, 0.4)
        head.bone(orbit * 0.92, 0.25, 0.1)
        head.soft(head.curve([(0.06 * side, petrous), (0.45 * side, petrous - 0.05)], [0.06]), 0.5)
        head.air(head.ellipse((0.2 * side, 0.28), (0.12, 0.12)), 0.35)
        head.soft(head.curve([(0.3 * side, 0.2), (0.5 * side, 0.1)], [0.05, 0.03]), 0.5)
    head.air(head.ellipse((0, 0.2), (0.1, 0.2)), 0.45)
    head.soft(head.curve([(0, 0.0), (0, 0.4)], [0.014]), 0.4)
    head.air(head.ellipse((0, -0.16), (0.14, 0.08)), 0.25)
    for x in np.arange(-0.21, 0.22, generator.uniform(0.05, 0.07)):
        head.soft(head.ellipse((x, 0.47), (0.026, 0.08)), 0.5)
        head.soft(head.ellipse((x, 0.6), (0.022, 0.07)), 0.5)
    ramus = [(0.43, 0.15), (0.41, 0.48), (0.2, 0.78)]
    jaw = [(-x, y) for x, y in ramus] + ramus[::-1]
    head.bone(head.curve(jaw, [0.06, 0.07, 0.08, 0.08, 0.07, 0.06]), 0.7)
    for index in range(4):
        head.bone(head.ellipse((0, 0.75 + 0.14 * index), (0.13, 0.055), power=4), 0.4)
    return head.exposed()


def jaws(size: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Draw a dental panoramic radiograph: both jaws with their teeth, unrolled."""
    mouth = Sketch(size, generator, turn=0.08, zoom=(0.9, 1.3))
    mouth.soft(mouth.ellipse((0, 0.1), (1.3, 1.1), power=4), 0.5)
    mouth.soft(mouth.ellipse((0, 0), (0.14, 1.3), power=3), generator.uniform(0, 0.6))
    for side in (-1, 1):
        mouth.soft(mouth.curve([(0.95 * side, -1.2), (1.0 * side, 1.2)], [0.14]), 0.6)
        mouth.air(mouth.ellipse((0.33 * side, -0.45), (0.22, 0.16)), 0.35)
        mouth.air(mouth.ellipse((0.1 * side, -0.5), (0.08, 0.18)), 0.3)
        mouth.soft(mouth.curve([(0.15 * side, -0.2), (0.7 * side, -0.3)], [0.03]), 0.4)
    low = generator.uniform(0.55, 0.75)
    half = [(0.82, -0.5), (0.74, 0.15), (0.45, low - 0.1)]
    arch = [(-x, y) for x, y in half] + [(0.0, low)] + half[::-1]
    mouth.bone(mouth.curve(arch, [0.09, 0.15, 0.17, 0.16, 0.17, 0.15, 0.09]), 1.0, 0.15)
    smile, gap = generator.uniform(-0.15, 0.35), generator.uniform(0, 0.08)
    mouth.soft(mouth.curve([(-0.6, -0.1), (0, 0.0), (0.6, -0.1)], [0.14]), 0.4)
    for x in np.linspace(-0.6, 0.6, int(generator.integers(12, 18))):
        if mouth.chance(0.1):
            continue
        bite = 0.15 - smile * (x / 0.6) ** 2
        width, lean = generator.uniform(0.03, 0.045), 0.35 * x
        for root, up in ((bite - 0.14 - gap / 2, -1), (bite + 0.14 + gap / 2, 1)):
            mouth.soft(mouth.ellipse((x, root), (width, 0.15), up * lean), 0.6)
            mouth.flat(mouth.ellipse((x, root - up * 0.09), (width, 0.06), power=4), 0.5)
            mouth.air(mouth.ellipse((x, root + up * 0.03), (0.008, 0.1), up * lean), 0.3)
            if mouth.chance(0.12):
                mouth.flat(mouth.ellipse((x, root - up * 0.1), (width, 0.03), power=3), 1.2)
    return mouth.exposed()


def _neck(head: Sketch, x: float, y: float) -> None:
    """Add the vertebrae of the neck from the side, seen down to the border."""
    lean = head.generator.uniform(-0.02, 0.05)
    for index in range(8):
        place = (x + lean * index, y + 0.13 * index)
        head.bone(head.ellipse(place, (0.1, 0.05), power=4), 0.7)
        spine = (place[0] + 0.28, place[1] + 0.05)
        head.bone(head.curve([(place[0] + 0.12, place[1]), spine], [0.03]), 0.4)
