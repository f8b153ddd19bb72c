"""What a film showed: findings by panel, with the evidence kept for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from hilum.domain.model import CodedConcept


@dataclass(frozen=True, slots=True)
class Finding:
    """One label of one panel.

    Attributes:
        label: Stable identifier, e.g. ``pneumonia_bacterial``.
        display: For people.
        probability: Calibrated, in [0, 1].
        operating_point: Threshold in [0, 1] that was in force.
        positive: ``probability >= operating_point``.
        abnormal: Whether a positive reading is a finding (``normal`` is not).
        weak: The evidence does not carry this label.
        code: Coded concept, where there is one.
    """

    label: str
    display: str
    probability: float
    operating_point: float
    positive: bool
    abnormal: bool
    weak: bool
    code: CodedConcept | None = None


@dataclass(frozen=True, slots=True)
class PanelReading:
    """The findings of one panel, in the model's label order, and the model that gave them."""

    panel: str
    model: str
    version: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Heatmap:
    """A class activation map, quantised for storage.

    Attributes:
        panel: Panel name.
        label: Label name.
        rows: Grid rows; the grid spans the whole film.
        columns: Grid columns.
        values: rows * columns bytes, row-major, 255 the strongest cell of this map.
        scale: Activation (logit units) of the value 255.
    """

    panel: str
    label: str
    rows: int
    columns: int
    values: bytes
    scale: float


@dataclass(frozen=True, slots=True)
class Analysis:
    """The result of a job, written once.

    Attributes:
        job_id: The job.
        model_set: Version of the model set that read the film.
        panels: Readings.
        heatmaps: One per panel and label.
        rows: Rows of the film.
        columns: Columns of the film.
        created_at: UTC.
        inverted: The film was displayed as its own negative, and was turned before it was read.
    """

    job_id: UUID
    model_set: str
    panels: tuple[PanelReading, ...]
    heatmaps: tuple[Heatmap, ...]
    rows: int
    columns: int
    created_at: datetime
    inverted: bool = False
