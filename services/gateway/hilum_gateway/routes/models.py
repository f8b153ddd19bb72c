"""``GET /v1/models``: what reads the films, and how well."""

from typing import Any, Self

from fastapi import APIRouter
from pydantic import BaseModel

from hilum.domain.model import Label, ModelManifest, OperatingPoint, Panel, PanelKind
from hilum_gateway import NOTICE
from hilum_gateway.authentication import KeyOf
from hilum_gateway.dependencies import ContainerOf
from hilum_gateway.result_schemas import CodeBody
from hilum_gateway.routes.descriptions import PROBLEMS

router = APIRouter(prefix="/v1/models", tags=["models"], responses=PROBLEMS)


class LabelBody(BaseModel):
    """One label, with the threshold at and above which it is read as positive.

    A structure has none: ``operating_point`` is null.
    """

    label: str
    display: str
    code: CodeBody | None
    weak: bool
    abnormal: bool
    operating_point: float | None
    sensitivity: float | None
    specificity: float | None
    fitted_on: str

    @classmethod
    def of(cls, label: Label, point: OperatingPoint | None) -> Self:
        """Of a label and its operating point."""
        return cls(
            label=label.name,
            display=label.display,
            code=CodeBody.of(label.code),
            weak=label.weak,
            abnormal=label.abnormal,
            operating_point=point.threshold if point else None,
            sensitivity=point.sensitivity if point else None,
            specificity=point.specificity if point else None,
            fitted_on=point.fitted_on if point else "",
        )


class ServedPanelBody(BaseModel):
    """One panel of a model, with what was measured of it."""

    panel: str
    display: str
    kind: PanelKind
    caution: str
    labels: list[LabelBody]
    calibration: dict[str, Any]
    metrics: dict[str, Any]

    @classmethod
    def of(cls, panel: Panel) -> Self:
        """Of a panel."""
        points = {point.label: point for point in panel.operating_points}
        return cls(
            panel=panel.name,
            display=panel.display,
            kind=panel.kind,
            caution=panel.caution,
            labels=[LabelBody.of(label, points.get(label.name)) for label in panel.labels],
            calibration=dict(panel.calibration),
            metrics=dict(panel.metrics),
        )


class ModelBody(BaseModel):
    """A served model, from its manifest and its card (Markdown)."""

    model: str
    version: str
    serving_version: int
    panels: list[ServedPanelBody]
    preprocessing: str
    training_data: list[dict[str, Any]]
    created: str
    card: str

    @classmethod
    def of(cls, manifest: ModelManifest, card: str) -> Self:
        """Of a manifest and a card."""
        return cls(
            model=manifest.name,
            version=manifest.version,
            serving_version=manifest.serving_version,
            panels=[ServedPanelBody.of(panel) for panel in manifest.panels],
            preprocessing=manifest.preprocessing,
            training_data=[dict(source) for source in manifest.training_data],
            created=manifest.created,
            card=card,
        )


class ModelSetBody(BaseModel):
    """The models in force. Research use only, not for diagnosis."""

    notice: str = NOTICE
    model_set: str
    models: list[ModelBody]


@router.get("", summary="What is served")
def models(container: ContainerOf, key: KeyOf) -> ModelSetBody:
    """The model set that reads new films, with versions, operating points and measured metrics."""
    del key
    catalogue = container.catalogue
    current = catalogue.current()
    return ModelSetBody(
        model_set=current.version,
        models=[ModelBody.of(model, catalogue.card(model)) for model in current.models],
    )
