"""Small film packs, made by the test that reads them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = (
    "file",
    "source",
    "group_id",
    "view",
    "normalised_label",
    "licence",
    "variant_of",
    "licence_flags",
    "labels",
    "sex",
)


@dataclass
class FilmFolder:
    """A pack being made: images are written at once, the manifest by :meth:`close`."""

    folder: Path

    def __post_init__(self) -> None:
        self.rows: list[dict[str, str]] = []

    def add(self, name: str, pixels: np.ndarray, label: str, **more: str) -> None:
        """One film; groups default to the film's own name."""
        path = self.folder / "images" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
        row = {
            "file": f"images/{name}.png",
            "source": "kermany",
            "group_id": name,
            "view": "AP",
            "normalised_label": label,
            "licence": "CC BY 4.0",
            "variant_of": "",
        }
        self.rows.append({**row, **more})

    def close(self) -> Path:
        """Write the manifest; a column ``asked`` only where a film has it, as older packs do."""
        asked = ("asked",) if any("asked" in row for row in self.rows) else ()
        with (self.folder / "manifest.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, fieldnames=(*COLUMNS, *asked))
            writer.writeheader()
            writer.writerows(self.rows)
        return self.folder


def texture(seed: int, height: int = 96, width: int = 96) -> np.ndarray:
    """Smooth random grey levels, uint8 [height, width]: each seed unlike every other."""
    coarse = np.random.default_rng(seed).integers(0, 256, (12, 12), dtype=np.uint8)
    resized = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(resized, dtype=np.uint8)
