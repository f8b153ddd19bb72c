"""Structured report: TID 1500, one measurement group for each finding that was asked for.

Terms and rows are those of PS3.16 (TID 1500, 1501, 1410, 4019) and of the IHE profile AI Results. A
finding that is absent is reported as well: "not seen" and "not looked for" are different. Regions
are rectangles of five points, closed, in the stored pixel matrix.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
from highdicom.sr import (
    AlgorithmIdentification,
    Comprehensive3DSR,
    ComprehensiveSR,
    ContainerContentItem,
    ContentSequence,
    DeviceObserverIdentifyingAttributes,
    GraphicTypeValues,
    ImageRegion,
    LanguageOfContentItemAndDescendants,
    Measurement,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    PlanarROIMeasurementsAndQualitativeEvaluations,
    QualitativeEvaluation,
    RelationshipTypeValues,
    SourceImageForMeasurementGroup,
    SourceImageForRegion,
    TextContentItem,
    TrackingIdentifier,
)

from hilum.adapters.dicom.encoding import codes
from hilum.adapters.dicom.encoding.source import (
    MANUFACTURER,
    MODEL_NAME,
    NOTICE,
    common,
    derived_uid,
)
from hilum.domain.destination import ObjectKind
from hilum.domain.model import Rank
from hilum.domain.verdict import reason_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from highdicom.sr import CodedConcept, ContentItem
    from pydicom.dataset import Dataset

    from hilum.adapters.dicom.encoding.source import Source
    from hilum.application.ports.result_encoder import ResultToSend
    from hilum.domain.destination import EncodingOptions
    from hilum.domain.finding import Analysis, Box, Finding, PanelReading

_Group = MeasurementsAndQualitativeEvaluations | PlanarROIMeasurementsAndQualitativeEvaluations
_PRESENCE: Final = {True: codes.YES, False: codes.NO, None: codes.UNDETERMINED}
_DECIMALS: Final = 6


def structured_report(
    result: ResultToSend, source: Source, options: EncodingOptions
) -> Dataset | str:
    """Make the report of a completed job."""
    analysis = result.analysis
    if analysis is None:
        return "the job has no result"
    groups = [
        group
        for panel in analysis.panels
        for finding in reported(panel, weak_labels=result.weak_labels)
        for group in _groups(panel, finding, source, apart=options.regions_apart)
    ]
    if not groups:
        return "no label may be reported to this destination"
    apart: list[_Group] = []
    if options.regions_apart:
        apart += [one for one in groups if isinstance(one, MeasurementsAndQualitativeEvaluations)]
    report = MeasurementReport(
        observation_context=observer(result.site),
        procedure_reported=codes.CHEST_XRAY,
        imaging_measurements=[one for one in groups if one not in apart] or groups,
        language_of_content_item_and_descendants=LanguageOfContentItemAndDescendants(codes.ENGLISH),
    )
    content = report[0]
    if apart:
        _set_apart(content, apart, only=len(apart) == len(groups))
    content.ContentSequence.extend(_closing(analysis))
    return document(content, ObjectKind.SR, result, source, options)


def reported(panel: PanelReading, *, weak_labels: bool) -> list[Finding]:
    """Return the findings of a panel that a destination gets.

    Args:
        panel: A panel.
        weak_labels: Whether labels that the evidence does not carry are reported.
    """
    return [
        finding
        for finding in panel.findings
        if finding.rank is not Rank.NOT_SHOWN
        and (weak_labels or not (finding.weak or finding.rank is Rank.EXPERIMENTAL))
    ]


def observer(site: str) -> ObservationContext:
    """Return who observed: a device."""
    return ObservationContext(
        observer_device_context=ObserverContext(
            observer_type=codes.DEVICE,
            observer_identifying_attributes=DeviceObserverIdentifyingAttributes(
                uid=derived_uid("device", site, version("hilum")),
                name=MANUFACTURER,
                manufacturer_name=MANUFACTURER,
                model_name=MODEL_NAME,
                serial_number=site,
            ),
        )
    )


def document(
    content: Dataset,
    kind: ObjectKind,
    result: ResultToSend,
    source: Source,
    options: EncodingOptions,
) -> Dataset:
    """Return a report document: complete, preliminary, not verified by a person."""
    template = ComprehensiveSR if options.comprehensive_sr else Comprehensive3DSR
    made: Dataset = template(
        evidence=[source.reference()],
        content=content,
        is_complete=True,
        is_final=False,
        is_verified=False,
        **common(result, source, kind, options),
    )
    made.PreliminaryFlag = "PRELIMINARY"
    return made


def comment(text: str, name: CodedConcept = codes.COMMENT) -> TextContentItem:
    """Return a text item that is contained in its parent."""
    return TextContentItem(
        name=name,
        value=text.encode("ascii", "replace").decode(),
        relationship_type=RelationshipTypeValues.CONTAINS,
    )


def _set_apart(content: Dataset, groups: list[_Group], *, only: bool) -> None:
    """Put groups into a container of their own, in place of the usual one where they are all."""
    if only:
        content.ContentSequence = ContentSequence(
            [
                item
                for item in content.ContentSequence
                if item.ConceptNameCodeSequence[0].CodeValue != codes.IMAGING_MEASUREMENTS
            ]
        )
    container = ContainerContentItem(
        codes.WITHOUT_REGION, relationship_type=RelationshipTypeValues.CONTAINS
    )
    container.ContentSequence = ContentSequence(cast("list[ContentItem]", [g[0] for g in groups]))
    content.ContentSequence.append(container)


def _closing(analysis: Analysis) -> Iterator[TextContentItem]:
    yield comment(NOTICE + ". Preliminary, not verified by a person.", codes.NOTICE)
    if analysis.impression is not None:
        yield comment(analysis.impression.text, codes.IMPRESSION)
    yield comment(analysis.model_set, codes.POINT_SET)


def _groups(
    panel: PanelReading, finding: Finding, source: Source, *, apart: bool
) -> Iterator[_Group]:
    """Return the group of a finding, and one more for each further region of it.

    Args:
        panel: A panel.
        finding: A finding of it.
        source: The image.
        apart: The first region has a group of its own, too.
    """
    name = f"{panel.panel}.{finding.label}"
    regions = (None, *finding.boxes) if apart else (finding.boxes or (None,))
    for number, box in enumerate(regions):
        first = number == 0
        shared: dict[str, Any] = {
            "tracking_identifier": TrackingIdentifier(
                uid=derived_uid(source.sop_instance_uid, name, str(number)),
                identifier=name if first else f"{name}.{number + 1}",
            ),
            "finding_type": codes.concept_of(finding.label, finding.display, finding.code),
            "algorithm_id": AlgorithmIdentification(
                name=f"{MANUFACTURER} {panel.model}",
                version=panel.version,
                manufacturer=MANUFACTURER,
            ),
            "measurements": _measurements(finding) if first else None,
            "qualitative_evaluations": [
                QualitativeEvaluation(codes.PRESENCE, _PRESENCE[finding.positive])
            ],
        }
        group = _group(shared, box, source)
        if first:
            group[0].ContentSequence.extend(_comments(panel, finding))
        yield group


def _group(shared: dict[str, Any], box: Box | None, source: Source) -> _Group:
    uids = (source.sop_class_uid, source.sop_instance_uid)
    if box is None:
        images = [SourceImageForMeasurementGroup(*uids)]
        return MeasurementsAndQualitativeEvaluations(**shared, source_images=images)
    region = ImageRegion(
        graphic_type=GraphicTypeValues.POLYLINE,
        graphic_data=corners(box, source),
        source_image=SourceImageForRegion(*uids),
    )
    return PlanarROIMeasurementsAndQualitativeEvaluations(**shared, referenced_region=region)


def corners(box: Box, source: Source) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Return the five corners (column, row) of a closed rectangle, within the image."""
    left, right = max(0.0, box.x), min(float(source.columns), box.x + box.width)
    top, bottom = max(0.0, box.y), min(float(source.rows), box.y + box.height)
    points = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    return np.array(points, dtype=np.float64)


def _measurements(finding: Finding) -> list[Measurement]:
    values = [(codes.PROBABILITY, finding.probability)]
    if finding.operating_point is not None:
        values.append((codes.OPERATING_POINT, finding.operating_point))
    return [
        Measurement(name=name, value=round(value, _DECIMALS), unit=codes.NO_UNITS)
        for name, value in values
    ]


def _comments(panel: PanelReading, finding: Finding) -> Iterator[TextContentItem]:
    yield comment(panel.title, codes.PANEL)
    if finding.positive is None:
        yield comment(f"Not assessed: {reason_text(finding.reason)}.")
    if finding.rank is Rank.EXPERIMENTAL or finding.weak:
        yield comment("Experimental: the evidence does not carry this label.")
    if finding.outside_lungs:
        yield comment("Most of the heatmap lies outside the lungs, so no region is reported.")
    if panel.caution:
        yield comment(panel.caution)
