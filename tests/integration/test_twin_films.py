"""The same film in another guise gives the same findings, by the shipped models."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import ExplicitVRLittleEndian

from hilum.adapters.dicom.film_reader import DicomFilmReader
from hilum.adapters.inference.inference import open_inference
from hilum.adapters.model_catalogue.model_catalogue import FilesystemModelCatalogue
from hilum.application.analysis.pipeline import analyse
from hilum.imaging.film import FilmLimits

ROOT = Path(__file__).resolve().parents[2]
FILMS = Path(os.environ.get("HILUM_CXR_DIR", ROOT.parent / "shared" / "cxr")) / "dicom"
ORIGINAL = FILMS / "RSNA2018_sample_chest_PA_MONOCHROME2.dcm"

pytestmark = pytest.mark.skipif(not ORIGINAL.is_file(), reason="HILUM_CXR_DIR has no DICOM films")


def probabilities(content: bytes) -> np.ndarray:
    """Every panel's probabilities, as a worker would write them: float32 [labels]."""
    models = FilesystemModelCatalogue(ROOT / "model_repository").current()
    engine = open_inference("onnx://", ROOT / "model_repository")
    read = analyse(DicomFilmReader(FilmLimits()).read(content), models, engine)
    assert read.passed, read.gate
    return np.array([item.probability for panel in read.panels for item in panel.findings])


def true_twin(content: bytes) -> bytes:
    """The film with inverted values under MONOCHROME1, uncompressed: it displays the same."""
    dataset = pydicom.dcmread(io.BytesIO(content))
    stored = dataset.pixel_array
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.PixelData = (255 - stored).astype(np.uint8).tobytes()
    dataset["PixelData"].VR = "OB"
    dataset.PhotometricInterpretation = "MONOCHROME1"
    written = io.BytesIO()
    dataset.save_as(written, enforce_file_format=True)
    return written.getvalue()


def test_a_monochrome1_twin_gives_the_same_findings():
    """Inverted values and MONOCHROME1 together change nothing."""
    original = ORIGINAL.read_bytes()
    assert np.array_equal(probabilities(true_twin(original)), probabilities(original))


def test_a_film_whose_tag_alone_was_changed_gives_the_same_findings():
    """The relabelled file displays as a negative; it is turned, and read as the original."""
    relabelled = FILMS / "RSNA2018_sample_relabelled_MONOCHROME1.dcm"
    assert np.array_equal(
        probabilities(relabelled.read_bytes()), probabilities(ORIGINAL.read_bytes())
    )


def test_two_compressions_of_one_film_agree():
    """15-bit JPEG 2000 and near-lossless JPEG-LS of one film give nearly the same findings."""
    jpeg_2000 = probabilities((FILMS / "WG04_RG1_chest_PA_CR_JPEG2000.dcm").read_bytes())
    jpeg_ls = probabilities((FILMS / "WG04_RG1_chest_PA_CR_JPEGLSnear.dcm").read_bytes())
    assert np.abs(jpeg_2000 - jpeg_ls).max() < 0.01
