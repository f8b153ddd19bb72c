"""Coded concepts of the objects. ``99HILUM`` has what no standard terminology has.

Every code of ``99HILUM`` is in this file. A code never changes its meaning.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from highdicom.sr import CodedConcept

if TYPE_CHECKING:
    from hilum.domain import model

SCHEME: Final = "99HILUM"
_LONGEST_VALUE: Final = 16
_LONGEST_MEANING: Final = 64


def _own(value: str, meaning: str) -> CodedConcept:
    return CodedConcept(value, SCHEME, meaning)


OWN_LABELS: Final = {
    "other_abnormal": _own("OTHER_ABNORMAL", "Other abnormality than tuberculosis"),
    "pleural_thickening": _own("PLEURAL_THICK", "Pleural thickening"),
    "heart": _own("HEART_MEDIAST", "Heart with mediastinum"),
}
"""Labels of the shipped models without a code in their manifests."""

OPERATING_POINT: Final = _own("OPERATING_POINT", "Probability from which it is positive")
POINT_SET: Final = _own("POINT_SET", "Set of models and operating points")
PANEL: Final = _own("PANEL", "Question to which the finding belongs")
TITLE: Final = CodedConcept("18748-4", "LN", "Diagnostic Imaging Report")
NO_RESULT: Final = _own("NO_RESULT", "Reason why there is no result")
WITHOUT_REGION: Final = _own("WITHOUT_REGION", "Findings without a region")
IMAGING_MEASUREMENTS: Final = "126010"
NOTICE: Final = _own("NOTICE", "Notice on the use of the result")
IMPRESSION: Final = CodedConcept("19005-8", "LN", "Impressions")

FINDING: Final = CodedConcept("121071", "DCM", "Finding")
COMMENT: Final = CodedConcept("121106", "DCM", "Comment")
PRESENCE: Final = CodedConcept("121052", "DCM", "Presence of property")
PROBABILITY: Final = CodedConcept("122157", "DCM", "Probability")
YES: Final = CodedConcept("373066001", "SCT", "Yes")
NO: Final = CodedConcept("373067005", "SCT", "No")
UNDETERMINED: Final = CodedConcept("373068000", "SCT", "Undetermined")
IMAGE_REGION: Final = CodedConcept("111030", "DCM", "Image Region")
NO_UNITS: Final = CodedConcept("1", "UCUM", "no units")
CHEST_XRAY: Final = CodedConcept("399208008", "SCT", "Plain chest X-ray")
ENGLISH: Final = CodedConcept("en", "RFC5646", "English")
DEVICE: Final = CodedConcept("121007", "DCM", "Device")
PROCESSING: Final = CodedConcept("109102", "DCM", "Processing Equipment")
SOURCE_IMAGE: Final = CodedConcept("121322", "DCM", "Source image for image processing operation")
DERIVATION: Final = _own("ANNOTATED", "Image with findings burned in")
AI_FAMILY: Final = CodedConcept("123110", "DCM", "Artificial Intelligence")
ANATOMY: Final = CodedConcept("91723000", "SCT", "Anatomical Structure")
RIGHT_LUNG: Final = CodedConcept("3341006", "SCT", "Right lung")
LEFT_LUNG: Final = CodedConcept("44029006", "SCT", "Left lung")


def concept_of(label: str, display: str, code: model.CodedConcept | None) -> CodedConcept:
    """Return the coded concept of a label: its manifest's, else one of ``99HILUM``.

    Args:
        label: Stable identifier.
        display: For people.
        code: As its manifest states it.
    """
    if code is not None:
        return CodedConcept(code.value, code.scheme, code.meaning[:_LONGEST_MEANING])
    if known := OWN_LABELS.get(label):
        return known
    # A label of a model of somebody else: another label has another value.
    value = label.upper()
    if len(value) > _LONGEST_VALUE:
        value = f"{value[:7]}_{hashlib.sha256(label.encode()).hexdigest()[:8].upper()}"
    return _own(value, _ascii(display)[:_LONGEST_MEANING])


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()
