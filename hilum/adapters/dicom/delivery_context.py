"""What the objects of a result need of the image's own header: patient, study, series and geometry.

It is a data set of its own, in Explicit VR Little Endian without preamble and file meta group. Text
is copied byte for byte, so that a name in any character set stays what it was. It holds names: it
is never logged, and kept only sealed.
"""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Final

from pydicom import dcmread
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from hilum.adapters.dicom.dataset import parse

if TYPE_CHECKING:
    from pydicom.tag import BaseTag

# Their texts hold values, a patient's name among them.
warnings.filterwarnings("ignore", module=r"(pydicom|highdicom)\b")

_PATIENT: Final = (
    "PatientName PatientID IssuerOfPatientID IssuerOfPatientIDQualifiersSequence "
    "TypeOfPatientID OtherPatientIDsSequence OtherPatientNames PatientBirthDate PatientBirthTime "
    "PatientSex EthnicGroup PatientSpeciesDescription PatientSpeciesCodeSequence "
    "PatientBreedDescription ResponsiblePerson ResponsibleOrganization PatientIdentityRemoved "
    "DeidentificationMethod DeidentificationMethodCodeSequence QualityControlSubject "
    "PatientAge PatientSize PatientWeight AdmissionID IssuerOfAdmissionIDSequence"
)
_STUDY: Final = (
    "StudyInstanceUID StudyDate StudyTime StudyID AccessionNumber IssuerOfAccessionNumberSequence "
    "ReferringPhysicianName StudyDescription ReferencedRequestSequence RequestAttributesSequence "
    "ProcedureCodeSequence TimezoneOffsetFromUTC"
)
_SERIES: Final = (
    "SeriesInstanceUID Modality Laterality BodyPartExamined ProtocolName SeriesNumber SeriesDate "
    "SeriesTime PatientPosition ViewPosition ViewCodeSequence ImageLaterality PatientOrientation "
    "FrameOfReferenceUID PositionReferenceIndicator"
)
_IMAGE: Final = (
    "SpecificCharacterSet SOPClassUID SOPInstanceUID InstanceNumber ContentDate ContentTime "
    "AcquisitionDate AcquisitionTime AcquisitionDateTime NumberOfFrames SamplesPerPixel "
    "PhotometricInterpretation Rows Columns PixelSpacing ImagerPixelSpacing PixelAspectRatio "
    "BitsAllocated BitsStored HighBit PixelRepresentation BurnedInAnnotation WindowCenter "
    "WindowWidth WindowCenterWidthExplanation VOILUTFunction VOILUTSequence ModalityLUTSequence "
    "RescaleIntercept RescaleSlope RescaleType PresentationLUTShape PixelIntensityRelationship "
    "PixelIntensityRelationshipSign"
)


def _tags(keywords: str) -> tuple[BaseTag, ...]:
    return tuple(Tag(tag_for_keyword(keyword) or 0) for keyword in keywords.split())


PATIENT_AND_STUDY: Final = _tags(f"SpecificCharacterSet {_PATIENT} {_STUDY}")
"""Attributes that every object of the study has alike."""

KEPT: Final = frozenset((*PATIENT_AND_STUDY, *_tags(f"{_SERIES} {_IMAGE}")))
"""Attributes that are kept."""

_LARGE: Final = ("VOILUTSequence", "ModalityLUTSequence")
LARGEST_BYTES: Final = 256 * 1024
"""A larger one is kept without its look-up tables, and one that still is, not at all."""

_INFLATED_BYTES: Final = 16 * 1024 * 1024
_BINARY: Final = frozenset({"US", "SS", "UL", "SL", "FL", "FD", "AT", "OW", "SQ", "US or SS"})
_DEEPEST: Final = 8


def context_of(content: bytes) -> bytes | None:
    """Copy what objects need from a DICOM file.

    Args:
        content: The file, or its first bytes as far as the pixel data.

    Returns:
        A data set. None where the content is no DICOM object that says which study it is part of.
    """
    try:
        kept = _kept(_header(content), 0)
        if not str(kept.get("StudyInstanceUID", "")) or not str(kept.get("SOPInstanceUID", "")):
            return None
        encoded = encode_data_set(kept)
        if len(encoded) > LARGEST_BYTES:
            for keyword in _LARGE:
                if keyword in kept:
                    del kept[keyword]
            encoded = encode_data_set(kept)
    except Exception:  # noqa: BLE001 - whatever a damaged header raises, nothing is known of it
        return None
    return encoded if len(encoded) <= LARGEST_BYTES else None


def read_context(context: bytes) -> Dataset:
    """Return the data set that :func:`context_of` made."""
    return read_dataset(io.BytesIO(context), is_implicit_VR=False, is_little_endian=True)


def encode_data_set(dataset: Dataset) -> bytes:
    """Return a data set in Explicit VR Little Endian. Encapsulated pixels stay as they are."""
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, False
    dataset.set_original_encoding(is_implicit_vr=False, is_little_endian=True)
    write_dataset(buffer, dataset)
    return buffer.getvalue()


def _header(content: bytes) -> Dataset:
    try:
        return dcmread(
            io.BytesIO(content), stop_before_pixels=True, force=True, specific_tags=list(KEPT)
        )
    except Exception:  # noqa: BLE001 - a file that only the bounded parser can read
        return parse(content, inflated_limit=_INFLATED_BYTES, header_only=True).dataset


def _kept(dataset: Dataset, depth: int) -> Dataset:
    """Return a data set of elements whose text is still encoded as it was."""
    kept = Dataset()
    for tag in sorted(dataset.keys()):
        if (depth == 0 and tag not in KEPT) or tag.is_private or tag.element == 0:
            continue
        item = _element(dataset, tag, depth)
        if item is not None:
            kept[tag] = item
    return kept


def _element(dataset: Dataset, tag: BaseTag, depth: int) -> DataElement | RawDataElement | None:
    raw = dataset.get_item(tag)
    vr = raw.VR if raw is not None and raw.VR not in {None, "UN"} else dictionary_VR(tag)
    if isinstance(raw, RawDataElement) and vr not in _BINARY:
        value = raw.value or b""
        return RawDataElement(
            tag, vr, len(value), value, 0, is_implicit_VR=False, is_little_endian=True
        )
    element = dataset[tag]
    if element.VR == "SQ":
        if depth == _DEEPEST:
            return None
        items = [_kept(item, depth + 1) for item in element.value]
        return DataElement(tag, "SQ", Sequence(items))
    return element
