"""Whole flips: an image as it is looked at, and what was found on it in stored pixels.

Models see the patient's left on the right and the head up. What is kept and given out has the rows
and columns of the stored image.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from hilum.domain.image_note import ImageNote

if TYPE_CHECKING:
    from hilum.domain.finding import Box, Heatmap, PanelReading, StructuresReading
    from hilum.imaging.film import Film

Outline = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Flips:
    """What turns a stored image into the one that is looked at, and back.

    Attributes:
        rows: Of the image.
        columns: Of the image.
        mirrored: Left and right are exchanged.
        flipped: Top and bottom are exchanged.
    """

    rows: int
    columns: int
    mirrored: bool
    flipped: bool

    @classmethod
    def of(cls, film: Film) -> Flips | None:
        """Return the flips that the header asks for; None where it asks for none."""
        header = film.header
        if not (header.mirrored or header.flipped):
            return None
        rows, columns = film.pixels.shape
        return cls(rows, columns, header.mirrored, header.flipped)

    @property
    def notes(self) -> frozenset[ImageNote]:
        """What was done, as codes."""
        done = {ImageNote.IMAGE_MIRRORED: self.mirrored, ImageNote.IMAGE_FLIPPED: self.flipped}
        return frozenset(note for note, is_so in done.items() if is_so)

    @property
    def _slices(self) -> tuple[slice, slice]:
        return slice(None, None, -1 if self.flipped else 1), slice(
            None, None, -1 if self.mirrored else 1
        )

    def looked_at(self, film: Film) -> Film:
        """Return the image in the orientation in which models see it."""
        return replace(film, pixels=np.ascontiguousarray(film.pixels[self._slices]))

    def stored_panel(self, panel: PanelReading) -> PanelReading:
        """Return findings with their boxes in stored pixels."""
        findings = tuple(
            replace(finding, boxes=tuple(map(self._box, finding.boxes)))
            if finding.boxes
            else finding
            for finding in panel.findings
        )
        return replace(panel, findings=findings)

    def stored_heatmap(self, heatmap: Heatmap) -> Heatmap:
        """Return a heatmap whose grid spans the stored image."""
        grid = np.frombuffer(heatmap.values, np.uint8).reshape(heatmap.rows, heatmap.columns)
        return replace(heatmap, values=grid[self._slices].tobytes())

    def stored_structures(self, reading: StructuresReading) -> StructuresReading:
        """Return outlines and borders in stored pixels. Sides stay the patient's."""
        structures = tuple(
            replace(structure, outlines=tuple(map(self._outline, structure.outlines)))
            for structure in reading.structures
        )
        ratio = reading.cardiothoracic
        if self.mirrored:
            ratio = replace(ratio, heart=self._span(ratio.heart), thorax=self._span(ratio.thorax))
        return replace(reading, structures=structures, cardiothoracic=ratio)

    def _box(self, box: Box) -> Box:
        x = round(self.columns - box.x - box.width, 2) if self.mirrored else box.x
        y = round(self.rows - box.y - box.height, 2) if self.flipped else box.y
        return replace(box, x=x, y=y)

    def _outline(self, outline: Outline) -> Outline:
        """A polygon stays clockwise on the screen: one flip reverses its corners."""
        corners = tuple((self._x(x), self._y(y)) for x, y in outline)
        return corners[::-1] if self.mirrored is not self.flipped else corners

    def _span(self, span: tuple[float, float] | None) -> tuple[float, float] | None:
        return None if span is None else (self._x(span[1]), self._x(span[0]))

    def _x(self, x: float) -> float:
        return round(self.columns - x, 2) if self.mirrored else x

    def _y(self, y: float) -> float:
        return round(self.rows - y, 2) if self.flipped else y
