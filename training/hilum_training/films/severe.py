"""The sickest chests, made from real frontal radiographs: opaque, shifted, collapsed, operated on.

A gate that saw few of them takes a wholly opaque lung for no chest at all. What is added stands on
a real radiograph of the same split, so that everything else of the image is real.

Images are float64 [S, S] in 0..255 here. The midline is taken to be near the middle of the image.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from PIL import Image, ImageFilter

from hilum_training.films.devices import add_devices, add_surgery
from hilum_training.films.drawn_shapes import cloud

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    Grey: TypeAlias = NDArray[np.float64]
    Change: TypeAlias = Callable[[Grey, np.random.Generator], Grey]

UNEQUAL: Final = 1.0
"""Difference of the sides' means, in standard deviations of the image, from which it is unequal."""
_ALSO: Final = 0.35
_REDUCED: Final = 64


def make_severe(
    image: NDArray[np.uint8], kind: str, generator: np.random.Generator
) -> NDArray[np.uint8]:
    """Make a frontal radiograph severely ill.

    Args:
        image: uint8 [S, S, 1], a frontal radiograph.
        kind: A key of :data:`SEVERE`.
        generator: Random stream.

    Returns:
        uint8 [S, S, 1].
    """
    grey = SEVERE[kind](image[..., 0].astype(np.float64), generator)
    if kind != "devices" and generator.random() < _ALSO:
        grey = add_devices(grey, generator)
    return np.clip(grey, 0, 255).astype(np.uint8)[..., np.newaxis]


def unequal(image: NDArray[np.uint8]) -> bool:
    """Say whether the two sides of the chest differ as with one opaque or one empty lung.

    Args:
        image: uint8 [S, S, 1], a frontal radiograph.
    """
    small = Image.fromarray(image[..., 0]).resize((_REDUCED, _REDUCED), Image.Resampling.BOX)
    grey = np.asarray(small, dtype=np.float64)
    left, right = grey[14:44, 8:26].mean(), grey[14:44, 38:56].mean()
    return bool(abs(left - right) >= UNEQUAL * max(float(grey.std()), 1.0))


def _grid(grey: Grey) -> tuple[Grey, Grey]:
    """Compute rows and columns of an image, 0 to 1."""
    rows, columns = np.mgrid[0 : grey.shape[0], 0 : grey.shape[1]] / grey.shape[0]
    return rows, columns


def _side(grey: Grey, generator: np.random.Generator, side: int) -> Grey:
    """Outline one half of the chest, from the midline to the wall, with soft edges.

    Args:
        grey: The image.
        generator: Random stream.
        side: -1 for the image's left, 1 for its right.

    Returns:
        float64 [S, S] in 0..1.
    """
    rows, columns = _grid(grey)
    middle = 0.5 + generator.normal(0, 0.02)
    across = (columns - middle) * side
    wall = generator.uniform(0.34, 0.46)
    height = generator.uniform(0.36, 0.48)
    reach = np.hypot(across / wall, (rows - 0.46) / height)
    inside = 1 / (1 + np.exp((reach - 1) * 14))
    return np.asarray(inside / (1 + np.exp(-across * 40)))


