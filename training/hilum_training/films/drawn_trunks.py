"""Drawn radiographs of the trunk without the chest: pelvis, spine, abdomen, breast."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hilum_training.films.drawn_shapes import Sketch

if TYPE_CHECKING:
    from numpy.typing import NDArray


def pelvis(size: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Draw a pelvis with both thighs, of an adult or of a child, or one hip of it."""
    one_hip = generator.random() < 0.25  # noqa: PLR2004 - one in four
    sketch = Sketch(size, generator, zoom=(1.6, 2.2) if one_hip else (0.8, 1.35))
    if one_hip:
        sketch.x = sketch.x + np.float32(0.5)
    child = sketch.chance(0.4)
    sketch.soft(sketch.ellipse((0, -0.2), (1.15, 1.1), power=3), 0.8)
    for side in (-1, 1):
        sketch.soft(sketch.curve([(0.55 * side, 0.2), (0.6 * side, 1.4)], [0.4]), 0.4)
    _lumbar(sketch, -1.25, 4, 0.22)
    sketch.bone(sketch.curve([(0, -0.5), (0, -0.1), (0, 0.12)], [0.2, 0.14, 0.05]), 0.6, 0.1)
    for side in (-1, 1):
        _hip(sketch, side, child=child)
    if sketch.chance(0.7):
        _gas(sketch, (-0.5, -0.9, 0.5, 0.0), int(generator.integers(2, 9)))
    if not child and sketch.chance(0.15):
        sketch.flat(sketch.curve([(0.62, 0.4), (0.5, 0.25)], [0.07]), 2.0, 0.05)
        sketch.flat(sketch.ellipse((0.49, 0.2), (0.12, 0.12)), 2.0, 0.05)
    return sketch.exposed()


