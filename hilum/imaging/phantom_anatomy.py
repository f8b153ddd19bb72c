"""Shapes of a chest, as the thickness that a ray meets.

Coordinates are fractions of the film: ``x`` runs from -1 (the film's left edge, the patient's
right) over the spine at 0 to 1, ``y`` from 0 (top) to 1. Thickness is in arbitrary units. Every
function takes and gives float32 [H, W] fields.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Field = NDArray[np.floating[Any]]


def _field(value: Any) -> NDArray[np.float32]:
    return np.asarray(value, dtype=np.float32)


def smooth_step(value: Field, width: float) -> NDArray[np.float32]:
    """0 below -width, 1 above width, smooth between: the soft edge of an organ."""
    share = np.clip(value / (2.0 * width) + 0.5, 0.0, 1.0)
    return _field(share * share * (3.0 - 2.0 * share))


def ellipsoid(
    x: Field, y: Field, centre: tuple[float, float], radii: tuple[float, float]
) -> NDArray[np.float32]:
    """Path length through an ellipsoid of depth 1: ``sqrt(1 - r^2)``."""
    inside = 1.0 - ((x - centre[0]) / radii[0]) ** 2 - ((y - centre[1]) / radii[1]) ** 2
    return _field(np.sqrt(np.clip(inside, 0.0, None)))


def body(x: Field, y: Field) -> NDArray[np.float32]:
    """Soft tissue: neck, sloping shoulders, trunk."""
    shoulder = 0.26 + 0.78 * smooth_step(y - 0.10, 0.13)
    waist = 1.0 - 0.10 * smooth_step(y - 0.75, 0.30)
    half_width = np.clip(shoulder * waist, 0.05, None)
    side = np.clip(1.0 - np.abs(x / half_width) ** 2.6, 0.0, None)
    return _field(np.sqrt(side))


def diaphragm(x: Field, tilt: float) -> NDArray[np.float32]:
    """Height ``y`` of the domes: the right one (film's left) stands a little higher."""
    right = 0.715 - 0.085 * np.cos(np.clip((x + 0.40) / 0.36, -1.6, 1.6))
    left = 0.740 - 0.080 * np.cos(np.clip((x - 0.40) / 0.36, -1.6, 1.6))
    share = smooth_step(x, 0.12)
    return _field((1.0 - share) * (right + 0.5 * tilt) + share * (left + tilt) + 0.045)


def chest_wall(y: Field) -> NDArray[np.float32]:
    """Distance of the chest's inner wall from the midline, 0 above the apex."""
    along = np.clip((y - 0.10) / 0.64, 0.0, 1.0)
    return _field(0.74 * np.sqrt(1.0 - (1.0 - along) ** 3.0))


def lung(x: Field, y: Field, side: float, dome: Field) -> NDArray[np.float32]:
    """One lung's air: a half-ellipse with a narrow apex, cut by the diaphragm.

    Args:
        x: Coordinates.
        y: Coordinates.
        side: -1 for the film's left, 1 for its right.
        dome: Height of the diaphragm.
    """
    along = np.clip((y - 0.10) / 0.64, 0.0, 1.0)
    outer = chest_wall(y)
    inner = 0.095 + 0.03 * along + 0.13 * np.exp(-along / 0.035)
    lateral = x * side
    shape = smooth_step(outer - lateral, 0.02) * smooth_step(lateral - inner, 0.03)
    depth = 0.55 + 0.45 * ellipsoid(lateral, y, (0.40, 0.48), (0.36, 0.45))
    return _field(shape * smooth_step(dome - y, 0.008) * depth * (along > 0.0))


def heart(x: Field, y: Field, size: float) -> NDArray[np.float32]:
    """Heart, aortic knuckle and the mediastinum above them."""
    # The long axis points down to the apex of the heart; y counts double, as x spans two.
    aside, down = x - 0.14, 2.0 * (y - 0.59)
    long_axis = 0.78 * aside + 0.62 * down
    short_axis = -0.62 * aside + 0.78 * down
    muscle = ellipsoid(long_axis, short_axis, (0.0, 0.0), (0.37 * size, 0.25 * size))
    atrium = ellipsoid(x, y, (-0.06, 0.60), (0.15 * size, 0.12 * size))
    knuckle = ellipsoid(x, y, (0.105, 0.325), (0.085, 0.048))
    vessels = ellipsoid(x, y, (0.02, 0.40), (0.135, 0.30))
    stem = np.maximum(knuckle, 0.85 * vessels)
    return _field(np.maximum(np.maximum(muscle, 0.9 * atrium), 0.8 * stem))


def spine(x: Field, y: Field) -> NDArray[np.float32]:
    """A column of vertebrae with darker discs, and their spinous processes."""
    pitch = 0.062
    phase = np.mod(y, pitch) / pitch
    disc = 1.0 - 0.30 * np.exp(-(((phase - 0.5) / 0.10) ** 2))
    waist = 0.095 + 0.012 * np.cos(2.0 * np.pi * phase)
    column = np.sqrt(np.clip(1.0 - (x / waist) ** 2, 0.0, None))
    process = 0.35 * ellipsoid(x, phase, (0.0, 0.05), (0.018, 0.35))
    return _field(column * disc + process)


def bone_tube(offset: Field, half: float) -> NDArray[np.float32]:
    """A bone across the ray: marrow inside, a brighter shell of cortex.

    Args:
        offset: Distance from the bone's axis.
        half: Its half thickness.
    """
    outer = np.sqrt(np.clip(1.0 - (offset / half) ** 2, 0.0, None))
    marrow = np.sqrt(np.clip(1.0 - (offset / (0.72 * half)) ** 2, 0.0, None))
    return _field(outer - 0.55 * 0.72 * marrow)


def ribs(x: Field, y: Field, jitter: NDArray[np.float64]) -> NDArray[np.float32]:
    """Posterior ribs that leave the spine and fall off, anterior ones that rise to the sternum.

    Args:
        x: Coordinates.
        y: Coordinates.
        jitter: float64 [10]: displacement of each pair of ribs.
    """
    total = np.zeros_like(x)
    lateral = np.abs(x)
    for index, shift in enumerate(jitter):
        level = 0.105 + 0.064 * index + float(shift)
        reach = min(0.42 + 0.10 * index, 0.76)
        share = np.clip((lateral - 0.08) / (reach - 0.08), 0.0, 1.0)
        slope = 0.060 + 0.007 * index
        axis = level - 0.028 * np.sin(np.pi * share) + slope * share**2.2
        inside = smooth_step(chest_wall(y) + 0.012 - lateral, 0.010)
        window = inside * smooth_step(lateral - 0.07, 0.02)
        # Near the chest wall the rib turns along the ray: more bone in the way.
        turn = 1.0 + 1.2 * share**8
        total += bone_tube(y - axis, 0.0145) * window * turn
        if index < 7:  # noqa: PLR2004 - the lower ribs end in cartilage, which does not show
            front = level + 0.125 + 0.10 * (1.0 - share) ** 1.4 - 0.055 * share
            inner = smooth_step(lateral - 0.26 - 0.02 * index, 0.05)
            total += 0.42 * bone_tube(y - front, 0.017) * window * inner
    return _field(total)


def shoulder_girdle(x: Field, y: Field) -> NDArray[np.float32]:
    """Clavicles, the edges of the scapulae and the heads of the humeri."""
    lateral = np.abs(x)
    share = np.clip((lateral - 0.07) / 0.72, 0.0, 1.0)
    axis = 0.205 - 0.085 * share - 0.018 * np.sin(2.0 * np.pi * share)
    window = smooth_step(lateral - 0.08, 0.02) * smooth_step(0.78 - lateral, 0.02)
    clavicle = 0.85 * bone_tube(y - axis, 0.0165) * window
    edge = 0.745 + 0.11 * (0.42 - y)
    blade = smooth_step(y - 0.15, 0.03) * smooth_step(0.46 - y, 0.03)
    scapula = 0.45 * bone_tube(lateral - edge, 0.022) * blade
    humerus = 0.75 * ellipsoid(lateral, y, (0.955, 0.205), (0.085, 0.058))
    return _field(clavicle + scapula + humerus)
