"""The JSON of a result: the impression, findings, structures, and the scores of the gate.

Places are in image pixels: x is a column, y a row, from the upper left corner of the image as it is
stored, also where it was mirrored or flipped for analysis. Sides are the patient's.
"""

from typing import Literal, Self, cast
from uuid import UUID

from pydantic import BaseModel, Field

from hilum.application.analysis.gate import passes
from hilum.domain.finding import (
    Analysis,
    Box,
    CardiothoracicRatio,
    Finding,
    PanelReading,
    Structure,
    StructuresReading,
)
from hilum.domain.impression import Impression, ImpressionKind, NamedFinding
from hilum.domain.model import CodedConcept, PanelKind, Rank
from hilum.domain.verdict import reason_text
from hilum_gateway import NOTICE


class CodeBody(BaseModel):
    """A code from a terminology."""

    scheme: str
    value: str
    meaning: str

    @classmethod
    def of(cls, concept: CodedConcept | None) -> Self | None:
        """Of a coded concept, where there is one."""
        if concept is None:
            return None
        return cls(scheme=concept.scheme, value=concept.value, meaning=concept.meaning)


class BoxBody(BaseModel):
    """A localisation box. ``score`` is the strongest activation in it."""

    x: float
    y: float
    width: float
    height: float
    score: float

    @classmethod
    def of(cls, box: Box) -> Self:
        """Of a box."""
        return cls(x=box.x, y=box.y, width=box.width, height=box.height, score=box.score)


class FindingBody(BaseModel):
    """One label of a panel.

    ``assessment`` is the verdict. ``positive`` says the same: null means ``not_assessed``.
    ``heatmap`` is the path of the overlay and ``boxes`` are its strongest parts, the strongest
    first. Both are kept of what is positive and abnormal.
    """

    label: str
    display: str
    code: CodeBody | None
    probability: float
    operating_point: float | None = Field(
        description="Active operating point: the probability from which the label is positive."
    )
    positive: bool | None = Field(description="Null where the label was not assessed.")
    assessment: Literal["positive", "negative", "not_assessed"]
    reason: str = Field(
        description="Stable code of why the label was not assessed. Empty where it was."
    )
    reason_text: str = Field(description='`reason` in words that follow "Not assessed:".')
    rank: Rank = Field(
        description="How far the evidence carries the label. "
        "A client folds `experimental` away and does not show `not_shown`."
    )
    abnormal: bool
    weak: bool = Field(description="Superseded by `rank`.")
    heatmap: str | None
    boxes: list[BoxBody]
    map_in_lungs: float | None = Field(
        description="Share of the heatmap that lies in the lungs, in [0, 1]."
    )
    outside_lungs: bool | None = Field(
        description="Whether most of the heatmap lies outside the lungs. It then has no boxes. "
        "Null without a heatmap or without outlines of the lungs."
    )
    prevalence: float | None = Field(
        description="Share of images with the finding for which `predictive_value` holds."
    )
    predictive_value: float | None = Field(
        description="Share of positive verdicts that are right at that prevalence."
    )

    @classmethod
    def of(cls, job_id: UUID, panel: str, finding: Finding) -> Self:
        """Make it from one finding."""
        heatmap = f"/v1/jobs/{job_id}/heatmaps/{panel}/{finding.label}.png"
        return cls(
            label=finding.label,
            display=finding.display,
            code=CodeBody.of(finding.code),
            probability=finding.probability,
            operating_point=finding.operating_point,
            positive=finding.positive,
            assessment=cast('Literal["positive", "negative", "not_assessed"]', finding.assessment),
            reason=finding.reason,
            reason_text=reason_text(finding.reason),
            rank=finding.rank,
            abnormal=finding.abnormal,
            weak=finding.weak,
            heatmap=heatmap if finding.heatmap else None,
            boxes=[BoxBody.of(box) for box in finding.boxes],
            map_in_lungs=finding.map_in_lungs,
            outside_lungs=finding.outside_lungs,
            prevalence=finding.prevalence,
            predictive_value=finding.predictive_value,
        )


class PanelBody(BaseModel):
    """The findings of one panel.

    ``kind`` says how the probabilities belong together: ``single_label`` ones sum to 1,
    ``multi_label`` ones are each of its own. ``caution`` is to be shown with the panel.
    """

    panel: str
    display: str
    kind: PanelKind
    caution: str
    in_scope: bool = Field(
        description="Whether the image belongs to the population that the panel is valid for. "
        "Outside of it the probabilities stay, and no label is assessed but those for which the "
        "site has an operating point that was fitted there."
    )
    scope_reason: str = Field(
        description="Stable code of why the image lies out of scope. Empty where it does not."
    )
    scope_reason_text: str = Field(
        description='`scope_reason` in words that follow "Not assessed:".'
    )
    child: bool = Field(
        description="Whether the operating points for images of small children were applied."
    )
    model: str
    version: str
    findings: list[FindingBody]

    @classmethod
    def of(cls, job_id: UUID, panel: PanelReading) -> Self:
        """Make it from one panel."""
        return cls(
            panel=panel.panel,
            display=panel.title,
            kind=panel.kind,
            caution=panel.caution,
            in_scope=not panel.scope_reason,
            scope_reason=panel.scope_reason,
            scope_reason_text=reason_text(panel.scope_reason),
            child=panel.child,
            model=panel.model,
            version=panel.version,
            findings=[FindingBody.of(job_id, panel.panel, item) for item in panel.findings],
        )


