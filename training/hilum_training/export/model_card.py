"""``MODEL_CARD.md``: the recipe's prose with the report's figures in it."""

from __future__ import annotations

from string import Template
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hilum.domain.model import ModelManifest


def render_card(template: str, manifest: ModelManifest, metrics: Mapping[str, Any]) -> str:
    """Fill a card's template.

    Args:
        template: Markdown with ``$name`` placeholders (:class:`string.Template`).
        manifest: What is served.
        metrics: The report.

    Raises:
        KeyError: The template asks for what there is not.
    """
    names = [label.name for label in manifest.labels]
    return Template(template).substitute(
        version=manifest.version,
        created=manifest.created,
        preprocessing=manifest.preprocessing,
        size=manifest.film_input.shape[0],
        grid=manifest.output("heatmaps").shape[0],
        temperature=manifest.calibration["temperature"],
        test_films=metrics["films"]["test"],
        accuracy=_with_interval(metrics["accuracy"]["value"], metrics["accuracy"]["interval"]),
        ece_before=metrics["expected_calibration_error"]["before"],
        ece_after=metrics["expected_calibration_error"]["after"],
        data=_data(metrics["films_used"]),
        within_source=_within_source(metrics["within_source"]),
        shortcuts=_shortcuts(metrics["within_source"]),
        labels=_labels(metrics["labels"]),
        per_source=_answers(metrics["per_source"], "label", names, "recall"),
        outside=_answers(metrics["outside_the_panel"], "finding", names, "mean_confidence"),
        confusion=_table(
            ["recorded / answered", *names],
            ([name, *row] for name, row in zip(names, metrics["confusion"], strict=True)),
        ),
    )


def _within_source(rows: Sequence[Mapping[str, Any]]) -> str:
    return _table(
        ["question", "source", "films (positive / negative)", "AUROC (95 % interval)"],
        (
            [
                row["question"],
                row["source"],
                f"{row['positive_films']} / {row['negative_films']}",
                _with_interval(row["auroc"], row["interval"]),
            ]
            for row in rows
        ),
    )


def _shortcuts(rows: Sequence[Mapping[str, Any]]) -> str:
    return _table(
        [
            "question",
            "films of known shape",
            "aspect ratio alone",
            "this model",
            "this model, films of like ratio",
        ],
        (
            [
                row["question"],
                found["films"],
                *(f"{found[key]:.3f}" for key in ("aspect_alone", "model", "model_like_aspect")),
            ]
            for row in rows
            if (found := row["aspect_shortcut"])
        ),
    )


def _labels(rows: Mapping[str, Mapping[str, Any]]) -> str:
    return _table(
        [
            "label",
            "test films",
            "AUROC, all sources (95 % interval)",
            "operating point",
            "sensitivity",
            "specificity",
        ],
        (
            [
                name,
                row["test_films"],
                _with_interval(row["auroc"], row["interval"]),
                row["threshold"],
                row["test"]["sensitivity"],
                row["test"]["specificity"],
            ]
            for name, row in rows.items()
        ),
    )


def _answers(
    rows: Sequence[Mapping[str, Any]], kind: str, names: Sequence[str], figure: str
) -> str:
    return _table(
        ["source", kind, "films", figure.replace("_", " "), *(f"called {n}" for n in names)],
        (
            [
                row["source"],
                row[kind],
                row["films"],
                row[figure],
                *(row["answered"][name] for name in names),
            ]
            for row in rows
        ),
    )


def _data(rows: Sequence[Mapping[str, Any]]) -> str:
    return _table(
        ["source", "licence", "recorded label", "train", "validation", "test"],
        (
            [row[key] for key in ("source", "licence", "label", "train", "validation", "test")]
            for row in rows
        ),
    )


def _with_interval(value: float, interval: Sequence[float]) -> str:
    return f"{value:.3f} ({interval[0]:.3f} to {interval[1]:.3f})"


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)
