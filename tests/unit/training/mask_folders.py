"""Small film packs with masks of drawn chests, made by the test that reads them."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from tests.unit.training.film_folders import FilmFolder, texture

if TYPE_CHECKING:
    from pathlib import Path

ROWS, COLUMNS = 96, 80
FIELDS = "lung fields EXCLUDING heart/mediastinum"
WHOLE = "lung fields INCLUDING the part behind the heart"


def ellipse(x: float, y: float, width: float, height: float) -> np.ndarray:
    """An ellipse from shares of the film, bool [96, 80]."""
    rows, columns = np.mgrid[0:ROWS, 0:COLUMNS]
    across = ((columns + 0.5) / COLUMNS - x) / width
    down = ((rows + 0.5) / ROWS - y) / height
    return across**2 + down**2 <= 1


@dataclass
class Chest:
    """A drawn chest: its film, and its structures as a reader would outline them."""

    seed: int
    structures: dict[str, np.ndarray] = field(init=False)
    film: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        shift = np.random.default_rng(self.seed).uniform(-0.04, 0.04, 3)
        right = ellipse(0.28 + shift[0], 0.45 + shift[1], 0.17, 0.30)
        left = ellipse(0.72 + shift[0], 0.45 + shift[1], 0.17, 0.30)
        heart = ellipse(0.54 + shift[0], 0.58 + shift[1], 0.16 + shift[2] / 2, 0.16)
        self.structures = {
            "right_lung": right & ~heart,
            "left_lung": left & ~heart,
            "lungs_with_heart": right | left,
            "heart": heart,
        }
        grey = texture(self.seed, ROWS, COLUMNS) / 255 * 40
        grey += np.where(heart, 190, np.where(right | left, 50, 150))
        self.film = np.clip(grey, 0, 255).astype(np.uint8)


@dataclass
class MaskFolder:
    """A pack with masks: :meth:`add` as often as wanted, then :meth:`close`."""

    folder: Path

    def __post_init__(self) -> None:
        self.films = FilmFolder(self.folder)
        self.rows: list[dict[str, str]] = []

    def add(self, name: str, chest: Chest, *kinds: str, source: str) -> None:
        """One film with its masks: ``fields``, ``whole`` or ``regions``."""
        self.films.add(name, chest.film, "normal", source=source)
        drawn = chest.structures
        right, left, heart = drawn["right_lung"], drawn["left_lung"], drawn["heart"]
        if "fields" in kinds:
            self._mask(name, "lungs", right | left, FIELDS)
        if "whole" in kinds:
            self._mask(name, "lungs", drawn["lungs_with_heart"], WHOLE)
        if "regions" in kinds:
            behind = drawn["lungs_with_heart"] & heart
            middle = np.arange(COLUMNS) < COLUMNS * 0.5
            self._mask(name, "right_lung", right | (behind & middle), "")
            self._mask(name, "left_lung", left | (behind & ~middle), "")
            self._mask(name, "cardiomediastinum", heart, "")

    def close(self) -> Path:
        """Write the manifests."""
        with (self.folder / "masks.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, fieldnames=list(self.rows[0]))
            writer.writeheader()
            writer.writerows(self.rows)
        return self.films.close()

    def _mask(self, name: str, kind: str, mask: np.ndarray, convention: str) -> None:
        path = f"masks/{name}_{kind}.png"
        (self.folder / "masks").mkdir(exist_ok=True, parents=True)
        Image.fromarray(mask).save(self.folder / path)
        self.rows.append(
            {
                "file": f"images/{name}.png",
                "mask": path,
                "kind": kind,
                "convention": convention,
                "annotator": f"reader of {convention or 'regions'}",
                "licence": "CC BY 4.0",
            }
        )
