"""A small pack whose labels can be learnt: each has a bright stripe at a height of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.unit.training.film_folders import FilmFolder, texture

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FINDINGS = ("Effusion", "Mass|Nodule", "", "Pneumonia")


def striped_pack(folder: Path, labels: Sequence[str]) -> Path:
    """Forty patients of each of at most four labels."""
    pack = FilmFolder(folder)
    for index, label in enumerate(labels):
        for patient in range(40):
            pixels = texture(100 * index + patient).astype(int) // 2
            pixels[24 * index : 24 * index + 24] += 120
            film = np.clip(pixels, 0, 255).astype(np.uint8)
            pack.add(f"{label}-{patient}", film, label, labels=FINDINGS[index], asked="*")
    return pack.close()
