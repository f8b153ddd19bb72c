"""Readings as the JSON documents of a row, and back.

Written out field by field: ``asdict`` copies deeply and costs ten times this. A field that a
document of an earlier schema lacks has the value that it meant then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilum.domain.finding import (
    Box,
    CardiothoracicRatio,
    Finding,
    PanelReading,
    Structure,
    StructuresReading,
)
from hilum.domain.impression import Impression, ImpressionKind, NamedFinding
from hilum.domain.model import CodedConcept, PanelKind, Rank

if TYPE_CHECKING:
    from collections.abc import Sequence

Document = dict[str, Any]


def document_of_panel(panel: PanelReading) -> Document:
    """A panel's findings as JSON."""
    return {
        "panel": panel.panel,
        "model": panel.model,
        "version": panel.version,
        "display": panel.display,
        "kind": panel.kind.value,
        "caution": panel.caution,
        "scope_reason": panel.scope_reason,
        "child": panel.child,
        "findings": [_document_of_finding(finding) for finding in panel.findings],
    }


def panel_of(document: Document) -> PanelReading:
    """A panel's findings."""
    return PanelReading(
        panel=document["panel"],
        model=document["model"],
        version=document["version"],
        findings=tuple(_finding_of(finding) for finding in document["findings"]),
        display=document.get("display", ""),
        kind=PanelKind(document.get("kind", PanelKind.SINGLE_LABEL)),
        caution=document.get("caution", ""),
        scope_reason=document.get("scope_reason", ""),
        child=document.get("child", False),
    )


def document_of_structures(reading: StructuresReading) -> Document:
    """A panel's structures as JSON."""
    ratio = reading.cardiothoracic
    return {
        "panel": reading.panel,
        "model": reading.model,
        "version": reading.version,
        "display": reading.display,
        "caution": reading.caution,
        "structures": [
            {
                "label": structure.label,
                "display": structure.display,
                "outlines": structure.outlines,
                "area_share": structure.area_share,
                "flags": structure.flags,
            }
            for structure in reading.structures
        ],
        "cardiothoracic": {
            "value": ratio.value,
            "method": ratio.method,
            "reason": ratio.reason,
            "heart": ratio.heart,
            "thorax": ratio.thorax,
        },
    }


def structures_of(document: Document) -> StructuresReading:
    """A panel's structures."""
    ratio = document["cardiothoracic"]
    return StructuresReading(
        panel=document["panel"],
        model=document["model"],
        version=document["version"],
        structures=tuple(
            Structure(
                label=structure["label"],
                display=structure["display"],
                outlines=tuple(
                    tuple((x, y) for x, y in outline) for outline in structure["outlines"]
                ),
                area_share=structure["area_share"],
                flags=tuple(structure["flags"]),
            )
            for structure in document["structures"]
        ),
        cardiothoracic=CardiothoracicRatio(
            value=ratio["value"],
            method=ratio["method"],
            reason=ratio["reason"],
            heart=_span(ratio["heart"]),
            thorax=_span(ratio["thorax"]),
        ),
        display=document["display"],
        caution=document["caution"],
    )


def document_of_impression(impression: Impression | None) -> Document | None:
    """Return an impression as JSON."""
    if impression is None:
        return None
    return {
        "kind": impression.kind.value,
        "reason": impression.reason,
        "text": impression.text,
        "findings": [
            {
                "panel": named.panel,
                "label": named.label,
                "display": named.display,
                "probability": named.probability,
            }
            for named in impression.findings
        ],
    }


def impression_of_document(document: Document | None) -> Impression | None:
    """Return the impression; None for a result that was written without one."""
    if document is None:
        return None
    return Impression(
        kind=ImpressionKind(document["kind"]),
        findings=tuple(NamedFinding(**named) for named in document["findings"]),
        reason=document["reason"],
        text=document["text"],
    )


def _document_of_finding(finding: Finding) -> Document:
    code = finding.code
    return {
        "label": finding.label,
        "display": finding.display,
        "probability": finding.probability,
        # The release before reads these two: to it, what was not assessed is negative.
        "operating_point": 1.0 if finding.operating_point is None else finding.operating_point,
        "positive": bool(finding.positive),
        "threshold": finding.operating_point,
        "assessment": finding.assessment,
        "reason": finding.reason,
        "rank": finding.rank.value,
        "prevalence": finding.prevalence,
        "predictive_value": finding.predictive_value,
        "map_in_lungs": finding.map_in_lungs,
        "abnormal": finding.abnormal,
        "weak": finding.weak,
        "code": None
        if code is None
        else {"scheme": code.scheme, "value": code.value, "meaning": code.meaning},
        "heatmap": finding.heatmap,
        "boxes": [[box.x, box.y, box.width, box.height, box.score] for box in finding.boxes],
    }


def _finding_of(document: Document) -> Finding:
    code = document["code"]
    return Finding(
        label=document["label"],
        display=document["display"],
        probability=document["probability"],
        operating_point=document.get("threshold", document["operating_point"]),
        positive=None if document.get("assessment") == "not_assessed" else document["positive"],
        abnormal=document["abnormal"],
        weak=document["weak"],
        code=CodedConcept(**code) if code else None,
        # Schema 0001 kept a heatmap of every label, and did not say so.
        heatmap=document.get("heatmap", True),
        boxes=tuple(Box(*values) for values in document.get("boxes", ())),
        rank=Rank(document.get("rank", Rank.VALIDATED)),
        reason=document.get("reason", ""),
        map_in_lungs=document.get("map_in_lungs"),
        prevalence=document.get("prevalence"),
        predictive_value=document.get("predictive_value"),
    )


def _span(values: Sequence[float] | None) -> tuple[float, float] | None:
    return None if values is None else (values[0], values[1])
