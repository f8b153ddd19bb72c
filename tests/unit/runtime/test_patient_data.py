"""Logs hold no patient datum, whatever the level and however the image is broken."""

from __future__ import annotations

import io
import logging

import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

from hilum.adapters.dicom.film_reader import DicomFilmReader
from hilum.imaging.film import FilmLimits
from hilum.runtime.logs import start_logging
from tests.unit.gateway.api import Api, FakeGateway

NAME, NUMBER, BORN, PLACE = "Sentinel^Wanda", "MRN-7731-Q", "19770131X", "St-Sentinel-Hospital"
REF = "REF-SENTINEL-9"
SENTINELS = ("Sentinel", "SENTINEL", "Wanda", NUMBER, BORN)


@pytest.fixture
def written():
    """Everything that is logged at DEBUG; the logging of the test run is put back afterwards."""
    root = logging.getLogger()
    kept = root.handlers[:], root.level
    levels = {
        name: logging.getLogger(name).level
        for name in ("python_multipart", "kombu.connection", "pydicom", "httpx")
    }
    stream = io.StringIO()
    start_logging("DEBUG", stream=stream)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # the client's, not the gateway's
    yield stream.getvalue
    logging.captureWarnings(False)
    root.handlers[:], root.level = kept
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def dicom(*, pixels: bytes) -> bytes:
    """A file that names a patient, with values that their types do not allow."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    data.SOPClassUID = SecondaryCaptureImageStorage
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID
    with pydicom.config.disable_value_validation():
        data.PatientName, data.PatientID = NAME, NUMBER
        data.PatientBirthDate, data.PatientAge = BORN, f"age of {NAME}"
        data.InstitutionName = PLACE
        data.StudyInstanceUID = f"1.2.{NUMBER}"
        data.Modality, data.PhotometricInterpretation = "DX", "MONOCHROME2"
        data.Rows = data.Columns = 64
        data.BitsAllocated = data.BitsStored = 8
        data.HighBit, data.SamplesPerPixel, data.PixelRepresentation = 7, 1, 0
        data.PixelData = pixels
        target = io.BytesIO()
        data.save_as(target, enforce_file_format=True)
    return target.getvalue()


def test_no_line_names_the_patient_of_an_image(written):
    """Submission and analysis of whole and broken files log no value of theirs at DEBUG."""
    gateway = FakeGateway(reader=DicomFilmReader(FilmLimits()))
    api = Api(gateway)
    whole, broken = dicom(pixels=bytes(64 * 64)), dicom(pixels=bytes(10))
    answers = [
        api.submit((f"{NAME}.dcm", content), patient_ref=REF).status_code
        for content in (whole, broken, whole[:400])
    ]
    gateway.work()
    api.get(f"/v1/jobs?site=north&q={NAME}")
    text = written()
    assert 202 in answers
    assert '"logger": "hilum_gateway.access"' in text
    assert [word for word in SENTINELS if word in text] == []
