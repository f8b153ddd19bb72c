"""Lungs and heart in words: what was outlined, how large, and what makes it doubtful."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hilum_gateway.pictures.outline_picture import colour_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hilum.domain.finding import CardiothoracicRatio, Structure, StructuresReading

_FLAGS: Final[Mapping[str, str]] = {
    "absent": "not seen",
    "tiny": "very small, may be cut off",
    "unequal": "much smaller than the other side",
    "wrong_side": "on the unexpected side: the image may be mirrored",
}
"""The flags of :mod:`hilum.imaging.lungs`."""

_METHODS: Final[Mapping[str, str]] = {
    "heart_mask": "between the borders of the outlined heart",
    "lung_borders": (
        "between the inner borders of the lung fields, because the heart's own outline was not "
        "plausible"
    ),
}
"""The methods of :mod:`hilum.imaging.cardiothoracic`."""


@dataclass(frozen=True, slots=True)
class StructureRow:
    """One structure.

    Attributes:
        structure: As the model outlined it.
        colour: Of its line over the image.
        doubts: What makes it doubtful, in words; empty for a plausible one.
    """

    structure: Structure
    colour: str
    doubts: str


@dataclass(frozen=True, slots=True)
class StructuresView:
    """The structures of one panel.

    Attributes:
        reading: As the model gave it.
        rows: One for each structure.
        method: How the cardiothoracic ratio was measured, in words; empty without one.
    """

    reading: StructuresReading
    rows: tuple[StructureRow, ...]
    method: str

    @classmethod
    def of(cls, reading: StructuresReading) -> StructuresView:
        """Of a panel's reading."""
        rows = tuple(
            StructureRow(structure, colour_of(structure.label), _doubts(structure))
            for structure in reading.structures
        )
        return cls(reading, rows, _method(reading.cardiothoracic))

    @property
    def display(self) -> str:
        """The panel for people."""
        return self.reading.display or self.reading.panel.replace("_", " ").capitalize()

    @property
    def drawn(self) -> bool:
        """Whether there is any outline to lay over the image."""
        return any(row.structure.outlines for row in self.rows)


def _doubts(structure: Structure) -> str:
    return "; ".join(_FLAGS.get(flag, flag.replace("_", " ")) for flag in structure.flags)


def _method(ratio: CardiothoracicRatio) -> str:
    return _METHODS.get(ratio.method, ratio.method.replace("_", " "))
