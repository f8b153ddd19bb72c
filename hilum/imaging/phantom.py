"""A chest film of nobody: drawn from formulas, for a demonstration where no films are at hand.

Path lengths through simple shapes are added up, weighted by how much each tissue absorbs, and
turned into grey with noise. It looks like a chest film so that every step of the pipeline has
something to work on, and says on its face that it is none. What a model finds on it means nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from hilum.imaging import phantom_anatomy as anatomy
from hilum.imaging.png_writer import encode_png

if TYPE_CHECKING:
    from numpy.typing import NDArray

LABEL: Final = "PHANTOM - NOT A PATIENT"
SMALLEST_PHANTOM: Final = 256
_ROOT: Final = 0.045
_TWIGS: Final = 70
# The part of the anatomy's coordinates that the film shows.
_HALF_WIDTH, _TOP, _FOOT = 0.98, 0.015, 0.935


def phantom_film(rows: int, columns: int, seed: int) -> NDArray[np.uint8]:
    """Draw a frontal chest film.

    Args:
        rows: Height in pixels, 256 or more.
        columns: Width in pixels, 256 or more.
        seed: Decides on the size of the heart, the ribs, the vessels and the noise; the same seed
            gives the same film.

    Returns:
        uint8 [rows, columns], MONOCHROME2, labelled in the picture.

    Raises:
        ValueError: Smaller than 256 pixels.
    """
    if min(rows, columns) < SMALLEST_PHANTOM:
        raise ValueError(f"a phantom needs {SMALLEST_PHANTOM} pixels on its shorter side")
    rng = np.random.default_rng(seed)
    absorbed = _absorption(rows, columns, rng)
    # A film saturates: dense parts crowd together at the white end.
    grey = 1.0 - np.exp(-1.05 * np.clip(absorbed, 0.0, None))
    # Fewer photons reach the detector behind dense parts, so they are noisier.
    grey += rng.normal(0.0, 1.0, grey.shape) * (0.006 + 0.010 * grey)
    pixels = np.clip(12.0 + 236.0 * grey, 0.0, 255.0).astype(np.uint8)
    softened = Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(min(rows, columns) / 1600))
    return _labelled(softened)


def phantom_png(rows: int = 1024, columns: int = 1024, seed: int = 1) -> bytes:
    """The phantom as a file.

    Args:
        rows: Height in pixels.
        columns: Width in pixels.
        seed: As for ``phantom_film``.

    Returns:
        A PNG file: 8-bit grey.
    """
    return encode_png(phantom_film(rows, columns, seed))


def _absorption(rows: int, columns: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Absorption along the ray to each pixel: float32 [rows, columns], about 0 to 3."""
    grid = np.meshgrid(
        np.linspace(-_HALF_WIDTH, _HALF_WIDTH, columns, dtype=np.float32),
        np.linspace(_TOP, _FOOT, rows, dtype=np.float32),
    )
    x, y = grid[0], grid[1]
    dome = anatomy.diaphragm(x, tilt=float(rng.uniform(-0.01, 0.02)))
    trunk = anatomy.body(x, y)
    air = anatomy.lung(x, y, -1.0, dome) + anatomy.lung(x, y, 1.0, dome)
    heart = anatomy.heart(x, y, size=float(rng.uniform(0.92, 1.10)))
    stomach = anatomy.ellipsoid(x, y, (0.36, 0.80), (0.13, 0.045))
    bones = 0.30 * anatomy.ribs(x, y, rng.normal(0.0, 0.003, 10))
    bones += 0.42 * anatomy.spine(x, y) * trunk + 0.36 * anatomy.shoulder_girdle(x, y) * trunk
    belly = 0.35 * anatomy.smooth_step(y - dome, 0.010)
    vessels = _vessels(rows, columns, rng) * np.minimum(air * 1.6, 1.0)
    # Where the heart stands in the lung it takes the place of air.
    lungs = 1.22 * air * (1.0 - 0.92 * np.minimum(heart * 1.5, 1.0))
    soft = 1.50 * trunk + 0.26 * heart + belly * trunk - 0.30 * stomach
    absorbed = soft - lungs * np.minimum(trunk * 1.4, 1.0) + bones + 0.42 * vessels
    return np.asarray(absorbed, dtype=np.float32)


def _vessels(rows: int, columns: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Lung markings: lines that wander outward from the hila and thin out, softened."""
    canvas = Image.new("L", (columns, rows), 0)
    draw = ImageDraw.Draw(canvas)
    for index in range(_TWIGS):
        side = 1.0 if index % 2 else -1.0
        x, y = side * rng.uniform(0.17, 0.24), rng.uniform(0.41, 0.53)
        heading = rng.uniform(-1.25, 1.35)
        steps = 16
        for step in range(steps):
            heading += rng.normal(0.0, 0.16)
            next_x = x + side * 0.024 * np.cos(heading)
            next_y = y + 0.020 * np.sin(heading)
            fading = 1.0 - step / steps
            draw.line(
                [_place(x, y, rows, columns), _place(next_x, next_y, rows, columns)],
                fill=int(70 + 150 * fading),
                width=max(1, round(columns * 0.0075 * fading**1.4)),
            )
            x, y = next_x, next_y
    soft = canvas.filter(ImageFilter.GaussianBlur(columns / 420))
    return np.asarray(soft, dtype=np.float32) / 255.0


def _place(x: float, y: float, rows: int, columns: int) -> tuple[float, float]:
    share = (y - _TOP) / (_FOOT - _TOP)
    return (x / _HALF_WIDTH + 1.0) / 2.0 * (columns - 1), share * (rows - 1)


def _labelled(film: Image.Image) -> NDArray[np.uint8]:
    """Burn the label in, at the top and at the foot, with a side mark as on a real film."""
    draw = ImageDraw.Draw(film)
    columns, rows = film.size
    font = ImageFont.load_default(size=max(12.0, _ROOT * columns * 0.9))
    middle = columns / 2
    ink, halo = 255, 0
    for place, anchor in (((middle, 0.012 * rows), "ma"), ((middle, 0.985 * rows), "md")):
        draw.text(
            place, LABEL, fill=ink, font=font, anchor=anchor, stroke_width=2, stroke_fill=halo
        )
    draw.text((0.94 * columns, 0.10 * rows), "L", fill=ink, font=font, anchor="ma")
    return np.asarray(film, dtype=np.uint8)
