"""Installed models as the page shows them: ranks, scopes, operating points and figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hilum.domain.model import PanelKind, Rank
from hilum.domain.site_models import at_site
from hilum.domain.verdict import (
    EXPERIMENTAL,
    NO_POINT,
    predictive_value_of,
    predictive_words,
    reason_text,
)
from hilum_gateway.pages.card_text import Block, card_blocks
from hilum_gateway.pages.model_figures import Figure, figure_of, headline_figures

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hilum.application.ports.model_catalogue import ModelCatalogue
    from hilum.domain.model import Label, ModelManifest, OperatingPoint, Panel, Scope

_RANKS: Final[Mapping[Rank, str]] = {
    Rank.VALIDATED: "validated",
    Rank.EXPERIMENTAL: "experimental",
    Rank.NOT_SHOWN: "not shown",
}


@dataclass(frozen=True, slots=True)
class LabelRow:
    """One label of a panel.

    Attributes:
        label: The label.
        point: Its operating point, or None.
        auroc: Its area under the ROC curve, if measured.
        no_point: Why it has no operating point, in words; empty with one.
        meaning: What a positive verdict means at a stated prevalence; empty where unknown.
    """

    label: Label
    point: OperatingPoint | None
    auroc: Figure | None
    no_point: str = ""
    meaning: str = ""

    @property
    def rank(self) -> str:
        """Its rank in words."""
        return _RANKS[self.label.rank]

    @property
    def weak(self) -> bool:
        """Whether its manifest, of the release before ranks, says that its evidence is weak."""
        return self.label.weak and self.label.rank is Rank.VALIDATED


@dataclass(frozen=True, slots=True)
class PanelSheet:
    """One panel of a model: its labels, its scope and what was measured of it.

    Attributes:
        panel: The panel.
        rows: Its labels.
        figures: What was measured first.
        scope: Who it is valid for, as pairs of a name and words.
    """

    panel: Panel
    rows: tuple[LabelRow, ...]
    figures: tuple[Figure, ...]
    scope: tuple[tuple[str, str], ...] = ()

    @property
    def has_points(self) -> bool:
        """Whether its labels may have operating points."""
        return self.panel.kind is not PanelKind.STRUCTURES

    @property
    def has_ranks(self) -> bool:
        """Whether its labels can be findings."""
        return self.has_points and self.panel.kind is not PanelKind.GATE


@dataclass(frozen=True, slots=True)
class ModelSheet:
    """One installed version of a model.

    Attributes:
        manifest: With the operating points of the site where it analyses for it.
        in_force: It analyses the site's images.
        panels: Its panels.
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
    """List every installed version: what analyses for the site first, in the order of its panels.

    Raises:
        InvalidManifest: The model repository is not in order.
    """
    reading = catalogue.of_site(site).models
    known = {(model.name, model.version) for model in reading}
    others = [
        at_site(model, ())
        for model in catalogue.installed()
        if (model.name, model.version) not in known
    ]
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
    return PanelSheet(
        panel=panel,
        rows=tuple(_label_row(panel, label) for label in panel.labels),
        figures=tuple(headline_figures(panel.metrics)),
        scope=tuple(_scope_words(panel.scope)),
    )


def _label_row(panel: Panel, label: Label) -> LabelRow:
    point = panel.operating_point(label.name)
    labels = panel.metrics.get("labels")
    found = labels.get(label.name) if isinstance(labels, dict) else None
    measured = found if isinstance(found, dict) else {}
    return LabelRow(
        label=label,
        point=point,
        auroc=figure_of("AUROC", measured.get("auroc"), measured),
        no_point="" if point else _no_point(label, measured),
        meaning=predictive_words(label.prevalence, predictive_value_of(label, point)),
    )


def _no_point(label: Label, measured: Mapping[str, Any]) -> str:
    """Say why a label has no operating point: as measured, or by its rank."""
    written = measured.get("no_point")
    if isinstance(written, str) and written:
        return f"no operating point: {written}"
    return reason_text(NO_POINT if label.rank is Rank.VALIDATED else EXPERIMENTAL)


def _scope_words(scope: Scope) -> Iterable[tuple[str, str]]:
    """Yield what a scope says, as pairs of a name and words."""
    described = (
        ("Ages", scope.ages),
        ("Views", ", ".join(scope.views)),
        ("Not assessed", "; ".join(reason_text(limit.reason) for limit in scope.limits)),
        ("Trained on", ", ".join(scope.sources)),
        ("Never shown", ", ".join(scope.never_shown)),
    )
    return ((name, words) for name, words in described if words)
