"""A segmentation that trains in seconds, and the drawn chests that it learns from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hilum_training.segmentation.recipe import read_segmentation_recipe
from tests.unit.training.mask_folders import Chest, MaskFolder

SHIPPED = read_segmentation_recipe(
    Path(__file__).resolve().parents[3] / "training/recipes/lungs.toml"
)
TINY = replace(
    SHIPPED,
    film=replace(SHIPPED.film, size=64),
    data=replace(SHIPPED.data, sources=("kermany", "cohen", "montgomery")),
    network=replace(SHIPPED.network, widths=(8, 8, 16)),
    fit=replace(SHIPPED.fit, epochs=1, batch=8, ema=0.5, learning_rate=0.01),
)


def drawn_pack(folder: Path) -> Path:
    """Twelve drawn films of each convention."""
    masks = MaskFolder(folder)
    for patient in range(12):
        masks.add(f"m{patient}", Chest(patient), "fields", source="montgomery")
        masks.add(f"k{patient}", Chest(100 + patient), "whole", source="kermany_native")
        masks.add(f"c{patient}", Chest(200 + patient), "regions", source="cohen")
    return Path(masks.close())
