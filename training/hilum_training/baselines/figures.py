"""The baselines' figures, as SVG that is the same on every run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

_STYLE: Final[dict[Any, Any]] = {
    "font.size": 8,
    "svg.fonttype": "none",
    "svg.hashsalt": "baselines",
}


def draw_questions(name: str, row: dict[str, Any], folder: Path) -> str | None:
    """AUROC within each source, every variant and Hilum, with intervals; the file's name."""
    methods = {**row["figures"]}
    if "hilum" in row:
        methods["Hilum"] = row["hilum"]
    questions = list(
        dict.fromkeys(
            item["question"] for said in methods.values() for item in said["within_source"]
        )
    )
    if not questions:
        return None
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(6.4, 0.9 + 0.55 * len(questions)), layout="constrained")
        axes = figure.subplots()
        for step, (method, said) in enumerate(methods.items()):
            _points(axes, method, said, questions, 0.3 * (step / max(len(methods) - 1, 1) - 0.5))
        axes.set_yticks(range(len(questions)), [_wrapped(text) for text in questions])
        axes.invert_yaxis()
        axes.axvline(0.5, color="0.7", linewidth=0.8)
        axes.set(xlabel="AUROC on test patients, within one source, 95 % interval")
        figure.legend(loc="outside upper center", fontsize=7, ncols=3)
        return _save(figure, folder, f"{name}.svg")


def draw_sensitivity(name: str, tables: dict[str, Any], folder: Path) -> str:
    """Mean AUROC within sources against the number of training films; the file's name."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(7, 3.2), layout="constrained")
        for axes, table in zip(
            figure.subplots(1, len(tables), sharey=True), tables.values(), strict=True
        ):
            for classifier in table["classifiers"].values():
                rows = classifier["by_films"]
                axes.plot(
                    [row["films"] for row in rows],
                    [row["mean_within_source_auroc"] for row in rows],
                    marker="o",
                    markersize=3,
                    label=classifier["display"],
                )
            axes.set(xscale="log", xlabel="training films", title=table["display"])
            axes.title.set_fontsize(7)
        figure.axes[0].set(ylabel="mean AUROC within sources")
        figure.axes[-1].legend(fontsize=6, loc="lower right")
        return _save(figure, folder, f"{name}-films.svg")


def _points(
    axes: Axes, method: str, said: dict[str, Any], questions: list[str], shift: float
) -> None:
    rows = [item for item in said["within_source"] if item["interval"]]
    values = [row["value"] for row in rows]
    axes.errorbar(
        values,
        [questions.index(row["question"]) + shift for row in rows],
        xerr=[
            [max(row["value"] - row["interval"][0], 0) for row in rows],
            [max(row["interval"][1] - row["value"], 0) for row in rows],
        ],
        fmt="o",
        markersize=3,
        linewidth=1,
        label=method,
    )


def _wrapped(text: str) -> str:
    words, lines = text.split(), [""]
    for word in words:
        if len(lines[-1]) + len(word) > 38:  # noqa: PLR2004 - characters of the axis' margin
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)


def _save(figure: Figure, folder: Path, name: str) -> str:
    figure.savefig(folder / name, format="svg", metadata={"Date": None})
    return name
