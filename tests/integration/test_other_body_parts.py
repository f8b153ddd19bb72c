"""Radiographs that show no chest stop at the gate, as they come from a hospital."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hilum.adapters.dicom.film_reader import DicomFilmReader
from hilum.adapters.inference.inference import open_inference
from hilum.adapters.model_catalogue.model_catalogue import FilesystemModelCatalogue
from hilum.application.analysis.pipeline import analyse
from hilum.imaging.film import FilmLimits

ROOT = Path(__file__).resolve().parents[2]
FILMS = Path(os.environ.get("HILUM_CXR_DIR", ROOT.parent / "shared" / "cxr")) / "dicom"

pytestmark = pytest.mark.skipif(not FILMS.is_dir(), reason="HILUM_CXR_DIR has no DICOM films")


@pytest.mark.parametrize("name", ["WG04_RG2_hip_NOT_CHEST.dcm", "WG04_RG3_tibia_NOT_CHEST.dcm"])
def test_a_hip_and_a_tibia_are_not_read(name):
    """No panel answers on them."""
    models = FilesystemModelCatalogue(ROOT / "model_repository").current()
    engine = open_inference("onnx://", ROOT / "model_repository")
    film = DicomFilmReader(FilmLimits()).read((FILMS / name).read_bytes())
    read = analyse(film, models, engine)
    assert not read.passed
    assert list(read.panels) == []