class NamedFindingBody(BaseModel):
    """A positive finding that the impression names."""

    panel: str
    label: str
    display: str
    probability: float

    @classmethod
    def of(cls, named: NamedFinding) -> Self:
        """Make it from a named finding."""
        return cls(
            panel=named.panel,
            label=named.label,
            display=named.display,
            probability=named.probability,
        )


class ImpressionBody(BaseModel):
    """The one answer of an analysis, to be shown first.

    ``no_finding``: every label that was assessed is negative. ``finding``: at least one is
    positive. ``undetermined``: no label that could be a finding was assessed.
    """

    kind: ImpressionKind
    text: str = Field(description="One line for people.")
    reason: str = Field(description="Stable code of why it is `undetermined`, otherwise empty.")
    findings: list[NamedFindingBody] = Field(description="The surest first.")

    @classmethod
    def of(cls, impression: Impression | None) -> Self | None:
        """Make it from an impression, where there is one."""
        if impression is None:
            return None
        return cls(
            kind=impression.kind,
            text=impression.text,
            reason=impression.reason,
            findings=[NamedFindingBody.of(named) for named in impression.findings],
        )


class GateScoreBody(BaseModel):
    """Probability of one label of the gate."""

    label: str
    display: str
    probability: float
    operating_point: float

    @classmethod
    def of(cls, finding: Finding) -> Self:
        """Make it from one label. A gate has an operating point for each."""
        return cls(
            label=finding.label,
            display=finding.display,
            probability=finding.probability,
            operating_point=cast("float", finding.operating_point),
        )


class GateBody(BaseModel):
    """Whether an image is a frontal chest radiograph at all.

    It ``passed`` if ``frontal`` reached its operating point. An image that did not is not analysed.
    """

    passed: bool
    model: str
    version: str
    scores: list[GateScoreBody]

    @classmethod
    def of(cls, gate: PanelReading) -> Self:
        """Of the gate's reading."""
        return cls(
            passed=passes(gate),
            model=gate.model,
            version=gate.version,
            scores=[GateScoreBody.of(finding) for finding in gate.findings],
        )


class StructureBody(BaseModel):
    """One structure: closed polygons of ``[x, y]``, the largest first, none if it was not seen.

    ``area_share`` is its share of the image's area. ``flags`` make it doubtful.
    """

    label: str
    display: str
    outlines: list[list[tuple[float, float]]]
    area_share: float
    flags: list[str]

    @classmethod
    def of(cls, structure: Structure) -> Self:
        """Of one structure."""
        return cls(
            label=structure.label,
            display=structure.display,
            outlines=[list(outline) for outline in structure.outlines],
            area_share=structure.area_share,
            flags=list(structure.flags),
        )


class CardiothoracicRatioBody(BaseModel):
    """Greatest width of the heart over greatest width of the thorax, and how it was had.

    ``heart`` and ``thorax`` are the x of the borders. Without a ``value``, ``reason`` says why.
    """

    value: float | None
    method: str
    reason: str
    heart: tuple[float, float] | None
    thorax: tuple[float, float] | None

    @classmethod
    def of(cls, ratio: CardiothoracicRatio) -> Self:
        """Of a ratio."""
        return cls(
            value=ratio.value,
            method=ratio.method,
            reason=ratio.reason,
            heart=ratio.heart,
            thorax=ratio.thorax,
        )


class StructuresBody(BaseModel):
    """What a model outlined. ``picture`` is the path of the outlines as SVG."""

    panel: str
    display: str
    caution: str
    model: str
    version: str
    structures: list[StructureBody]
    cardiothoracic_ratio: CardiothoracicRatioBody
    picture: str

    @classmethod
    def of(cls, job_id: UUID, reading: StructuresReading) -> Self:
        """Of one panel of structures."""
        return cls(
            panel=reading.panel,
            display=reading.display,
            caution=reading.caution,
            model=reading.model,
            version=reading.version,
            structures=[StructureBody.of(structure) for structure in reading.structures],
            cardiothoracic_ratio=CardiothoracicRatioBody.of(reading.cardiothoracic),
            picture=f"/v1/jobs/{job_id}/outlines/{reading.panel}.svg",
        )


class ResultBody(BaseModel):
    """The result of an analysis. Research use only, not for diagnosis."""

    notice: str = NOTICE
    model_set: str
    rows: int
    columns: int
    pixel_aspect: float = Field(
        description="Height of a pixel over its width. Boxes and outlines are in stored pixels, "
        "and pictures have square pixels: scale x and y each by the size of the picture."
    )
    inverted: bool = Field(
        description="The grey scale was inverted before analysis. The displayed image is inverted, "
        "not rotated or mirrored."
    )
    impression: ImpressionBody | None = Field(
        description="To be shown first. Null in results of releases before 0.3.0."
    )
    panels: list[PanelBody]
    structures: list[StructuresBody]

    @classmethod
    def of(cls, analysis: Analysis) -> Self:
        """Of a result."""
        return cls(
            model_set=analysis.model_set,
            rows=analysis.rows,
            columns=analysis.columns,
            pixel_aspect=analysis.pixel_aspect,
            inverted=analysis.inverted,
            impression=ImpressionBody.of(analysis.impression),
            panels=[PanelBody.of(analysis.job_id, panel) for panel in analysis.panels],
            structures=[
                StructuresBody.of(analysis.job_id, reading) for reading in analysis.structures
            ],
        )