def spine(size: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Draw vertebrae of neck or loins from the front or from the side."""
    sketch = Sketch(size, generator, turn=0.25, zoom=(0.8, 1.6))
    lateral = sketch.chance(0.5)
    curve, phase = generator.uniform(0, 0.2), generator.uniform(0, 2 * np.pi)
    half = generator.uniform(0.4, 1.4)
    sketch.soft(sketch.curve([(0, -1.8), (0.1, 0), (0, 1.8)], [half]), 0.7)
    height = generator.uniform(0.17, 0.34)
    width = height * generator.uniform(0.6, 0.85)
    for y in np.arange(-1.4, 1.4, height):
        x = curve * np.sin(1.6 * y + phase)
        lean = curve * np.cos(1.6 * y + phase) * -1.2
        sketch.bone(sketch.ellipse((x, y), (width, height * 0.4), lean, 5), 0.9, 0.15)
        if lateral:
            back = [(x + width, y), (x + width * 1.7, y + 0.05), (x + width * 2.3, y + 0.1)]
            sketch.bone(sketch.curve(back, [height * 0.16, height * 0.2, height * 0.12]), 0.5)
            continue
        for side in (-1, 1):
            pedicle = sketch.ellipse((x + side * width * 0.6, y - 0.02), (0.03, 0.045))
            sketch.bone(pedicle, 0.4, 0.35)
            wing = [(x + side * width, y), (x + side * width * 1.9, y - 0.02)]
            sketch.bone(sketch.curve(wing, [0.035, 0.025]), 0.35)
        sketch.soft(sketch.ellipse((x, y + height * 0.25), (0.03, height * 0.25)), 0.3)
    if sketch.chance(0.15):
        for side in (-1, 1):
            rod = [(side * width * 0.7, -0.7), (side * width * 0.6, 0.7)]
            sketch.flat(sketch.curve(rod, [0.03]), 2.0, 0.1)
    return sketch.exposed()


def abdomen(size: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Draw an abdomen: loins, bowel gas, liver, the lowest ribs and the wings of the pelvis."""
    sketch = Sketch(size, generator, zoom=(0.85, 1.2))
    sketch.soft(sketch.ellipse((0, 0), (1.1, 1.5), power=4), 1.0)
    sketch.soft(sketch.ellipse((-0.55, -0.6), (0.55, 0.5)), 0.3)
    _lumbar(sketch, -1.1, 8, 0.26)
    for side in (-1, 1):
        sketch.flat(sketch.curve([(0.1 * side, -0.5), (0.4 * side, 0.6)], [0.08, 0.2]), 0.12, 0.1)
        for index in range(3):
            top = -1.0 + 0.2 * index
            rib = [(0.15 * side, top), (0.6 * side, top + 0.15), (0.9 * side, top + 0.5)]
            sketch.bone(sketch.curve(rib, [0.045]), 0.35)
        wing = sketch.ellipse((0.6 * side, 0.95), (0.33, 0.4), 0.5 * side)
        sketch.flat(wing, 0.25, 0.3)
        sketch.bone(wing, 0.3, 0.1)
    _gas(sketch, (-0.8, -0.7, 0.8, 0.9), int(generator.integers(4, 22)))
    if sketch.chance(0.3):
        for index in range(int(generator.integers(2, 6))):
            _loop(sketch, -0.5 + 0.2 * index)
    return sketch.exposed()


def breast(size: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Draw a mammogram: a breast at one border, glands, and a chest muscle in oblique views."""
    sketch = Sketch(size, generator, turn=0.15, zoom=(0.85, 1.2))
    outline = sketch.ellipse((-1.05, generator.uniform(-0.2, 0.2)), (1.2, 0.85))
    sketch.flat(outline, 0.5, generator.uniform(0.2, 0.6))
    sketch.bone(outline, 0.2, 0.03)
    glands = sketch.ellipse((-0.55, 0.05), (0.6, 0.5))
    sketch.soft(glands, generator.uniform(0, 0.8))
    sketch.texture(glands, generator.uniform(0.05, 0.3), generator.uniform(0.7, 1.5))
    sketch.texture(outline, 0.06, 1.0)
    if sketch.chance(0.5):
        sketch.flat(sketch.curve([(-1.2, -1.2), (-1.05, 0.4)], [0.55, 0.1]), 0.6, 0.2)
    for _ in range(int(generator.integers(0, 8))):
        place = generator.uniform(-0.9, 0), generator.uniform(-0.5, 0.5)
        sketch.soft(sketch.ellipse(place, (generator.uniform(0.01, 0.06),) * 2), 0.6)
    return sketch.exposed()


def _hip(sketch: Sketch, side: int, *, child: bool) -> None:
    """Add one half of the pelvis and its thigh bone; a child's hip has gaps of cartilage."""
    wing = sketch.ellipse((0.45 * side, -0.35), (0.3, 0.36), 0.5 * side)
    sketch.flat(wing, 0.35, 0.4)
    sketch.bone(wing, 0.4, 0.1)
    sketch.bone(sketch.curve([(0.3 * side, -0.1), (0.52 * side, 0.02)], [0.1, 0.07]), 0.5)
    ring = [(0.36, 0.08), (0.1, 0.28), (0.07, 0.42), (0.3, 0.55), (0.4, 0.2)]
    if child:
        ring = [(0.3, 0.14), (0.1, 0.28), (0.1, 0.4), (0.26, 0.44)]
    sketch.bone(sketch.curve([(x * side, y) for x, y in ring], [0.06]), 0.6)
    head = 0.07 if child else 0.13
    sketch.soft(sketch.ellipse((0.5 * side, 0.18), (head, head)), 0.5)
    neck = [(0.56, 0.28), (0.66, 0.38)] if child else [(0.5, 0.2), (0.66, 0.36)]
    thigh = [(x * side, y) for x, y in (*neck, (0.66, 0.7), (0.6, 1.5))]
    sketch.bone(sketch.curve(thigh, [0.08, 0.12, 0.09, 0.09]), 1.0)


def _lumbar(sketch: Sketch, top: float, count: int, pitch: float) -> None:
    """Add vertebrae from the front, one below the other."""
    for index in range(count):
        y = top + pitch * index
        sketch.bone(sketch.ellipse((0, y), (0.17, pitch * 0.4), power=5), 0.6, 0.15)
        sketch.soft(sketch.ellipse((0, y + 0.05), (0.03, 0.07)), 0.3)
        for side in (-1, 1):
            sketch.bone(sketch.ellipse((0.1 * side, y), (0.03, 0.045)), 0.3, 0.35)
            wing = [(0.17 * side, y), (0.34 * side, y - 0.02)]
            sketch.bone(sketch.curve(wing, [0.035, 0.025]), 0.3)


def _gas(sketch: Sketch, within: tuple[float, float, float, float], count: int) -> None:
    """Take bubbles away: left, top, right, bottom of where they lie."""
    for _ in range(count):
        x = sketch.generator.uniform(within[0], within[2])
        y = sketch.generator.uniform(within[1], within[3])
        radii = sketch.generator.uniform(0.04, 0.16, 2)
        angle = sketch.generator.uniform(0, np.pi)
        sketch.air(sketch.ellipse((x, y), (radii[0], radii[1]), angle), 0.35)


def _loop(sketch: Sketch, y: float) -> None:
    """Add a distended loop of bowel with its folds."""
    width = sketch.generator.uniform(0.05, 0.1)
    reach = sketch.generator.uniform(0.3, 0.6)
    sketch.air(sketch.curve([(-reach, y), (0, y + 0.05), (reach, y - 0.05)], [width]), 0.5)
    for x in np.arange(-reach, reach, 0.08):
        sketch.soft(sketch.curve([(x, y - width), (x + 0.02, y + width)], [0.008]), 0.2)
