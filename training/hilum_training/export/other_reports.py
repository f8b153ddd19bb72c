"""What other reports say of a network's panels: external validation, their maps, earlier releases.

A card that quotes a network's own report alone is about hospitals that it has seen.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from hilum_training.export.figure_text import short
from hilum_training.markdown import markdown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    Rows = Sequence[Mapping[str, Any]]

ASKED: Final = "asked_where_not_trained"
LOCALISATION: Final = "localisation"
OTHERS: Final = "others"
"""What is kept beside the reports, under this key of a network's report."""
_WITH_MAPS: Final = frozenset({"single_label", "multi_label"})
_NOT_MEASURED: Final = "Not measured."


def with_other_reports(metrics: Mapping[str, Any], reports: Path) -> dict[str, Any]:
    """A network's report, each of its panels with what was found of it elsewhere.

    Args:
        metrics: Its ``metrics.json``.
        reports: The folder of all reports: ``<panel>/metrics.json`` has the panel's long tables,
            and is passed over if it measured other weights; ``shifts/*/metrics.json`` are small
            runs that did not see a source and were asked there.
    """
    panels = {}
    for name, section in metrics["panels"].items():
        found = {
            ASKED: list(_asked(name, reports)),
            LOCALISATION: _localisation(name, metrics, reports),
        }
        panels[name] = {**section, **{key: rows for key, rows in found.items() if rows}}
    return {**metrics, OTHERS: kept_files(reports), "panels": panels}


def kept_files(reports: Path) -> dict[str, Any]:
    """Return what is kept beside the reports.

    Args:
        reports: The folder of all reports.

    Returns:
        ``previous``: what earlier releases measured. ``external``: figures that no command here
        makes, by file name. ``thumbnail_ridge``: the baseline on thumbnails, or None.
    """

    def read(path: Path) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found

    ridge = reports / "baselines/thumbnail_ridge.json"
    return {
        "previous": [read(path) for path in sorted(reports.glob("previous/*.json"))],
        "external": {path.stem: read(path) for path in sorted(reports.glob("external/*.json"))},
        "thumbnail_ridge": read(ridge) if ridge.is_file() else None,
    }


def said_of_panels(metrics: Mapping[str, Any]) -> dict[str, str]:
    """Return tables and sentences over all panels, by the names that a template has for them.

    Args:
        metrics: Of :func:`with_other_reports`.
    """
    asked, maps = _of_panels(metrics, ASKED), _of_panels(metrics, LOCALISATION)
    return {
        ASKED: markdown(_joined(asked)) if asked else _NOT_MEASURED,
        "asked_range": _asked_range(metrics, asked),
        LOCALISATION: markdown(_pointing(maps)) if maps else _NOT_MEASURED,
        "maps_not_measured": _maps_not_measured(metrics, maps),
        "maps_worse_than_chance": _worse_than_chance(maps),
    }


def _asked(panel: str, reports: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(reports.glob("shifts/*/metrics.json")):
        run = json.loads(path.read_text(encoding="utf-8"))
        for row in run["within_source"] if run["panel"] == panel else ():
            if not row["seen_in_training"]:
                yield {
                    "run": run["about"],
                    "training_films": sum(run["learnt_from"].values()),
                    "pixels": run["pixels"],
                    "asked_in": row["source"],
                    "question": row["question"],
                    "positive_films": row["positive_films"],
                    "negative_films": row["negative_films"],
                    "auroc": row["auroc"],
                }


def _localisation(panel: str, metrics: Mapping[str, Any], reports: Path) -> list[dict[str, Any]]:
    path = reports / panel / "metrics.json"
    report = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if report.get("weights") != metrics["weights"]:
        return []
    return list(report.get(LOCALISATION, ()))


def _of_panels(metrics: Mapping[str, Any], key: str) -> dict[str, Rows]:
    return {name: part[key] for name, part in metrics["panels"].items() if part.get(key)}


def _joined(tables: Mapping[str, Rows]) -> list[dict[str, Any]]:
    return [{"panel": panel, **row} for panel, rows in tables.items() for row in rows]


def _asked_range(metrics: Mapping[str, Any], asked: Mapping[str, Rows]) -> str:
    """The worst and the best figure of each panel, and which panels nobody asked."""
    parts = []
    for panel, rows in asked.items():
        figures = sorted((row["auroc"] for row in rows), key=lambda figure: figure["value"])
        worst, best = short(figures[0], 3), short(figures[-1], 3)
        parts.append(f"`{panel}`: {worst}" + (f", at best {best}" if len(figures) > 1 else ""))
    if others := _named(name for name in _with_maps(metrics) if name not in asked):
        parts.append(f"{others}: not measured")
    return "; ".join(parts)


def _pointing(maps: Mapping[str, Rows]) -> list[dict[str, Any]]:
    return [
        {key: value for key, value in row.items() if not key.startswith(("overlap", "mean"))}
        for row in _joined(maps)
    ]


def _maps_not_measured(metrics: Mapping[str, Any], maps: Mapping[str, Rows]) -> str:
    panels = _named(name for name in _with_maps(metrics) if name not in maps)
    if not panels:
        return ""
    return (
        f"Where maps and boxes point was never measured for {panels}: "
        "the images have no readers' boxes of it."
    )


def _worse_than_chance(maps: Mapping[str, Rows]) -> str:
    """Where the whole interval of the pointing game lies below what a random point would hit."""
    found = [
        f"{row['source']}, `{row['panel']}`: {markdown(row['pointing_game'])}, "
        f"by chance {markdown(row['pointing_game_by_chance'])} "
        f"({row['films']} images, {row['searched']}; {row['films_from']})"
        for row in _joined(maps)
        if row["pointing_game"]["interval"]
        and row["pointing_game"]["interval"][1] < row["pointing_game_by_chance"]
    ]
    if not found:
        return ""
    return f"Maps point worse than chance on images of {'; of '.join(found)}."


def _with_maps(metrics: Mapping[str, Any]) -> list[str]:
    return [name for name, part in metrics["panels"].items() if part.get("kind") in _WITH_MAPS]


def _named(panels: Iterator[str]) -> str:
    return ", ".join(f"`{panel}`" for panel in panels)
