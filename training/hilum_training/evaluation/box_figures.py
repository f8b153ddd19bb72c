"""A network's activation maps against the boxes that readers drew on the pack's films."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image

from hilum.imaging.lungs import lung_mask
from hilum_training.evaluation.features import class_maps
from hilum_training.evaluation.localisation import compare_with_lung_mask, read_boxes
from hilum_training.prediction import predict_logits
from hilum_training.segmentation.recipe import STRUCTURES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import keras
    from numpy.typing import NDArray

    from hilum.imaging.localisation import Box
    from hilum_training.evaluation.shortcuts.lung_fields import Masks
    from hilum_training.films.library import FilmSet, Library
    from hilum_training.panel_recipe import PanelRecipe

BOXES: Final = {
    "Pneumonia": "nih14",
    "consolidation": "cohen",
    "ground_glass_opacities": "cohen",
}
"""Boxes of infection: the label in ``boxes.csv`` and the source that it is taken from."""
PANELS: Final = frozenset({"pneumonia", "infection", "pathology"})
"""Panels that have a label for what these boxes show."""
_FINDING: Final = "pneumonia"


@dataclass(frozen=True, slots=True)
class _Boxed:
    """Films with boxes, the first ``unseen`` of them test films."""

    films: FilmSet
    unseen: int
    boxes: Mapping[str, Sequence[Box]]
    fields: Sequence[NDArray[np.uint8] | None]
    sizes: Sequence[tuple[int, int]]

    def compare(self, maps: NDArray[np.float32], at: Sequence[int]) -> dict[str, Any]:
        """The maps of some of the films against their boxes; within lungs where masks are known."""
        found = compare_with_lung_mask(
            [maps[place] for place in at],
            [self.fields[place] for place in at],
            [self.boxes[self.films.films[place].file] for place in at],
            [self.sizes[place] for place in at],
            [self.films.clusters[place] for place in at],
        )
        if all(field is None for field in self.fields):
            del found["within_lungs"]
        return found


def localisation_figures(
    panels: Sequence[PanelRecipe],
    library: Library,
    network: keras.Model,
    pack: Path,
    masks: Masks | None,
) -> dict[str, list[dict[str, Any]]]:
    """Pointing game and overlaps by panel: of test films, and of all films with boxes.

    There are few test films with boxes. No box taught the network anything, so that the films it
    was trained on may be looked at too; their rows say so.

    Args:
        panels: Of the network; those without a fitting label are passed over.
        library: Films by split.
        network: Gives the maps.
        pack: The film pack; without ``boxes.csv`` there is nothing to compare.
        masks: The segmentation's answer to uint8 [N, size, size, 1]: uint8 [N, size, size, K]; None
            searches the whole film only.
    """
    if not (pack / "boxes.csv").is_file() or not PANELS & {panel.name for panel in panels}:
        return {}
    boxed = _boxed(library, pack, masks)
    tables: dict[str, list[dict[str, Any]]] = {}
    for panel in panels:
        if panel.name not in PANELS or not boxed.films.films:
            continue
        maps = _maps(panel, network, boxed.films)
        rows = []
        for source in sorted(set(panel.sources or BOXES.values()) & set(BOXES.values())):
            own = [at for at, film in enumerate(boxed.films.films) if film.source == source]
            for split, at in (
                ("test", [place for place in own if place < boxed.unseen]),
                ("all, training films among them", own),
            ):
                rows += _rows({"source": source, "films_from": split}, boxed.compare(maps, at))
        tables[panel.name] = rows
    return tables


def _boxed(library: Library, pack: Path, masks: Masks | None) -> _Boxed:
    boxes = read_boxes(pack, BOXES)
    test, train, validation = (
        part.where(lambda film: film.file in boxes)
        for part in (library.test, library.train, library.validation)
    )
    films = test.plus(train).plus(validation)
    fields: list[NDArray[np.uint8] | None] = [None] * len(films.films)
    if masks is not None:
        fields = [lung_mask(found, STRUCTURES) for found in masks(films.inputs)]
    return _Boxed(
        films=films,
        unseen=len(test.films),
        boxes=boxes,
        fields=fields,
        sizes=[_size(pack / film.file) for film in films.films],
    )


def _size(path: Path) -> tuple[int, int]:
    """Rows and columns of a stored film."""
    with Image.open(path) as image:
        width, height = image.size
    return height, width


def _maps(panel: PanelRecipe, network: keras.Model, films: FilmSet) -> NDArray[np.float32]:
    """The map of the finding, or of the abnormal label that the film is most likely to have."""
    maps = class_maps(network, films.inputs, panel.name)
    if panel.kind == "multi_label":
        return np.asarray(maps[..., panel.names.index(_FINDING)])
    abnormal = np.flatnonzero([label.abnormal for label in panel.labels])
    logits = predict_logits(network, films.inputs)[panel.name]
    chosen = abnormal[logits[:, abnormal].argmax(axis=1)]
    return np.asarray(maps[np.arange(len(maps)), :, :, chosen])


def _rows(about: dict[str, Any], found: dict[str, Any]) -> list[dict[str, Any]]:
    """One row for each area that was searched, if there were films."""
    return [
        {**about, "searched": searched.replace("_", " "), **summary}
        for searched, summary in found.items()
        if summary is not None
    ]
