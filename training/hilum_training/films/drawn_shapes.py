"""Shapes and exposure of drawn radiographs: absorption is added up and turned into grey.

Coordinates are those of the body: x grows to the right, y downwards, and the image shows about -1
to 1 of both before the body is placed at random. A shape is a float32 array [S, S] of distances: 0
on its axis, 1 on its edge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Shape: TypeAlias = NDArray[np.float32]
    Point: TypeAlias = tuple[float, float]

_FAR: Final = np.float32(9.0)
_WAVES: Final = (1.0, 2.0)


def cloud(size: int, generator: np.random.Generator, slope: float) -> NDArray[np.float64]:
    """Draw noise whose power falls with frequency, as in most natural images (Field, 1987).

    Args:
        size: Pixels a side.
        generator: Random stream.
        slope: Exponent by which the amplitude falls; 0 is white noise.

    Returns:
        float64 [size, size], mean 0, standard deviation 1.
    """
    frequency = np.hypot(np.fft.fftfreq(size)[:, np.newaxis], np.fft.fftfreq(size))
    frequency[0, 0] = 1.0 / size
    spectrum = np.fft.fft2(generator.normal(size=(size, size)))
    drawn = np.fft.ifft2(spectrum / frequency**slope).real
    return np.asarray((drawn - drawn.mean()) / drawn.std())


class Sketch:
    """A radiograph in the making: what rays to each pixel meet.

    Args:
        size: Pixels a side.
        generator: Random stream; decides on the place of the body and on every detail.
        turn: Largest angle of the body, radians.
        zoom: Range of its scale; above 1 the image shows a part of it.
    """

    def __init__(
        self,
        size: int,
        generator: np.random.Generator,
        *,
        turn: float = 0.2,
        zoom: tuple[float, float] = (0.8, 1.2),
    ) -> None:
        self.generator = generator
        self._size = size
        self._absorbed = np.zeros((size, size), dtype=np.float32)
        rows, columns = np.mgrid[0:size, 0:size].astype(np.float32) / size * 2 - 1
        angle, scale = generator.uniform(-turn, turn), generator.uniform(*zoom)
        aspect = generator.uniform(0.85, 1.18)
        left, top = generator.normal(0, 0.08, 2)
        x = (columns * np.cos(angle) + rows * np.sin(angle)) / scale * aspect - left
        y = (rows * np.cos(angle) - columns * np.sin(angle)) / scale - top
        for wave in _WAVES:
            bend = generator.normal(0, 0.03 / wave, 2)
            phase = generator.uniform(0, 2 * np.pi, 2)
            x = x + bend[0] * np.sin(wave * np.pi * y + phase[0])
            y = y + bend[1] * np.sin(wave * np.pi * x + phase[1])
        self.x: Shape = x.astype(np.float32)
        self.y: Shape = y.astype(np.float32)

    def chance(self, share: float) -> bool:
        """Decide by chance.

        Args:
            share: Probability of True.
        """
        return bool(self.generator.random() < share)

    def about(self, value: float, share: float = 0.15) -> float:
        """Vary a value by at most a share of it."""
        return float(value * self.generator.uniform(1 - share, 1 + share))

    def ellipse(self, centre: Point, radii: Point, angle: float = 0.0, power: float = 2.0) -> Shape:
        """Place an ellipse, or with a power above 2 a rounded box.

        Args:
            centre: x and y, varied a little.
            radii: Along x and y before it is rotated, varied a little.
            angle: Radians, clockwise.
            power: Of the norm.
        """
        shift = self.generator.normal(0, 0.012, 2)
        x, y = self.x - (centre[0] + shift[0]), self.y - (centre[1] + shift[1])
        if angle:
            x, y = (
                x * np.cos(angle) + y * np.sin(angle),
                y * np.cos(angle) - x * np.sin(angle),
            )
        across, along = np.abs(x / self.about(radii[0], 0.1)), np.abs(y / self.about(radii[1], 0.1))
        if power == 2.0:  # noqa: PLR2004 - the usual ellipse, several times faster
            return np.asarray(np.hypot(across, along), dtype=np.float32)
        return np.asarray((across**power + along**power) ** (1 / power), dtype=np.float32)

    def curve(self, points: Sequence[Point], widths: Sequence[float]) -> Shape:
        """Place a tube along a line of points.

        Args:
            points: Two or more, each varied a little.
            widths: Half width at each point; one for all of them.
        """
        widths = [self.about(width) for width in widths]
        if len(widths) == 1:
            widths = widths * len(points)
        placed = np.asarray(points) + self.generator.normal(0, 0.012, (len(points), 2))
        shape = np.full(self.x.shape, _FAR)
        for start, end, first, last in zip(
            placed[:-1], placed[1:], widths[:-1], widths[1:], strict=True
        ):
            way = end - start
            length = max(float(way @ way), 1e-6)
            x, y = self.x - np.float32(start[0]), self.y - np.float32(start[1])
            share = np.clip((x * way[0] + y * way[1]) / length, 0, 1)
            distance = np.hypot(x - share * way[0], y - share * way[1])
            shape = np.minimum(shape, distance / (first + share * (last - first)))
        return np.asarray(shape, dtype=np.float32)

    def soft(self, shape: Shape, amount: float) -> None:
        """Add tissue, thickest at the axis."""
        self._absorbed += self.about(amount) * _chord(shape)

    def flat(self, shape: Shape, amount: float, edge: float = 0.15) -> None:
        """Add tissue of even thickness with a soft edge, or take it away with an amount below 0."""
        self._absorbed += self.about(amount) * np.clip((1 - shape) / edge, 0, 1)

    def bone(self, shape: Shape, amount: float, shell: float = 0.22) -> None:
        """Add a bone: a dense shell about a core that absorbs a third as much.

        Args:
            shape: Its outline.
            amount: Absorption.
            shell: Thickness of the shell as a share of the half width.
        """
        inner = 1 - self.about(shell, 0.3)
        marrow = 0.7 * inner * _chord(shape / inner)
        self._absorbed += self.about(amount) * (_chord(shape) - marrow)

    def air(self, shape: Shape, amount: float) -> None:
        """Take absorption away: a cavity."""
        self._absorbed -= self.about(amount) * _chord(shape)

    def texture(self, shape: Shape, amount: float, slope: float) -> None:
        """Add an irregular tissue within a shape, e.g. glands or trabeculae."""
        grain = cloud(self._size, self.generator, slope).astype(np.float32)
        self._absorbed += amount * grain * np.clip((1 - shape) / 0.2, 0, 1)

    def exposed(self) -> NDArray[np.float64]:
        """Expose the radiograph.

        Returns:
            float64 [S, S] in 0..255: bones bright, one in ten inverted.
        """
        random = self.generator
        absorbed = np.clip(self._absorbed, 0, None).astype(np.float64)
        absorbed *= 1 + 0.1 * random.random() * cloud(self._size, random, 1.0)
        grey = 1 - np.exp(-random.uniform(0.5, 1.6) * np.clip(absorbed, 0, None))
        low, high = np.percentile(grey, [1, 99.5])
        grey = np.clip((grey - low) / max(high - low, 1e-3), 0, 1) ** random.uniform(0.6, 1.6)
        floor = random.uniform(0, 50)
        grey = floor + grey * random.uniform(140, 255 - floor)
        grey += random.normal(0, random.uniform(0.5, 7), grey.shape)
        image = Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8))
        if self.chance(0.5):
            image = image.filter(ImageFilter.GaussianBlur(random.uniform(0.3, 1.4)))
        if self.chance(0.4):
            self._collimate(image)
        if self.chance(0.5):
            self._mark(image)
        exposed = np.asarray(image, dtype=np.float64)
        return 255 - exposed if self.chance(0.1) else exposed

    def _collimate(self, image: Image.Image) -> None:
        """Cover one to four borders, in black or in white."""
        pen, size = ImageDraw.Draw(image), self._size
        shade = int(self.generator.choice([0, 0, 10, 255]))
        for side in range(4):
            if not self.chance(0.5):
                continue
            near, far = self.generator.uniform(0, 0.12, 2) * size
            corners: list[Point] = [(0, 0), (size, 0), (size, far), (0, near)]
            if side in (1, 3):
                corners = [(size - x, size - y) for x, y in corners]
            if side > 1:
                corners = [(y, x) for x, y in corners]
            pen.polygon(corners, fill=shade)

    def _mark(self, image: Image.Image) -> None:
        """Write a side marker or a line of text near a border."""
        pen, size, random = ImageDraw.Draw(image), self._size, self.generator
        text = str(random.choice(["R", "L", "D", "S", "R AP", "12:45", "PORTABLE", "No. 7"]))
        font = ImageFont.load_default(int(random.integers(8, 22)))
        place = random.uniform(0.02, 0.85, 2)
        place[random.integers(2)] = random.choice([0.03, 0.88])
        pen.text(tuple(place * size), text, fill=255, font=font)


def _chord(shape: Shape) -> Shape:
    """Compute the length of the ray within a round body, 1 on the axis."""
    return np.asarray(np.sqrt(np.clip(1 - shape * shape, 0, None)), dtype=np.float32)
