"""The report's plots, as SVG that is the same for the same numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from hilum_training.data_report.survey import by_source
from hilum_training.films.split import SPLITS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from hilum_training.data_report.survey import Survey

# Distinguishable with every common colour vision (Okabe and Ito 2008).
_COLOURS: Final = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
    "#000000",
    "#999999",
)


def draw_figures(survey: Survey, facts: dict[str, Any], folder: Path) -> None:
    """Write ``counts.svg``, ``sizes.svg``, ``intensity.svg`` and ``people.svg``."""
    with mpl.rc_context({"svg.hashsalt": "data", "font.size": 8, "svg.fonttype": "none"}):
        figure = Figure(figsize=(9, 3.4), layout="constrained")
        left, right = figure.subplots(1, 2)
        _stacked(left, facts["used_by_source"], "films by source and class")
        _stacked(right, facts["splits"]["by_source"], "films by source and split", SPLITS.index)
        _save(figure, folder / "counts.svg")
        figure = Figure(figsize=(9, 3.4), layout="constrained")
        _sizes(figure.subplots(1, 2), survey)
        _save(figure, folder / "sizes.svg")
        figure = Figure(figsize=(9, 3.4), layout="constrained")
        _intensity(figure.subplots(1, 2), facts["intensity"])
        _save(figure, folder / "intensity.svg")
        figure = Figure(figsize=(9, 3.4), layout="constrained")
        left, right = figure.subplots(1, 2)
        _stacked(left, facts["ages"], "films by source and age in years", order=_age_order)
        _stacked(right, facts["views"], "films by source and view")
        _save(figure, folder / "people.svg")


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, format="svg", metadata={"Date": None})


def _age_order(name: str) -> tuple[bool, int, str]:
    number = name.split("-", maxsplit=1)[0].split(" ", maxsplit=1)[0]
    return (not number.isdigit(), int(number) if number.isdigit() else 0, name)


def _stacked(axes: Axes, table: dict[str, dict[str, int]], title: str, order: Any = None) -> None:
    """Bars by row, one colour a column."""
    columns = sorted({name for row in table.values() for name in row}, key=order)
    rows = list(table)
    palette = _palette(len(columns))
    start = np.zeros(len(rows))
    for colour, name in zip(palette, columns, strict=True):
        widths = np.array([table[row].get(name, 0) for row in rows], dtype=float)
        axes.barh(rows, widths, left=start, color=colour, label=name)
        start += widths
    axes.invert_yaxis()
    axes.set_title(title)
    axes.set_xlabel("films")
    axes.legend(fontsize=6, loc="lower right")


def _palette(count: int) -> Sequence[Any]:
    if count <= len(_COLOURS):
        return _COLOURS[:count]
    return [mpl.colormaps["viridis"](index / (count - 1)) for index in range(count)]


def _sizes(axes: Sequence[Axes], survey: Survey) -> None:
    sides, aspects = axes
    for colour, (source, indexes) in zip(
        _palette(len(by_source(survey.records))), by_source(survey.records).items(), strict=True
    ):
        native = [survey.records[i].native_size or survey.pixels[i].size for i in indexes]
        shorter = np.log2([min(size) for size in native])
        ratios = np.array([width / height for width, height in native])
        _stairs(sides, shorter, np.linspace(6, 13, 57), colour, source)
        # One bar at 1 would hide every other source.
        if np.any(ratios != 1):
            _stairs(aspects, np.clip(ratios, 0.5, 2.5), np.linspace(0.5, 2.5, 81), colour, source)
    ticks = range(6, 14)
    sides.set_xticks(ticks, [str(2**tick) for tick in ticks])
    sides.set(
        xlabel="shorter side of the copy that the pack was made from, pixels",
        ylabel="share of the source's films",
    )
    sides.set_title("size")
    aspects.set(xlabel="width over height")
    aspects.set_title("aspect ratio, of sources that were not made square")
    sides.legend(fontsize=6)


def _stairs(
    axes: Axes, values: NDArray[np.float64], bins: NDArray[np.float64], colour: Any, source: str
) -> None:
    axes.stairs(np.histogram(values, bins)[0] / len(values), bins, color=colour, label=source)


def _intensity(axes: Sequence[Axes], intensity: dict[str, Any]) -> None:
    for panel, kind, label in (
        (axes[0], "grey", "grey level of the model input"),
        (axes[1], "standard", "standard deviations from the film's mean"),
    ):
        bins = np.array(intensity[f"{kind}_bins"])
        for colour, (source, found) in zip(
            _palette(len(intensity["sources"])), intensity["sources"].items(), strict=True
        ):
            panel.stairs(found[kind], bins, color=colour, label=source)
        panel.set_xlabel(label)
        panel.set_ylim(0, _highest(intensity["sources"], kind))
    axes[0].set_ylabel("mean share of pixels")
    axes[0].set_title("before standardisation")
    axes[1].set_title("after standardisation, film by film")
    axes[1].legend(fontsize=6)


def _highest(sources: dict[str, Any], kind: str) -> float:
    """Above every bin but the outermost: black borders would flatten all the rest."""
    return 1.1 * max(float(max(found[kind][1:-1])) for found in sources.values())
