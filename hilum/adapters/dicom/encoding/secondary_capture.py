"""Secondary capture: the image with boxes or heat, findings, a legend and notices, in colour."""

from __future__ import annotations

from typing import TYPE_CHECKING

from highdicom.sc import SCImage
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from hilum.adapters.dicom.encoding import codes
from hilum.adapters.dicom.encoding.drawing import draw
from hilum.adapters.dicom.encoding.source import NOTICE, common
from hilum.domain.destination import ObjectKind

if TYPE_CHECKING:
    from hilum.adapters.dicom.encoding.source import Source
    from hilum.application.ports.result_encoder import ResultToSend
    from hilum.domain.destination import EncodingOptions


def secondary_capture(
    result: ResultToSend, source: Source, options: EncodingOptions
) -> Dataset | str:
    """Draw the image of a completed job."""
    if result.analysis is None:
        return "the job has no result"
    if result.film is None:
        return "the image is gone, so that it cannot be drawn"
    made: Dataset = SCImage(
        pixel_array=draw(result, result.analysis, result.film),
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        study_instance_uid=source.study_instance_uid,
        laterality=None,
        patient_orientation=("L", "F"),
        **common(result, source, ObjectKind.SC, options),
    )
    made.PatientOrientation = None
    made.Laterality = None
    made.ImageType = ["DERIVED", "SECONDARY", "AI"]
    made.BurnedInAnnotation = "YES"
    made.DerivationDescription = f"Image with findings. {NOTICE}"
    made.DerivationCodeSequence = Sequence([_item(codes.DERIVATION)])
    image = Dataset()
    image.ReferencedSOPClassUID = source.sop_class_uid
    image.ReferencedSOPInstanceUID = source.sop_instance_uid
    image.PurposeOfReferenceCodeSequence = Sequence([_item(codes.SOURCE_IMAGE)])
    made.SourceImageSequence = Sequence([image])
    return made


def _item(concept: Dataset) -> Dataset:
    item = Dataset()
    item.update(concept)
    return item
