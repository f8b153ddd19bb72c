"""What a film showed: findings and structures by panel, with the evidence kept for each.

Places on a film are in film pixels: x is a column, y a row, both from the upper left corner of the
film as it is stored (a photograph: as its EXIF orientation shows it).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hilum.domain.model import PanelKind, Rank

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from hilum.domain.impression import Impression
    from hilum.domain.model import CodedConcept

LEAST_IN_LUNGS: Final = 0.5
"""Share of a heatmap's positive mass; below it the heatmap lies outside the lungs."""


@dataclass(frozen=True, slots=True)
class Box:
    """Where on the film the evidence for a finding lies.

    Attributes:
        x, y: Left and upper edge, film pixels.
        width, height: Film pixels, above 0.
        score: Largest activation inside, logit units.
    """

    x: float
    y: float
    width: float
    height: float
    score: float


@dataclass(frozen=True, slots=True)
class Finding:
    """One label of one panel.

    Attributes:
        label: Stable identifier, e.g. ``pneumonia_bacterial``.
        display: For people.
        probability: Calibrated, in [0, 1].
        operating_point: Threshold in [0, 1] that was active; None where none was.
        positive: The verdict; see :func:`hilum.domain.verdict.named_labels`. None: not assessed.
        abnormal: Whether a positive verdict is a finding (``normal`` is not).
        weak: The evidence does not carry this label.
        code: Coded concept, where there is one.
        heatmap: Whether a heatmap of it is kept.
        boxes: Where its evidence lies, the strongest first; only of what is positive and abnormal,
            and not where the map lies outside the lungs.
        rank: How far the evidence carries the label.
        reason: Why it was not assessed: a key of :data:`hilum.domain.scope.REASONS`,
            ``no_operating_point`` or ``experimental_label``; empty where it was.
        map_in_lungs: Share of the heatmap's positive mass that lies in the lungs, in [0, 1]; None
            without a heatmap or without lungs.
        prevalence: Share of images with the finding for which ``predictive_value`` holds, or None.
        predictive_value: Share of positive verdicts that are right at that prevalence, or None.
    """

    label: str
    display: str
    probability: float
    operating_point: float | None
    positive: bool | None
    abnormal: bool
    weak: bool
    code: CodedConcept | None = None
    heatmap: bool = False
    boxes: tuple[Box, ...] = ()
    rank: Rank = Rank.VALIDATED
    reason: str = ""
    map_in_lungs: float | None = None
    prevalence: float | None = None
    predictive_value: float | None = None

    @property
    def outside_lungs(self) -> bool | None:
        """Whether most of its heatmap lies outside the lungs; None where that is not known."""
        return None if self.map_in_lungs is None else self.map_in_lungs < LEAST_IN_LUNGS

    @property
    def assessment(self) -> str:
        """``positive``, ``negative`` or ``not_assessed``."""
        if self.positive is None:
            return "not_assessed"
        return "positive" if self.positive else "negative"


@dataclass(frozen=True, slots=True)
class PanelReading:
    """The findings of one panel and the model that gave them.

    Attributes:
        panel: Panel name.
        model: Model name.
        version: Version of the model's weights.
        findings: In the panel's label order.
        display: The panel for people; empty in results of releases that did not keep it.
        kind: How its probabilities are read.
        caution: One sentence that is shown with the panel, or empty.
        scope_reason: Why the image lies outside the panel's scope, a key of
            :data:`hilum.domain.scope.REASONS`; empty inside.
        child: The operating points for images of small children were applied.
    """

    panel: str
    model: str
    version: str
    findings: tuple[Finding, ...]
    display: str = ""
    kind: PanelKind = PanelKind.SINGLE_LABEL
    caution: str = ""
    scope_reason: str = ""
    child: bool = False

    @property
    def title(self) -> str:
        """The panel for people, also in results that did not keep its name."""
        return self.display or self.panel.replace("_", " ").capitalize()

    @property
    def judged(self) -> tuple[Finding, ...]:
        """What can be a finding and may be shown: the labels that an impression is drawn from."""
        return tuple(
            finding
            for finding in self.findings
            if finding.abnormal and finding.rank is not Rank.NOT_SHOWN
        )

    @property
    def not_assessed(self) -> str:
        """The cause for which the image lies outside the scope, if no verdict was given despite it.

        A site may have an operating point that holds there, too.
        """
        given = any(finding.positive is not None for finding in self.judged)
        return "" if given else self.scope_reason

    def finding(self, label: str) -> Finding | None:
        """The finding of this label, or None."""
        return next((finding for finding in self.findings if finding.label == label), None)

    @property
    def leading(self) -> Finding:
        """The most probable finding."""
        return max(self.findings, key=lambda finding: finding.probability)


