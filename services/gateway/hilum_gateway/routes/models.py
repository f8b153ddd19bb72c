"""``GET /v1/models``: what reads the films, and how well."""

from typing import Any, Self

from fastapi import APIRouter
from pydantic import BaseModel

from hilum.domain.model import Label, ModelManifest, OperatingPoint
from hilum_gateway import NOTICE
from hilum_gateway.authentication import KeyOf
from hilum_gateway.dependencies import ContainerOf
from hilum_gateway.routes.descriptions import PROBLEMS
from hilum_gateway.schemas import CodeBody

router = APIRouter(prefix="/v1/models", tags=["models"], responses=PROBLEMS)


class LabelBody(BaseModel):
    """One label, with the threshold at and above which it is read as positive."""

    label: str
    display: str
    code: CodeBody | None
    weak: bool
    abnormal: bool
    operating_point: float
    sensitivity: float | None
    specificity: float | None
    fitted_on: str

    @classmethod
    def of(cls, label: Label, point: OperatingPoint) -> Self:
        """Of a label and its operating point."""
        return cls(
            label=label.name,
            display=label.display,
            code=CodeBody.of(label.code),
            weak=label.weak,
            abnormal=label.abnormal,
            operating_point=point.threshold,
            sensitivity=point.sensitivity,
            specificity=point.specificity,
            fitted_on=point.fitted_on,
        )


class ModelBody(BaseModel):
    """A served model, from its manifest and its card (Markdown)."""

    model: str
    version: str
    serving_version: int
    panel: str
    labels: list[LabelBody]
    preprocessing: str
    calibration: dict[str, Any]
    metrics: dict[str, Any]
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
            panel=manifest.panel,
            labels=[
                LabelBody.of(label, manifest.operating_point(label.name))
                for label in manifest.labels
            ],
            preprocessing=manifest.preprocessing,
            calibration=dict(manifest.calibration),
            metrics=dict(manifest.metrics),
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