def _opacify(grey: Grey, where: Grey, strength: float, generator: np.random.Generator) -> Grey:
    """Lift what is dark in a region towards the grey of soft tissue; bones keep their grey.

    Args:
        grey: The image.
        where: Region, 0..1.
        strength: 1 leaves nothing of the lung, 0 everything.
        generator: Random stream.
    """
    central = grey[grey.shape[0] // 6 : -grey.shape[0] // 4, grey.shape[1] // 6 : -1]
    tissue = float(np.percentile(central, generator.uniform(65, 97)))
    level = tissue + generator.uniform(0, 6) * cloud(grey.shape[0], generator, 1.3)
    return np.asarray(grey + strength * where * np.clip(level - grey, 0, None))


def _shift(grey: Grey, generator: np.random.Generator, way: float) -> Grey:
    """Shift the mediastinum sideways; the walls of the chest stay.

    Args:
        grey: The image.
        generator: Random stream.
        way: Share of the width, to the right above 0; at most 0.15, else columns would fold.
    """
    size = grey.shape[1]
    rows, columns = _grid(grey)
    bump = np.exp(-(((columns - 0.5) / generator.uniform(0.2, 0.26)) ** 2))
    bump *= np.clip(1.3 - np.abs(rows - 0.5), 0, 1)
    place = np.clip((columns - way * bump) * size, 0, size - 1.001)
    low = place.astype(np.int64)
    share = place - low
    line = np.arange(grey.shape[0])[:, np.newaxis]
    return np.asarray(grey[line, low] * (1 - share) + grey[line, low + 1] * share)


def _one_opaque(grey: Grey, generator: np.random.Generator) -> Grey:
    """Make one lung opaque; the mediastinum is drawn to it, pushed from it or stays."""
    side = int(generator.choice([-1, 1]))
    way = generator.choice([0.0, generator.uniform(-0.14, 0.14)])
    opaque = _opacify(grey, _side(grey, generator, side), generator.uniform(0.75, 1), generator)
    return _shift(opaque, generator, way) if way else opaque


def _both_opaque(grey: Grey, generator: np.random.Generator) -> Grey:
    """Make both lungs opaque, each to its own degree."""
    for side in (-1, 1):
        strength = generator.uniform(0.55, 0.94)
        grey = _opacify(grey, _side(grey, generator, side), strength, generator)
    return grey


def _part_opaque(grey: Grey, generator: np.random.Generator) -> Grey:
    """Make the lower, the upper or a round part of one lung or of both opaque."""
    rows, columns = _grid(grey)
    for side in generator.permutation([-1, 1])[: int(generator.integers(1, 3))]:
        where = _side(grey, generator, int(side))
        form, edge = generator.integers(3), generator.uniform(0.3, 0.65)
        if form == 0:
            where = where / (1 + np.exp((edge - rows) * 25))
        elif form == 1:
            where = where / (1 + np.exp((rows - edge) * 25))
        else:
            centre = 0.5 + side * generator.uniform(0.12, 0.3), generator.uniform(0.2, 0.7)
            radius = generator.uniform(0.1, 0.3)
            away = np.hypot(columns - centre[0], rows - centre[1]) / radius
            where = where * np.exp(-(away**4))
        grey = _opacify(grey, where, generator.uniform(0.6, 1), generator)
    return grey


def _shifted(grey: Grey, generator: np.random.Generator) -> Grey:
    """Shift the mediastinum far to one side."""
    return _shift(grey, generator, float(generator.choice([-1, 1]) * generator.uniform(0.08, 0.15)))


def _collapsed(grey: Grey, generator: np.random.Generator) -> Grey:
    """Fill one half with air, the lung a stump at its root, the mediastinum pushed away."""
    side = int(generator.choice([-1, 1]))
    where = _side(grey, generator, side)
    dark = np.percentile(grey, generator.uniform(2, 20))
    smooth = Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8))
    smooth = smooth.filter(ImageFilter.GaussianBlur(grey.shape[0] / 40))
    empty = 0.5 * np.asarray(smooth, dtype=np.float64) + 0.5 * grey
    strength = generator.uniform(0.5, 0.95)
    grey = grey + strength * where * np.clip(dark - empty, None, 0)
    rows, columns = _grid(grey)
    stump = np.hypot(
        (columns - 0.5 - side * generator.uniform(0.06, 0.14)) / generator.uniform(0.06, 0.14),
        (rows - generator.uniform(0.38, 0.52)) / generator.uniform(0.1, 0.22),
    )
    grey = _opacify(grey, np.exp(-(stump**4)), generator.uniform(0.4, 0.9), generator)
    return _shift(grey, generator, -side * generator.uniform(0.0, 0.13))


def _operated(grey: Grey, generator: np.random.Generator) -> Grey:
    """Show what an operation leaves, often with the lung on that side gone or shrunken."""
    if generator.random() < 0.5:  # noqa: PLR2004 - one in two
        side = int(generator.choice([-1, 1]))
        where = _side(grey, generator, side)
        grey = _opacify(grey, where, generator.uniform(0.3, 1), generator)
        grey = _shift(grey, generator, side * generator.uniform(0, 0.14))
    return add_surgery(grey, generator)


SEVERE: Final[Mapping[str, Change]] = MappingProxyType(
    {
        "one_opaque": _one_opaque,
        "both_opaque": _both_opaque,
        "part_opaque": _part_opaque,
        "shifted": _shifted,
        "collapsed": _collapsed,
        "operated": _operated,
        "devices": add_devices,
    }
)
"""What a frontal radiograph is made into, by kind."""
