"""The phantom as a DICOM file: Digital X-Ray Image, For Presentation (PS3.3 A.26)."""

from __future__ import annotations

import io
import uuid
from typing import TYPE_CHECKING, Final

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
)

from hilum.imaging.phantom import LABEL, phantom_film

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_DATE: Final = "20000101"
_TIME: Final = "120000"
_GREY_STEP: Final = 16
_NAMESPACE: Final = uuid.UUID("5d1f0c5e-6a0b-4b52-9d0e-3a3c6f0e7a11")


def phantom_dicom(rows: int = 1024, columns: int = 1024, seed: int = 1) -> bytes:
    """Write the phantom as a DICOM file.

    12 bits in 16, unsigned, MONOCHROME2 with one linear window, so that reading it goes through
    the grey scale pipeline. UIDs come from size and seed alone: the same phantom is the same
    SOP instance wherever it is made.

    Args:
        rows: Height in pixels, 256 or more.
        columns: Width in pixels, 256 or more.
        seed: As for ``phantom_film``.

    Returns:
        A file in Explicit VR Little Endian with invented attributes that say so.
    """
    name = f"hilum-phantom-{rows}x{columns}-{seed}"
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = DigitalXRayImageStorageForPresentation
    for keyword in ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"):
        # A UUID-derived UID (PS3.5 annex B.2), so that nobody's registered root is used up.
        setattr(dataset, keyword, f"2.25.{uuid.uuid5(_NAMESPACE, name + keyword).int}")
    _describe(dataset, seed)
    _add_pixels(dataset, phantom_film(rows, columns, seed))
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _describe(dataset: Dataset, seed: int) -> None:
    """Patient, study, series and acquisition: nobody's."""
    dataset.PatientName = "Phantom^Not A Patient"
    dataset.PatientID = f"PHANTOM-{seed}"
    dataset.PatientBirthDate = ""
    dataset.PatientSex = "O"
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = "Drawn from formulas, never acquired"
    dataset.StudyDate = dataset.SeriesDate = dataset.ContentDate = dataset.AcquisitionDate = _DATE
    dataset.StudyTime = dataset.SeriesTime = dataset.ContentTime = dataset.AcquisitionTime = _TIME
    dataset.AccessionNumber = ""
    dataset.StudyID = "PHANTOM"
    dataset.ReferringPhysicianName = ""
    dataset.SeriesNumber = 1
    dataset.InstanceNumber = 1
    dataset.Modality = "DX"
    dataset.Manufacturer = "Hilum"
    dataset.StudyDescription = dataset.SeriesDescription = LABEL
    dataset.ImageComments = LABEL
    dataset.ImageType = ["DERIVED", "PRIMARY"]
    dataset.PresentationIntentType = "FOR PRESENTATION"
    dataset.BodyPartExamined = "CHEST"
    dataset.ViewPosition = "PA"
    dataset.PatientOrientation = ["L", "F"]
    dataset.ImageLaterality = "U"
    dataset.BurnedInAnnotation = "YES"
    dataset.ImagerPixelSpacing = [0.35, 0.35]


def _add_pixels(dataset: Dataset, film: NDArray[np.uint8]) -> None:
    """Image Pixel and VOI LUT modules."""
    stored = film.astype("<u2") * _GREY_STEP
    dataset.Rows, dataset.Columns = film.shape
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.PresentationLUTShape = "IDENTITY"
    dataset.BitsAllocated = 16
    dataset.BitsStored = 12
    dataset.HighBit = 11
    dataset.PixelRepresentation = 0
    dataset.PixelIntensityRelationship = "LOG"
    dataset.PixelIntensityRelationshipSign = -1
    dataset.RescaleSlope = 1
    dataset.RescaleIntercept = 0
    dataset.RescaleType = "US"
    dataset.LossyImageCompression = "00"
    # LINEAR_EXACT from 0 to the value of white: one step of grey is one step of the film.
    dataset.WindowCenter = 255 * _GREY_STEP / 2
    dataset.WindowWidth = 255 * _GREY_STEP
    dataset.VOILUTFunction = "LINEAR_EXACT"
    dataset.PixelData = stored.tobytes()
    dataset["PixelData"].VR = "OW"
