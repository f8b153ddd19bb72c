"""Installed models as the page shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hilum_gateway.pages.card_text import Block, card_blocks
from hilum_gateway.pages.model_figures import Figure, figure_of, headline_figures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hilum.application.ports.model_catalogue import ModelCatalogue
    from hilum.domain.model import Label, ModelManifest, OperatingPoint, Panel


@dataclass(frozen=True, slots=True)
class LabelRow:
    """One label of a panel: its operating point, and its area under the ROC curve if measured."""

    label: Label
    point: OperatingPoint | None
    auroc: Figure | None


@dataclass(frozen=True, slots=True)
class PanelSheet:
    """One panel of a model: its labels and what was measured of it."""

    panel: Panel
    rows: tuple[LabelRow, ...]
    figures: tuple[Figure, ...]

    @property
    def has_points(self) -> bool:
        """Whether its labels have operating points."""
        return any(row.point for row in self.rows)


@dataclass(frozen=True, slots=True)
class ModelSheet:
    """One installed version of a model.

    Attributes:
        manifest: With the operating points of the site where it reads for it.
        in_force: It reads the site's films.
        panels: What it reads.
        card: Its card; empty where there is none.
    """

    manifest: ModelManifest
    in_force: bool
    panels: tuple[PanelSheet, ...]
    card: tuple[Block, ...]

    @property
    def anchor(self) -> str:
        """Where on the page it stands."""
        return f"{self.manifest.name}-{self.manifest.version}"


def model_sheets(catalogue: ModelCatalogue, site: str) -> list[ModelSheet]:
    """Every installed version: what reads for the site first, in the order of its panels.

    Raises:
        InvalidManifest: The model repository is not in order.
    """
    reading = catalogue.of_site(site).models
    known = {(model.name, model.version) for model in reading}
    others = [model for model in catalogue.installed() if (model.name, model.version) not in known]
    return [
        ModelSheet(
            manifest=model,
            in_force=(model.name, model.version) in known,
            panels=tuple(map(_panel_sheet, model.panels)),
            card=tuple(card_blocks(catalogue.card(model))),
        )
        for model in (*reading, *_newest_first(others))
    ]


def _newest_first(models: Sequence[ModelManifest]) -> list[ModelManifest]:
    by_version = sorted(models, key=lambda model: -model.serving_version)
    return sorted(by_version, key=lambda model: model.name)


def _panel_sheet(panel: Panel) -> PanelSheet:
    points = {point.label: point for point in panel.operating_points}
    measured = panel.metrics.get("labels")
    return PanelSheet(
        panel=panel,
        rows=tuple(
            LabelRow(label, points.get(label.name), _auroc(measured, label.name))
            for label in panel.labels
        ),
        figures=tuple(headline_figures(panel.metrics)),
    )


def _auroc(measured: Any, label: str) -> Figure | None:
    row = measured.get(label) if isinstance(measured, dict) else None
    return figure_of("AUROC", row.get("auroc"), row) if isinstance(row, dict) else None
