"""Grayscale softcopy presentation state: boxes, outlines and text over the image, in one layer.

The image keeps its own window and polarity: modality and VOI LUT are copied, and the presentation
LUT shape is that of its photometric interpretation (PS3.3 C.11.6). Places are in pixels of the
stored matrix (PS3.3 C.10.5).
"""

from __future__ import annotations

from fractions import Fraction
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

import numpy as np
from highdicom import PresentationLUTTransformation
from highdicom.pr import (
    AnnotationUnitsValues,
    GraphicAnnotation,
    GraphicLayer,
    GraphicObject,
    GraphicTypeValues,
    GrayscaleSoftcopyPresentationState,
    TextObject,
)

from hilum.adapters.dicom.encoding.source import MANUFACTURER, MODEL_NAME, NOTICE, common
from hilum.adapters.dicom.encoding.structured_report import corners, reported
from hilum.domain.destination import ObjectKind
from hilum.imaging.contour import simplify

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom.dataset import Dataset

    from hilum.adapters.dicom.encoding.source import Source
    from hilum.application.ports.result_encoder import ResultToSend
    from hilum.domain.destination import EncodingOptions
    from hilum.domain.finding import Analysis, Finding

_GREY_SCALE: Final = (
    *("SamplesPerPixel", "BitsAllocated", "BitsStored", "PixelRepresentation"),
    *("RescaleIntercept", "RescaleSlope", "RescaleType", "ModalityLUTSequence"),
    *("WindowCenter", "WindowWidth", "WindowCenterWidthExplanation", "VOILUTFunction"),
    *("VOILUTSequence", "PixelSpacing", "ImagerPixelSpacing"),
)
_PIXEL: Final = AnnotationUnitsValues.PIXEL
_TOLERANCE: Final = 1 / 500
"""How far an outline may leave the one that was analysed, as a share of the longer side."""
_MOST_ASPECT_DIGITS: Final = 1000


def presentation_state(
    result: ResultToSend, source: Source, options: EncodingOptions
) -> Dataset | str:
    """Make the presentation state of a completed job."""
    analysis = result.analysis
    if analysis is None:
        return "the job has no result"
    if source.header.get("SamplesPerPixel") != 1:
        return "the image is in colour, and a presentation state of it would not be in grey"
    image = source.reference()
    for keyword in _GREY_SCALE:
        if keyword in source.header and not source.header[keyword].is_empty:
            setattr(image, keyword, source.header[keyword].value)
    layer = GraphicLayer("AI", order=1, description=NOTICE)
    annotation = GraphicAnnotation(
        referenced_images=[image],
        graphic_layer=layer,
        graphic_objects=list(_graphics(result, analysis, source)) or None,
        text_objects=list(_texts(result, analysis, source)),
    )
    inverse = source.header.get("PhotometricInterpretation") == "MONOCHROME1"
    shape = "INVERSE" if inverse else "IDENTITY"
    made: Dataset = GrayscaleSoftcopyPresentationState(
        referenced_images=[image],
        manufacturer_model_name=MODEL_NAME,
        software_versions=version("hilum"),
        device_serial_number=result.site,
        content_label="AI_FINDINGS",
        content_description=NOTICE,
        content_creator_name=f"{MANUFACTURER}^",
        graphic_annotations=[annotation],
        graphic_layers=[layer],
        presentation_lut_transformation=PresentationLUTTransformation(presentation_lut_shape=shape),
        **common(result, source, ObjectKind.GSPS, options),
    )
    made.Laterality = None
    if analysis.pixel_aspect != 1.0:
        area = made.DisplayedAreaSelectionSequence[0]
        aspect = Fraction(analysis.pixel_aspect).limit_denominator(_MOST_ASPECT_DIGITS)
        area.pop("PresentationPixelSpacing", None)
        area.PresentationPixelAspectRatio = [aspect.numerator, aspect.denominator]
    return made


def _positives(result: ResultToSend, analysis: Analysis) -> Iterator[Finding]:
    for panel in analysis.panels:
        for finding in reported(panel, weak_labels=result.weak_labels):
            if finding.positive and finding.abnormal:
                yield finding


def _graphics(result: ResultToSend, analysis: Analysis, source: Source) -> Iterator[GraphicObject]:
    for finding in _positives(result, analysis):
        for box in finding.boxes:
            yield GraphicObject(GraphicTypeValues.POLYLINE, corners(box, source), _PIXEL)
    for reading in analysis.structures:
        for structure in reading.structures:
            for outline in structure.outlines:
                tolerance = _TOLERANCE * max(source.rows, source.columns)
                points = simplify(np.array(outline, dtype=np.float64), tolerance)
                points = points.clip(0, (source.columns, source.rows))
                closed = np.concatenate([points, points[:1]])
                yield GraphicObject(GraphicTypeValues.POLYLINE, closed, _PIXEL)


def _texts(result: ResultToSend, analysis: Analysis, source: Source) -> Iterator[TextObject]:
    step = source.rows / 40
    lines = [NOTICE]
    if analysis.impression is not None:
        lines.append(analysis.impression.text)
    for finding in _positives(result, analysis):
        told = f"{finding.display} {finding.probability:.2f}"
        for box in finding.boxes:
            yield _text(told, box.x, box.y, source)
        if not finding.boxes:
            lines.append(told)
    for number, line in enumerate(lines, 1):
        yield _text(line, step, number * step, source)


def _text(text: str, x: float, y: float, source: Source) -> TextObject:
    anchor = (min(max(x, 0.0), source.columns), min(max(y, 0.0), source.rows))
    plain = text.encode("ascii", "replace").decode()
    return TextObject(plain, _PIXEL, anchor_point=anchor, anchor_point_visible=False)
