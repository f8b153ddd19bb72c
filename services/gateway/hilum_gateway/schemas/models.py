"""The JSON of what is served: models, panels, operating points, files."""

from typing import Any, Self

from pydantic import BaseModel, Field

from hilum.domain.model import (
    Artefact,
    Label,
    ModelManifest,
    OperatingPoint,
    Panel,
    PanelKind,
    Rank,
    Scope,
    ScopeLimit,
    TensorSpec,
)
from hilum.domain.verdict import predictive_value_of, reason_text
from hilum_gateway import NOTICE
from hilum_gateway.schemas.results import CodeBody


class LabelBody(BaseModel):
    """One label, with its operating point.

    A structure has none, and neither has a label that the evidence does not carry:
    ``operating_point`` is null.
    """

    label: str
    display: str
    code: CodeBody | None
    rank: Rank = Field(description="How far the evidence carries the label.")
    weak: bool = Field(description="Superseded by `rank`.")
    abnormal: bool
    operating_point: float | None
    child_operating_point: float | None = Field(
        description="The operating point for images of small children, where it differs."
    )
    sensitivity: float | None
    specificity: float | None
    fitted_on: str = Field(description="Which images the operating point was fitted on.")
    beyond_scope: list[str] = Field(
        description="Stable codes of why an image may lie outside the panel's scope and yet have a "
        "verdict. The site fitted the operating point on its own images of that kind."
    )
    prevalence: float | None = Field(
        description="Share of images with the finding for which `predictive_value` holds."
    )
    predictive_value: float | None = Field(
        description="Share of positive verdicts that are right at that prevalence."
    )

    @classmethod
    def of(cls, label: Label, point: OperatingPoint | None) -> Self:
        """Make it from a label and its operating point."""
        return cls(
            label=label.name,
            display=label.display,
            code=CodeBody.of(label.code),
            rank=label.rank,
            weak=label.weak,
            abnormal=label.abnormal,
            operating_point=point.threshold if point else None,
            child_operating_point=point.child_threshold if point else None,
            sensitivity=point.sensitivity if point else None,
            specificity=point.specificity if point else None,
            fitted_on=point.fitted_on if point else "",
            beyond_scope=list(point.beyond_scope) if point else [],
            prevalence=label.prevalence,
            predictive_value=predictive_value_of(label, point),
        )


class ScopeLimitBody(BaseModel):
    """A bound on a measure of the pixels. Beyond it, ``reason`` is why nothing is assessed."""

    measure: str
    at_most: float
    reason: str
    reason_text: str

    @classmethod
    def of(cls, limit: ScopeLimit) -> Self:
        """Make it from a bound."""
        return cls(
            measure=limit.measure,
            at_most=limit.at_most,
            reason=limit.reason,
            reason_text=reason_text(limit.reason),
        )


class ScopeBody(BaseModel):
    """The population that the operating points of a panel are valid for."""

    minimum_age: float | None = Field(description="Years, or null without a bound.")
    maximum_age: float | None = Field(description="Years, or null without a bound.")
    views: list[str] = Field(
        description="Accepted values of View Position (0018,5101). Empty accepts all."
    )
    limits: list[ScopeLimitBody]
    sources: list[str] = Field(description="Sources of the training images, for people.")
    never_shown: list[str] = Field(description="Who was not among them, for people.")
    child_above: float | None = Field(
        description="Value of the measure `child` above which an image counts as a small child's."
    )

    @classmethod
    def of(cls, scope: Scope) -> Self:
        """Make it from a scope."""
        return cls(
            minimum_age=scope.minimum_age,
            maximum_age=scope.maximum_age,
            views=list(scope.views),
            limits=[ScopeLimitBody.of(limit) for limit in scope.limits],
            sources=list(scope.sources),
            never_shown=list(scope.never_shown),
            child_above=scope.child_above,
        )


