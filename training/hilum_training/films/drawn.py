"""Drawings that are no chest radiographs: what a gate learns to reject, made from formulas.

Some stand for kinds of input: a scanned page, a screen, noise from a broken detector, a limb, a
slice through a body. Others are radiographs of other bodies. Every drawing comes from a seed, and
none is a copy of an image.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from hilum_training.films import drawn_heads, drawn_limbs, drawn_trunks
from hilum_training.films.drawn_shapes import cloud

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeAlias

    from numpy.typing import NDArray

    Drawing: TypeAlias = Callable[[int, np.random.Generator], NDArray[np.float64]]

_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789 .,:;()%/"


def draw(
    count: int, size: int, seed: int, kinds: Sequence[Drawing] | None = None
) -> NDArray[np.uint8]:
    """Draw images, every kind in turn.

    Args:
        count: Number of drawings.
        size: Pixels a side.
        seed: Decides all of them.
        kinds: What to draw; without it, everything but :data:`BODIES`.

    Returns:
        uint8 [count, size, size, 1].
    """
    chosen = kinds or _KINDS
    drawings = []
    for index in range(count):
        generator = np.random.default_rng([seed, index])
        grey = chosen[index % len(chosen)](size, generator)
        drawings.append(np.clip(grey, 0, 255).astype(np.uint8))
    return np.stack(drawings)[..., np.newaxis]


def _grid(size: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rows, columns = np.mgrid[0:size, 0:size] / size
    return rows, columns


def _flat(size: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """One grey level, nearly: an unexposed or a saturated film."""
    return generator.uniform(0, 255) + generator.normal(0, generator.uniform(0, 4), (size, size))


def _noise(size: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """White noise."""
    return generator.uniform(0, 255, (size, size))


def _cloud(size: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Draw noise with the spectrum of natural images."""
    drawn = cloud(size, generator, generator.uniform(0.6, 1.8))
    return np.asarray(127 + drawn * generator.uniform(20, 70))


def _ramp(size: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """A brightness ramp, or bars, in some direction."""
    rows, columns = _grid(size)
    angle = generator.uniform(0, np.pi)
    along = rows * np.sin(angle) + columns * np.cos(angle)
    if generator.random() < 0.5:  # noqa: PLR2004 - one in two
        return np.asarray(127 + 127 * np.sign(np.sin(along * generator.uniform(10, 80))))
    return np.asarray(255 * (along - along.min()) / np.ptp(along))


def _page(size: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """A page of writing, or a screen: dark on light or light on dark."""
    image = Image.new("L", (size, size), 255)
    pen = ImageDraw.Draw(image)
    height = int(generator.integers(8, 28))
    font = ImageFont.load_default(height)
    for top in range(int(generator.integers(0, 20)), size, int(height * 1.4)):
        letters = generator.choice(list(_LETTERS), int(generator.integers(5, 60)))
        pen.text((int(generator.integers(2, 30)), top), "".join(letters), fill=0, font=font)
    grey = np.asarray(image, dtype=np.float64)
    return grey if generator.random() < 0.5 else 255 - grey  # noqa: PLR2004 - one in two


def _boxes(size: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Rectangles and discs of several greys, as in a diagram or a user interface."""
    image = Image.new("L", (size, size), int(generator.integers(0, 256)))
    pen = ImageDraw.Draw(image)
    for _ in range(int(generator.integers(3, 25))):
        left, top = (int(v) for v in generator.integers(-20, size, 2))
        width, height = (int(v) for v in generator.integers(5, size // 2, 2))
        shape = pen.rectangle if generator.random() < 0.6 else pen.ellipse  # noqa: PLR2004
        shape((left, top, left + width, top + height), fill=int(generator.integers(0, 256)))
    return np.asarray(image, dtype=np.float64)


def _limb(size: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Tubes in soft tissue on a dark ground: a limb, a hand."""
    rows, columns = _grid(size)
    angle, bend = generator.uniform(-0.6, 0.6), generator.uniform(-0.3, 0.3)
    across = columns - 0.5 + np.tan(angle) * (rows - 0.5) + bend * (rows - 0.5) ** 2
    half = generator.uniform(0.12, 0.4)
    tissue = np.sqrt(np.clip(1 - (across / half) ** 2, 0, None)) * generator.uniform(60, 120)
    bones = np.zeros_like(tissue)
    for place in np.linspace(-0.6, 0.6, int(generator.integers(1, 6))):
        width = half * generator.uniform(0.08, 0.3)
        waist = width * (1 + 0.5 * np.cos(rows * generator.uniform(5, 20)))
        depth = np.clip(1 - ((across - place * half) / waist) ** 2, 0, None)
        bones += (np.sqrt(depth) * (1.4 - np.sqrt(depth))) * generator.uniform(80, 160)
    grain = generator.normal(0, generator.uniform(1, 8), tissue.shape)
    turned = tissue + bones + grain + generator.uniform(0, 30)
    return np.rot90(turned, int(generator.integers(0, 4)))


def _slice(size: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Nested ellipses on black: a slice through a head or a trunk, a skull."""
    rows, columns = _grid(size)
    tall, wide = generator.uniform(0.25, 0.48, 2)
    x, y = (columns - 0.5) / wide, (rows - 0.5) / tall
    radius = np.hypot(x, y)
    rim = generator.uniform(0.04, 0.15)
    grey = np.where(radius < 1, generator.uniform(60, 140), generator.uniform(0, 15))
    grey = np.where((radius < 1) & (radius > 1 - rim), generator.uniform(150, 255), grey)
    for _ in range(int(generator.integers(2, 14))):
        cx, cy = generator.uniform(-0.6, 0.6, 2)
        rx, ry = generator.uniform(0.05, 0.35, 2)
        inside = (((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 < 1) & (radius < 1 - rim)
        grey = np.where(inside, generator.uniform(20, 230), grey)
    return grey + generator.normal(0, generator.uniform(1, 10), grey.shape)


_KINDS: Final[tuple[Drawing, ...]] = (
    _limb,
    _slice,
    _cloud,
    _page,
    _boxes,
    _limb,
    _slice,
    _ramp,
    _flat,
    _noise,
)

BODIES: Final[Mapping[str, Drawing]] = MappingProxyType(
    {
        "lateral_skull": drawn_heads.lateral_skull,
        "frontal_skull": drawn_heads.frontal_skull,
        "jaws": drawn_heads.jaws,
        "hand": drawn_limbs.hand,
        "foot": drawn_limbs.foot,
        "lateral_foot": drawn_limbs.lateral_foot,
        "hinge": drawn_limbs.hinge,
        "shoulder": drawn_limbs.shoulder,
        "pelvis": drawn_trunks.pelvis,
        "spine": drawn_trunks.spine,
        "abdomen": drawn_trunks.abdomen,
        "breast": drawn_trunks.breast,
    }
)
"""Radiographs of other bodies by kind."""
