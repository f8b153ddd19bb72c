"""The report's figures: agreement as SVG, and a page of films with both outlines as PNG."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from hilum.imaging.lungs import HEART, LEFT_LUNG, LUNGS_WITH_HEART, RIGHT_LUNG, read_structures
from hilum_training.films.licences import may_be_shown
from hilum_training.films.pack import read_film
from hilum_training.segmentation.masks import read_masks
from hilum_training.segmentation.measure import LUNG_FIELDS
from hilum_training.segmentation.recipe import STRUCTURES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from hilum_training.segmentation.library import MaskSet
    from hilum_training.segmentation.measure import Agreement
    from hilum_training.segmentation.ratios import RatioPair

_SHOWN: Final = (LUNG_FIELDS, LUNGS_WITH_HEART, HEART)
# In the order of drawing: what is drawn later lies on top.
_COLOURS: Final = {
    LUNGS_WITH_HEART: "#f0e442",
    HEART: "#d55e00",
    RIGHT_LUNG: "#009e73",
    LEFT_LUNG: "#56b4e9",
}
_PER_SOURCE: Final = 4


def draw_agreement(
    agreements: Sequence[Agreement], pairs: Sequence[RatioPair], folder: Path
) -> None:
    """Write ``dice.svg`` and ``cardiothoracic.svg``."""
    with mpl.rc_context({"svg.hashsalt": "lungs", "font.size": 8, "svg.fonttype": "none"}):
        figure = Figure(figsize=(6, 3.4), layout="constrained")
        _dice(figure.subplots(), agreements)
        figure.savefig(folder / "dice.svg", format="svg", metadata={"Date": None})
        figure = Figure(figsize=(4, 3.8), layout="constrained")
        _ratios(figure.subplots(), pairs)
        figure.savefig(folder / "cardiothoracic.svg", format="svg", metadata={"Date": None})


def draw_films(
    test: MaskSet,
    masks: NDArray[np.uint8],
    agreements: Sequence[Agreement],
    pack: Path,
    folder: Path,
) -> list[dict[str, Any]]:
    """Write ``films.png``: of each open source the worst and the median films, with outlines.

    Args:
        test: Test films.
        masks: uint8 [N, h, w, K], as served.
        agreements: Of the test films.
        pack: Folder of the film pack.
        folder: Of the report.

    Returns:
        What is shown, in the page's order: film, source, licence and Dice of the lungs.
    """
    chosen = _choose(test, agreements)
    if not chosen:
        return []
    columns = min(_PER_SOURCE, len(chosen))
    rows = -(-len(chosen) // columns)
    with mpl.rc_context({"font.size": 7}):
        figure = Figure(figsize=(2.1 * columns, 2.3 * rows), dpi=120, layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False)
        for axes in grid.ravel():
            axes.set_axis_off()
        for axes, (index, dice) in zip(grid.ravel(), chosen, strict=False):
            _film(axes, test, masks, index, pack)
            axes.set_title(f"{test.films.films[index].source}, Dice {dice:.3f}", fontsize=7)
        _save_picture(figure, folder / "films.png")
    return [
        {
            "film": test.films.films[index].file,
            "source": test.films.films[index].source,
            "licence": test.films.films[index].licence,
            "dice": round(dice, 4),
        }
        for index, dice in chosen
    ]


def _choose(test: MaskSet, agreements: Sequence[Agreement]) -> list[tuple[int, float]]:
    """Index and Dice of the films to show: the two worst and two in the middle of each source."""
    by_file = {
        item.file: item.dice
        for item in agreements
        if item.structure in {LUNG_FIELDS, LUNGS_WITH_HEART}
    }
    by_source: dict[str, list[tuple[float, int]]] = {}
    for index, film in enumerate(test.films.films):
        # Where masks have conditions of their own, as Shenzhen's, film and mask must both be open.
        masks = test.outlines[index].licences.values()
        shown = may_be_shown(film.licence, film.licence_flags) and all(map(may_be_shown, masks))
        if shown and film.file in by_file:
            by_source.setdefault(film.source, []).append((by_file[film.file], index))
    chosen = []
    for _, films in sorted(by_source.items()):
        films.sort()
        middle = len(films) // 2
        places = dict.fromkeys((0, 1, middle, middle + 1))
        chosen += [(films[at][1], films[at][0]) for at in places if at < len(films)]
    return chosen


def _film(axes: Axes, test: MaskSet, masks: NDArray[np.uint8], index: int, pack: Path) -> None:
    pixels = read_film(pack / test.films.films[index].file)
    rows, columns = pixels.shape
    axes.imshow(pixels, cmap="gray", vmin=0, vmax=255, aspect="equal")
    for mask in read_masks(pack, test.outlines[index]).values():
        axes.contour(mask, levels=[0.5], colors="white", linewidths=0.5)
    reading = read_structures(masks[index], STRUCTURES, rows, columns)
    for label, colour in _COLOURS.items():
        structure = reading.structure(label)
        for outline in structure.outlines if structure else ():
            x, y = zip(*outline, outline[0], strict=True)
            # The middle of the first pixel is at 0 in the picture and at 0.5 in outlines.
            axes.plot(
                np.array(x) - 0.5,
                np.array(y) - 0.5,
                color=colour,
                linewidth=1.4 if label == LUNGS_WITH_HEART else 0.8,
            )


def _save_picture(figure: Figure, path: Path) -> None:
    """As PNG with a palette: a third of the size, and no date or version in the file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    with Image.open(buffer) as picture:
        small = picture.convert("RGB").quantize(128, dither=Image.Dither.NONE)
        small.save(path, format="PNG", optimize=True)


def _dice(axes: Axes, agreements: Sequence[Agreement]) -> None:
    kinds = sorted(
        {(item.structure, item.source, item.annotator) for item in agreements}
        & {
            (item.structure, item.source, item.annotator)
            for item in agreements
            if item.structure in _SHOWN
        }
    )
    values = [
        [item.dice for item in agreements if (item.structure, item.source, item.annotator) == kind]
        for kind in kinds
    ]
    names = [
        f"{structure.replace('_', ' ')}: {source}\n{annotator.split(' (')[0]}, {len(found)} films"
        for (structure, source, annotator), found in zip(kinds, values, strict=True)
    ]
    axes.boxplot(values, orientation="horizontal", tick_labels=names, whis=(5, 95), widths=0.6)
    axes.axvline(0.96, color="0.7", linewidth=0.8)
    axes.set(xlabel="Dice on test films (box: quartiles, whiskers: 5 % to 95 %)")
    axes.set_xlim(max(min(map(min, values)) - 0.01, 0.5), 1.0)


def _ratios(axes: Axes, pairs: Sequence[RatioPair]) -> None:
    for source in sorted({pair.source for pair in pairs}):
        both = [
            (pair.reference, pair.found)
            for pair in pairs
            if pair.source == source and pair.reference is not None and pair.found is not None
        ]
        if both:
            reference, found = zip(*both, strict=True)
            axes.scatter(reference, found, s=8, label=f"{source}, {len(both)} films")
    axes.plot([0.3, 0.7], [0.3, 0.7], color="0.7", linewidth=0.8)
    axes.set(xlabel="ratio off annotators' masks", ylabel="ratio off predicted masks")
    axes.set_title("Heart over thorax, test films")
    axes.legend(fontsize=6)
