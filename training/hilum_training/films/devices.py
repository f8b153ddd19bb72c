"""Devices drawn over a radiograph: lines, tubes, electrodes, pacemakers, clips, wires, rods.

Images are float64 [S, S] in 0..255.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Grey: TypeAlias = NDArray[np.float64]
    Pen: TypeAlias = ImageDraw.ImageDraw
    Device: TypeAlias = Callable[[Pen, int, np.random.Generator], None]
    Point: TypeAlias = tuple[float, float]

_FINER: Final = 2


def add_devices(grey: Grey, generator: np.random.Generator) -> Grey:
    """Draw two to six devices of an intensive care unit over a radiograph."""
    count = int(generator.integers(2, 7))
    chosen = [_DEVICES[index] for index in generator.integers(0, len(_DEVICES), count)]
    return _over(grey, chosen, generator)


def add_surgery(grey: Grey, generator: np.random.Generator) -> Grey:
    """Draw what an operation leaves over a radiograph: wires, clips, valves, rods."""
    count = int(generator.integers(1, 4))
    chosen = [_SURGERY[index] for index in generator.integers(0, len(_SURGERY), count)]
    return _over(grey, chosen, generator)


def _over(grey: Grey, devices: Sequence[Device], generator: np.random.Generator) -> Grey:
    """Brighten a radiograph where devices absorb."""
    size = grey.shape[0]
    for device in devices:
        image = Image.new("L", (size * _FINER, size * _FINER))
        device(ImageDraw.Draw(image), size * _FINER, generator)
        image = image.filter(ImageFilter.GaussianBlur(generator.uniform(0.5, 1.5)))
        absorbed = np.asarray(image.resize((size, size), Image.Resampling.BOX), dtype=np.float64)
        grey = grey + generator.uniform(0.3, 1) * absorbed / 255 * np.clip(245 - grey, 0, None)
    return grey


def _line(
    pen: Pen,
    size: int,
    generator: np.random.Generator,
    points: Sequence[Point],
    width: float,
    shade: int = 255,
) -> None:
    """Draw a smooth line through points that are given as shares of the side."""
    placed = np.asarray(points) + generator.normal(0, 0.02, (len(points), 2))
    at = np.linspace(0, len(points) - 1, len(points))
    fine = np.linspace(0, len(points) - 1, 48)
    # Smoothed corners: the mean over neighbours of a finely divided line.
    window = np.ones(9) / 9
    x, y = (
        np.convolve(np.pad(np.interp(fine, at, placed[:, axis]), 4, mode="edge"), window, "valid")
        for axis in (0, 1)
    )
    path = [(float(a), float(b)) for a, b in zip(x * size, y * size, strict=True)]
    pen.line(path, fill=shade, width=max(int(width * size), 1), joint="curve")


def _tracheal_tube(pen: Pen, size: int, generator: np.random.Generator) -> None:
    """Draw a tube in the windpipe."""
    end = generator.uniform(0.2, 0.4)
    _line(pen, size, generator, [(0.5, -0.05), (0.5, 0.1), (0.5, end)], 0.014, 170)


def _stomach_tube(pen: Pen, size: int, generator: np.random.Generator) -> None:
    """Draw a tube down the gullet to the stomach."""
    points = [(0.51, -0.05), (0.51, 0.4), (0.53, 0.75), (0.62, generator.uniform(0.85, 1.1))]
    _line(pen, size, generator, points, 0.008)


def _central_line(pen: Pen, size: int, generator: np.random.Generator) -> None:
    """Draw a venous catheter from neck, collar bone or arm."""
    side = generator.choice([-1, 1])
    start = [(0.5 + side * 0.12, -0.05), (0.5 + side * 0.35, 0.15), (0.5 + side * 0.55, 0.3)]
    entry = start[int(generator.integers(3))]
    tip = generator.uniform(0.3, 0.5)
    points = [entry, (0.5 + side * 0.12, 0.16), (0.46, 0.26), (0.46, tip)]
    _line(pen, size, generator, points, 0.006)


def _chest_tube(pen: Pen, size: int, generator: np.random.Generator) -> None:
    """Draw a wide drain from the wall of the chest, with a dense stripe."""
    side = generator.choice([-1, 1])
    low, high = generator.uniform(0.5, 0.85), generator.uniform(0.12, 0.4)
    points = [(0.5 + side * 0.6, low + 0.1), (0.5 + side * 0.35, low), (0.5 + side * 0.2, high)]
    _line(pen, size, generator, points, 0.02, 110)
    _line(pen, size, generator, points, 0.005)


def _electrodes(pen: Pen, size: int, generator: np.random.Generator) -> None:
    """Draw stickers of an electrocardiograph with their cables."""
    for _ in range(int(generator.integers(2, 6))):
        x, y = generator.uniform(0.08, 0.92), generator.uniform(0.08, 0.9)
        radius = generator.uniform(0.012, 0.035) * size
        box = (x * size - radius, y * size - radius, x * size + radius, y * size + radius)
        pen.ellipse(box, fill=int(generator.integers(120, 256)))
        way = [(x, y), (generator.uniform(0.1, 0.9), y + 0.2), (generator.uniform(0, 1), 1.05)]
        _line(pen, size, generator, way, 0.006, 200)


def _pacemaker(pen: Pen, size: int, generator: np.random.Generator) -> None:
    """Draw a pacemaker below the collar bone with one or two leads."""
    side = generator.choice([-1, 1])
    x, y = 0.5 + side * generator.uniform(0.2, 0.34), generator.uniform(0.1, 0.28)
    half = generator.uniform(0.04, 0.07), generator.uniform(0.04, 0.06)
    box = [(x - half[0]) * size, (y - half[1]) * size, (x + half[0]) * size, (y + half[1]) * size]
    pen.rounded_rectangle(box, radius=half[1] * size * 0.7, fill=255)
    for _ in range(int(generator.integers(1, 3))):
        tip = generator.uniform(0.5, 0.64), generator.uniform(0.5, 0.72)
        way = [(x, y), (0.5 + side * 0.08, 0.18), (0.46, 0.35), (0.48, 0.55), tip]
        _line(pen, size, generator, way, 0.008)


def _tubing(pen: Pen, size: int, generator: np.random.Generator) -> None:
    """Draw hoses and cables that lie on the patient."""
    for _ in range(int(generator.integers(1, 4))):
        points = [tuple(place) for place in generator.uniform(-0.1, 1.1, (4, 2))]
        width = generator.uniform(0.005, 0.03)
        _line(pen, size, generator, points, width, int(generator.integers(60, 220)))


def _plate(pen: Pen, size: int, generator: np.random.Generator) -> None:
    """Draw a pad of a defibrillator."""
    x, y = generator.uniform(0.1, 0.9), generator.uniform(0.2, 0.85)
    wide, tall = generator.uniform(0.06, 0.14, 2)
    box = [(x - wide) * size, (y - tall) * size, (x + wide) * size, (y + tall) * size]
    shade = int(generator.integers(50, 140))
    pen.rounded_rectangle(box, radius=0.02 * size, fill=shade, outline=200, width=3)


def _sternal_wires(pen: Pen, size: int, generator: np.random.Generator) -> None:
    """Draw wire loops down the breast bone."""
    middle = 0.5 + generator.normal(0, 0.02)
    for y in np.linspace(0.22, generator.uniform(0.55, 0.75), int(generator.integers(4, 9))):
        x, radius = middle + generator.normal(0, 0.008), generator.uniform(0.012, 0.022)
        box = [(x - radius) * size, (y - radius) * size, (x + radius) * size, (y + radius) * size]
        pen.arc(box, generator.uniform(0, 90), generator.uniform(250, 360), fill=255, width=4)


def _clips(pen: Pen, size: int, generator: np.random.Generator) -> None:
    """Draw a group of surgical clips, or a row of staples."""
    centre = generator.uniform(0.2, 0.8), generator.uniform(0.2, 0.7)
    spread = generator.uniform(0.02, 0.12, 2)
    for _ in range(int(generator.integers(4, 20))):
        x, y = (generator.normal(place, wide) for place, wide in zip(centre, spread, strict=True))
        angle = generator.uniform(0, np.pi)
        way = 0.012 * np.cos(angle), 0.012 * np.sin(angle)
        ends = [(x - way[0]) * size, (y - way[1]) * size, (x + way[0]) * size, (y + way[1]) * size]
        pen.line(ends, fill=255, width=4)


def _valve(pen: Pen, size: int, generator: np.random.Generator) -> None:
    """Draw the ring of an artificial heart valve."""
    x, y = generator.uniform(0.46, 0.62), generator.uniform(0.45, 0.62)
    wide, tall = generator.uniform(0.02, 0.05, 2)
    box = [(x - wide) * size, (y - tall) * size, (x + wide) * size, (y + tall) * size]
    pen.ellipse(box, outline=255, width=6)


def _rods(pen: Pen, size: int, generator: np.random.Generator) -> None:
    """Draw two rods with screws along the spine."""
    bow = generator.normal(0, 0.04)
    for side in (-1, 1):
        x = 0.5 + 0.03 * side
        points = [(x, generator.uniform(0.05, 0.3)), (x + bow, 0.6), (x, 1.05)]
        _line(pen, size, generator, points, 0.013)
        for y in np.linspace(0.3, 0.95, int(generator.integers(3, 8))):
            ends = [(x + bow / 2) * size, y * size, (x + bow / 2 + 0.05 * side) * size, y * size]
            pen.line(ends, fill=255, width=6)


_DEVICES: Final[tuple[Device, ...]] = (
    _tracheal_tube,
    _stomach_tube,
    _central_line,
    _chest_tube,
    _electrodes,
    _pacemaker,
    _tubing,
    _plate,
)
_SURGERY: Final[tuple[Device, ...]] = (_sternal_wires, _clips, _valve, _rods, _chest_tube)
