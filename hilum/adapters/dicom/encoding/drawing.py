"""Draws an image with its findings: boxes or heat over it, a legend below, notices outside of it.

Nothing is written over the image but boxes and their numbers, since its corners may hold text.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from hilum.adapters.dicom.encoding.source import NOTICE
from hilum.adapters.dicom.encoding.structured_report import reported
from hilum.domain.verdict import reason_text
from hilum.imaging.heatmap import overlay
from hilum.imaging.preview import preview_pixels

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from hilum.application.ports.result_encoder import ResultToSend
    from hilum.domain.finding import Analysis, Finding, PanelReading
    from hilum.imaging.film import Film

LONGEST_SIDE: Final = 2048
IMAGE_SIDE: Final = 1024
"""Longest side of the image itself, so that there is room for what stands above and below."""

_COLOURS: Final = ("#ffe14d", "#ff6ac1", "#b48cff", "#2ee6c0", "#ff5252", "#f4f1ea")
_BACKGROUND, _INK, _FAINT = "#101418", "#ffffff", "#aab4be"
_NARROWEST: Final = 640
_OPACITY: Final = 0.45
_LINES: Final = 9


@dataclass(frozen=True, slots=True)
class _Shown:
    """A positive abnormal finding, its panel, and the colour in which it is drawn."""

    panel: PanelReading
    finding: Finding
    colour: str


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    colour: str


def draw(result: ResultToSend, analysis: Analysis, film: Film) -> NDArray[np.uint8]:
    """Draw an image with its findings.

    Args:
        result: What is drawn.
        analysis: Its findings, with places in stored pixels.
        film: The image.

    Returns:
        uint8 [H, W, 3], at most 2048 pixels on a side.
    """
    shown = _positives(result, analysis)
    image = _image(result, analysis, film, shown)
    size = max(14, round(max(image.size) / 60))
    width = max(image.width, _NARROWEST)
    bar = round(size * 2.2)
    lines = list(_wrapped(_legend(result, analysis, shown), width, size))
    height = min(LONGEST_SIDE, image.height + 2 * bar + round(size * 1.4) * (len(lines) + 1))
    canvas = Image.new("RGB", (width, height), _BACKGROUND)
    pen, font = ImageDraw.Draw(canvas), ImageFont.load_default(size)
    canvas.paste(image, ((width - image.width) // 2, bar))
    y = bar + image.height + size // 2
    for line in lines:
        if y + round(size * 1.4) + bar > height:
            break
        pen.text((size, y), line.text, line.colour, font)
        y += round(size * 1.4)
    for top in (0, height - bar):
        pen.rectangle((0, top, width, top + bar - 1), _BACKGROUND)
        pen.text((width / 2, top + bar / 2), NOTICE, _INK, font, anchor="mm")
    return np.asarray(canvas, dtype=np.uint8)


def _positives(result: ResultToSend, analysis: Analysis) -> list[_Shown]:
    found = [
        (panel, finding)
        for panel in analysis.panels
        for finding in reported(panel, weak_labels=result.weak_labels)
        if finding.positive and finding.abnormal
    ]
    found.sort(key=lambda one: -one[1].probability)
    return [_Shown(*one, _COLOURS[n % len(_COLOURS)]) for n, one in enumerate(found)]


def _image(
    result: ResultToSend, analysis: Analysis, film: Film, shown: Sequence[_Shown]
) -> Image.Image:
    """Return the image as people see it, with heat where a finding has no box, and boxes."""
    grey = preview_pixels(film.pixels, IMAGE_SIDE, aspect=analysis.pixel_aspect)
    if analysis.inverted:
        grey = 255 - grey
    boxed = any(one.finding.boxes for one in shown)
    heat = None if boxed else _first_heat(result, shown)
    pixels = (
        np.repeat(grey[..., None], 3, axis=2) if heat is None else overlay(grey, heat, _OPACITY)
    )
    image = Image.fromarray(pixels)
    scale = (image.width / analysis.columns, image.height / analysis.rows)
    size = max(14, round(max(image.size) / 60))
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(size)
    for number, one in enumerate(shown, 1):
        for box in one.finding.boxes:
            left, top = box.x * scale[0], box.y * scale[1]
            right, bottom = (box.x + box.width) * scale[0], (box.y + box.height) * scale[1]
            pen.rectangle((left, top, right, bottom), outline=one.colour, width=max(2, size // 8))
            pen.text((left + size // 3, top + size // 4), str(number), one.colour, font)
    return image


def _first_heat(result: ResultToSend, shown: Sequence[_Shown]) -> NDArray[np.uint8] | None:
    for one in shown:
        heatmap = result.heatmaps.get((one.panel.panel, one.finding.label))
        if heatmap is not None and not one.finding.outside_lungs:
            cells = np.frombuffer(heatmap.values, dtype=np.uint8)
            return cells.reshape(heatmap.rows, heatmap.columns)
    return None


def _legend(result: ResultToSend, analysis: Analysis, shown: Sequence[_Shown]) -> Iterator[_Line]:
    if analysis.impression is not None:
        yield _Line(analysis.impression.text, _INK)
    for number, one in enumerate(shown, 1):
        yield _Line(f"{number}  {one.panel.title}: {_told(one.finding)}", one.colour)
    absent = [
        finding.display
        for panel in analysis.panels
        for finding in reported(panel, weak_labels=result.weak_labels)
        if finding.positive is False and finding.abnormal
    ]
    if absent:
        yield _Line(f"Not seen: {', '.join(absent)}.", _FAINT)
    for panel in analysis.panels:
        if panel.not_assessed:
            reason = reason_text(panel.not_assessed)
            yield _Line(f"{panel.title} not assessed: {reason}.", _FAINT)
    yield _Line("Preliminary, not verified by a person.", _FAINT)


def _told(finding: Finding) -> str:
    point = finding.operating_point
    positive_from = "" if point is None else f", positive from {point:.2f}"
    heat = ", its heat lies outside the lungs" if finding.outside_lungs else ""
    return f"{finding.display}, probability {finding.probability:.2f}{positive_from}{heat}"


def _wrapped(lines: Iterator[_Line], width: int, size: int) -> Iterator[_Line]:
    """Break lines that are too long, about half as wide as high a letter."""
    for line in lines:
        parts = textwrap.wrap(line.text, max(20, round(1.9 * (width - 2 * size) / size)))
        for part in parts[:_LINES]:
            yield _Line(part, line.colour)
