"""A recipe's card: the template beside it, or a neutral one, and what it says of the recipe."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hilum_training.export.lead_text import lead_text
from hilum_training.export.network_tables import network_text
from hilum_training.export.other_reports import OTHERS, said_of_panels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hilum_training.recipe import DataRecipe, Recipe

ROOT: Final = Path(__file__).resolve().parents[3]
_NEUTRAL: Final = Path(__file__).with_name("neutral.card.md")
_TABLES: Final = {
    "within_source": "Within one source",
    "gate": "What is accepted and rejected",
    "labels": "Label by label, all sources together",
    "confusion": "Recorded (rows) and predicted (columns), all sources together",
    "outside_the_panel": "Images with none of the labels",
    "structures": "Agreement with annotators",
    "cardiothoracic": "Cardiothoracic ratio",
}
"""Of a panel's section; a neutral card has those that were measured."""
_SECOND_FIT: Final = (
    "After the fit to the labels came consistency fine-tuning: two augmented views of each image "
    "(sharpness, noise,\ncompression) must get one prediction"
)
_SMOOTHED: Final = ". Each image is smoothed over 3 x 3 pixels first"
_DISTILLED: Final = (
    "Then it was distilled: it took on the mean of its own answers and those of a network trained "
    "alike from another\nseed."
)


@dataclass(frozen=True, slots=True)
class Card:
    """What the model card is made of: a template, the report, and what else it may name."""

    template: str
    metrics: Mapping[str, Any]


def card_of(path: Path, data: DataRecipe, metrics: Mapping[str, Any], later_fits: str = "") -> Card:
    """Return the card of a recipe.

    Its template is ``<recipe file>.card.md`` beside the recipe. Without one the card says what
    was measured and what the films were, and no more: the prose of another recipe would claim for
    this network what nobody saw of it.

    Args:
        path: Of the recipe's file.
        data: Its films.
        metrics: Its report, see :func:`hilum_training.export.other_reports.with_other_reports`.
        later_fits: What was done after the fit to the labels, from :func:`later_fits_of`.
    """
    written = card_file(path)
    template = written.read_text(encoding="utf-8") if written.is_file() else _neutral(metrics)
    text = {**lead_text(metrics, metrics.get(OTHERS)), **network_text(metrics)}
    said = said_of_panels(metrics)
    return Card(template, {**metrics, **text, **said, "recipe": _said(path, data, later_fits)})


def card_file(recipe: Path) -> Path:
    """Where the template of a recipe's card is looked for."""
    return recipe.with_name(f"{recipe.stem}.card.md")


def later_fits_of(recipe: Recipe) -> str:
    """Say what a network was fitted to after the labels; empty where there was no such fit."""
    if recipe.settle is None:
        return ""
    settled = f"{_SECOND_FIT}{_SMOOTHED if recipe.settle.smooth else ''}."
    return f"{settled}\n{_DISTILLED}" if recipe.distil else settled


def _said(path: Path, data: DataRecipe, later_fits: str) -> dict[str, str]:
    """What a template may ask of its recipe: ``$recipe_file``, ``$recipe_sources`` ..."""
    path = path.resolve()
    inside = path.is_relative_to(ROOT)
    return {
        # No path of the machine that it was trained on: a card is passed on.
        "file": path.relative_to(ROOT).as_posix() if inside else path.name,
        "argument": path.stem if path.parent == ROOT / "training/recipes" else path.name,
        "card": card_file(path).name,
        "sources": ", ".join(f"`{source}`" for source in data.sources),
        "later_fits": later_fits,
    }


def _neutral(metrics: Mapping[str, Any]) -> str:
    text = _NEUTRAL.read_text(encoding="utf-8")
    return text.replace("$measured\n", "\n".join(map(_panel, metrics["panels"].items())))


def _panel(named: tuple[str, Mapping[str, Any]]) -> str:
    name, section = named
    lines = [f"### {name}", ""]
    for key, figure in {
        "films_test": section.get("films", {}).get("test"),
        "accuracy": section.get("accuracy"),
        "mean_auroc": section.get("mean_auroc"),
        "calibration_error_after": section.get("calibration_error"),
    }.items():
        if figure is not None:
            lines.append(f"- {key.replace('_', ' ')}: ${{{name}_{key}}}")
    for key, title in _TABLES.items():
        if section.get(key):
            lines += ["", f"{title}:", "", f"${{{name}_{key}}}"]
    return "\n".join([*lines, ""])
