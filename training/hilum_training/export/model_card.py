"""``MODEL_CARD.md``: the recipe's prose with the report's figures in it.

A template is Markdown with ``$name`` placeholders (:class:`string.Template`). Every figure of the
report has a name: the keys that lead to it, joined by ``_``. What a name leads to decides its form:
a number, a number with its interval, or a table.
"""

from __future__ import annotations

from collections.abc import Mapping
from string import Template
from typing import TYPE_CHECKING, Any

from hilum.domain.model import Rank
from hilum_training.export.figure_text import tidy
from hilum_training.markdown import markdown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hilum.domain.model import ModelManifest, Panel


def render_card(template: str, manifest: ModelManifest, metrics: Mapping[str, Any]) -> str:
    """Fill a card's template.

    Names beside the report's: ``name``, ``version``, ``created``, ``preprocessing``, ``size`` (of
    the image), ``data`` (images used), ``below_validated`` (labels), ``cautions`` (of the panels)
    and for each panel ``<panel>_grid`` (side of its maps). The sections of ``metrics["panels"]``
    have the panel's name alone: ``$pneumonia_accuracy``. A name that stands for nothing leaves no
    gap.

    Args:
        template: The card's text.
        manifest: What is served.
        metrics: The report; with the recipe's names, see :mod:`hilum_training.export.cards`.

    Raises:
        KeyError: The template asks for what there is not.
        ValueError: The template has a placeholder that is none.
    """
    values = dict(_named("", {key: value for key, value in metrics.items() if key != "panels"}))
    for panel, section in metrics.get("panels", {}).items():
        values.update(_named(panel, section))
    for output in manifest.outputs:
        if output.meaning != "probabilities":
            values[f"{output.panel}_grid"] = output.shape[0]
    values.update(
        name=manifest.name,
        version=manifest.version,
        created=manifest.created,
        preprocessing=manifest.preprocessing,
        size=manifest.film_input.shape[0],
        data=_data(manifest.training_data),
        below_validated="; ".join(filter(None, map(_below_validated, manifest.panels))) or "none",
        cautions="\n".join(f"- `{item.name}`: {item.caution}" for item in manifest.panels),
    )
    return tidy(Template(template).substitute(_Written(values)))


class _Written(Mapping[str, str]):
    """Writes a value when the template asks for it: most of a report is not in the card."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __getitem__(self, name: str) -> str:
        return markdown(self._values[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def _named(prefix: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Every value below this one by its name, itself included."""
    if prefix:
        yield prefix, value
    if isinstance(value, Mapping):
        for key, below in value.items():
            yield from _named(f"{prefix}_{key}" if prefix else str(key), below)


def _below_validated(panel: Panel) -> str:
    """Labels of a panel below the rank ``validated``; one word where every label of disease is."""
    below = [label.name for label in panel.labels if label.rank is not Rank.VALIDATED]
    findings = [label.name for label in panel.labels if label.abnormal]
    if findings and set(findings) <= set(below):
        return f"every finding of `{panel.name}`"
    return f"{', '.join(below)} of `{panel.name}`" if below else ""


def _data(rows: Sequence[Mapping[str, Any]]) -> str:
    return markdown(
        [
            {"source": row["source"], "licence": row["licence"], "recorded_label": label, **splits}
            for row in rows
            for label, splits in row["films"].items()
        ]
    )