@dataclass(frozen=True, slots=True)
class Structure:
    """One anatomical structure as a model outlined it.

    Attributes:
        label: Stable identifier, e.g. ``right_lung``: sides are the patient's.
        display: For people.
        outlines: Closed polygons, each a tuple of corners (x, y) in film pixels, the largest first;
            empty where the structure was not seen.
        area_share: Its share of the film's area, in [0, 1].
        flags: What makes it doubtful, e.g. ``absent`` or ``tiny``; see :mod:`hilum.imaging.lungs`.
    """

    label: str
    display: str
    outlines: tuple[tuple[tuple[float, float], ...], ...]
    area_share: float
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CardiothoracicRatio:
    """Greatest width of the heart over greatest width of the thorax.

    Attributes:
        value: The ratio, or None where it cannot be measured.
        method: How it was measured; empty without a value.
        reason: Why there is no value, in words; empty with one.
        heart: x of the heart's two borders in film pixels, left to right in the picture.
        thorax: x of the outermost points of the two lung fields, likewise.
    """

    value: float | None = None
    method: str = ""
    reason: str = ""
    heart: tuple[float, float] | None = None
    thorax: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class StructuresReading:
    """The structures of one panel and the model that outlined them.

    Attributes:
        panel: Panel name.
        model: Model name.
        version: Version of the model's weights.
        structures: In the panel's label order.
        cardiothoracic: Of the panel's lungs and heart.
        display: The panel for people.
        caution: One sentence that is shown with the panel, or empty.
    """

    panel: str
    model: str
    version: str
    structures: tuple[Structure, ...]
    cardiothoracic: CardiothoracicRatio
    display: str = ""
    caution: str = ""


@dataclass(frozen=True, slots=True)
class Heatmap:
    """A class activation map, quantised for storage.

    Attributes:
        panel: Panel name.
        label: Label name.
        rows: Grid rows; the grid spans the whole film.
        columns: Grid columns.
        values: rows * columns bytes, row-major, 255 the strongest cell of this map.
        scale: Activation (logit units) of one step.
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
        panels: Readings, the gate's not among them.
        heatmaps: Of the findings that say so.
        rows: Rows of the film.
        columns: Columns of the film.
        created_at: UTC.
        inverted: The grey scale was inverted before analysis.
        gate: What the gate said of the film; None where the model set had none.
        structures: Readings of the panels that outline structures.
        impression: What is said first; None in results of releases that drew none.
        pixel_aspect: Height of a stored pixel over its width.
    """

    job_id: UUID
    model_set: str
    panels: tuple[PanelReading, ...]
    heatmaps: tuple[Heatmap, ...]
    rows: int
    columns: int
    created_at: datetime
    inverted: bool = False
    gate: PanelReading | None = None
    structures: tuple[StructuresReading, ...] = ()
    impression: Impression | None = None
    pixel_aspect: float = 1.0


@dataclass(frozen=True, slots=True)
class ResultOverview:
    """What a list shows of a result.

    Attributes:
        panels: Readings, the gate's not among them.
        impression: What is said first; None in results of releases that drew none.
    """

    panels: tuple[PanelReading, ...]
    impression: Impression | None


@dataclass(frozen=True, slots=True)
class GateRecord:
    """What the gate said of a film that it did not let through, written once.

    Attributes:
        job_id: The job, which is rejected.
        model_set: Version of the model set that looked at the film.
        reading: The gate's scores.
        created_at: UTC.
    """

    job_id: UUID
    model_set: str
    reading: PanelReading
    created_at: datetime