class ServedPanelBody(BaseModel):
    """One panel of a model, with its scope and what was measured of it."""

    panel: str
    display: str
    kind: PanelKind
    caution: str
    scope: ScopeBody
    labels: list[LabelBody]
    calibration: dict[str, Any]
    metrics: dict[str, Any]

    @classmethod
    def of(cls, panel: Panel) -> Self:
        """Make it from a panel."""
        return cls(
            panel=panel.name,
            display=panel.display,
            kind=panel.kind,
            caution=panel.caution,
            scope=ScopeBody.of(panel.scope),
            labels=[
                LabelBody.of(label, panel.operating_point(label.name)) for label in panel.labels
            ],
            calibration=dict(panel.calibration),
            metrics=dict(panel.metrics),
        )


class ModelBody(BaseModel):
    """A served model, from its manifest and its card (Markdown)."""

    model: str
    version: str
    serving_version: int
    panels: list[ServedPanelBody]
    scope_measures: list[str] = Field(description="What the model measures of the population.")
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
            scope_measures=list(manifest.scope_measures),
            preprocessing=manifest.preprocessing,
            training_data=[dict(source) for source in manifest.training_data],
            created=manifest.created,
            card=card,
        )


class ModelSetBody(BaseModel):
    """The models in force at a site. Research use only, not for diagnosis."""

    notice: str = NOTICE
    site: str
    model_set: str
    models: list[ModelBody]


class ArtefactBody(BaseModel):
    """A file of a model, with the digest that is checked before it is loaded."""

    path: str
    sha256: str
    size_bytes: int

    @classmethod
    def of(cls, artefact: Artefact) -> Self:
        """Of a file."""
        return cls(path=artefact.path, sha256=artefact.sha256, size_bytes=artefact.size_bytes)


class TensorBody(BaseModel):
    """An input or output of the graph; the shape is without the batch axis."""

    name: str
    shape: list[int]
    dtype: str
    meaning: str
    panel: str

    @classmethod
    def of(cls, spec: TensorSpec) -> Self:
        """Of a tensor."""
        return cls(
            name=spec.name,
            shape=list(spec.shape),
            dtype=spec.dtype,
            meaning=spec.meaning,
            panel=spec.panel,
        )


class ModelLinksBody(BaseModel):
    """Where to go from a version of a model; paths on this server."""

    self_: str = Field(serialization_alias="self", validation_alias="self")
    card: str
    metrics: str


class ModelDetailBody(ModelBody):
    """One version of a model: all of its manifest, with the operating points of a site.

    `in_force` says whether the site reads with this version; `installed` lists what else there is.
    """

    notice: str = NOTICE
    site: str
    in_force: bool
    installed: list[str]
    artefacts: list[ArtefactBody]
    inputs: list[TensorBody]
    outputs: list[TensorBody]
    links: ModelLinksBody

    @classmethod
    def of_version(
        cls, manifest: ModelManifest, card: str, *, site: str, in_force: bool, installed: list[str]
    ) -> Self:
        """Of a version, as a site has it."""
        here, which = f"/v1/models/{manifest.name}", f"?version={manifest.version}"
        links = {
            "self": here + which,
            "card": f"{here}/card{which}",
            "metrics": f"{here}/metrics{which}",
        }
        return cls(
            **dict(ModelBody.of(manifest, card)),
            site=site,
            in_force=in_force,
            installed=installed,
            artefacts=[ArtefactBody.of(artefact) for artefact in manifest.artefacts],
            inputs=[TensorBody.of(spec) for spec in manifest.inputs],
            outputs=[TensorBody.of(spec) for spec in manifest.outputs],
            links=ModelLinksBody(**links),
        )


class MetricsBody(BaseModel):
    """What was measured of each panel of a version, with intervals and on which films.

    Research use only, not for diagnosis.
    """

    notice: str = NOTICE
    model: str
    version: str
    panels: dict[str, dict[str, Any]]

    @classmethod
    def of(cls, manifest: ModelManifest) -> Self:
        """Of a manifest."""
        return cls(
            model=manifest.name,
            version=manifest.version,
            panels={panel.name: dict(panel.metrics) for panel in manifest.panels},
        )
