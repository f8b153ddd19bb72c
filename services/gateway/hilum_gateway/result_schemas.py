"""The JSON of a result: findings, structures, and what the gate said.

Places are in film pixels: x is a column, y a row, from the upper left corner of the film as it is
displayed (turned upright where ``inverted`` says so). Sides are the patient's.
"""

from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field

from hilum.application.reading import passes
from hilum.domain.finding import (
    Analysis,
    Box,
    CardiothoracicRatio,
    Finding,
    PanelReading,
    Structure,
    StructuresReading,
)
from hilum.domain.model import CodedConcept, PanelKind
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
    """Where the evidence for a finding lies; ``score`` is the strongest activation in it."""

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

    ``heatmap`` is the path of the overlay picture and ``boxes`` are the places where the evidence
    lies, the strongest first; both are kept of what is positive and abnormal.
    """

    label: str
    display: str
    code: CodeBody | None
    probability: float
    operating_point: float
    positive: bool
    abnormal: bool
    weak: bool
    heatmap: str | None
    boxes: list[BoxBody]

    @classmethod
    def of(cls, job_id: UUID, panel: str, finding: Finding) -> Self:
        """Of one finding."""
        heatmap = f"/v1/jobs/{job_id}/heatmaps/{panel}/{finding.label}.png"
        return cls(
            label=finding.label,
            display=finding.display,
            code=CodeBody.of(finding.code),
            probability=finding.probability,
            operating_point=finding.operating_point,
            positive=finding.positive,
            abnormal=finding.abnormal,
            weak=finding.weak,
            heatmap=heatmap if finding.heatmap else None,
            boxes=[BoxBody.of(box) for box in finding.boxes],
        )


class PanelBody(BaseModel):
    """What a model read for one panel.

    ``kind`` says how the probabilities belong together: ``single_label`` ones sum to 1,
    ``multi_label`` ones are each of its own. ``caution`` is to be shown with the panel.
    """

    panel: str
    display: str
    kind: PanelKind
    caution: str
    model: str
    version: str
    findings: list[FindingBody]

    @classmethod
    def of(cls, job_id: UUID, panel: PanelReading) -> Self:
        """Of one panel."""
        return cls(
            panel=panel.panel,
            display=panel.display or panel.panel.replace("_", " ").capitalize(),
            kind=panel.kind,
            caution=panel.caution,
            model=panel.model,
            version=panel.version,
            findings=[FindingBody.of(job_id, panel.panel, item) for item in panel.findings],
        )


class GateScoreBody(BaseModel):
    """How probable one label of the gate is."""

    label: str
    display: str
    probability: float
    operating_point: float

    @classmethod
    def of(cls, finding: Finding) -> Self:
        """Of one label."""
        return cls(
            label=finding.label,
            display=finding.display,
            probability=finding.probability,
            operating_point=finding.operating_point,
        )


class GateBody(BaseModel):
    """Whether a film is a frontal chest X-ray at all.

    It ``passed`` if ``frontal`` reached its operating point. Nothing else is read of a film that
    did not.
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

    ``area_share`` is its share of the film's area. ``flags`` make it doubtful.
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
    """What the models read. Research use only, not for diagnosis."""

    notice: str = NOTICE
    model_set: str
    rows: int
    columns: int
    inverted: bool = Field(
        description="The film was displayed as its own negative, and was turned before it was read."
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
            inverted=analysis.inverted,
            panels=[PanelBody.of(analysis.job_id, panel) for panel in analysis.panels],
            structures=[
                StructuresBody.of(analysis.job_id, reading) for reading in analysis.structures
            ],
        )
