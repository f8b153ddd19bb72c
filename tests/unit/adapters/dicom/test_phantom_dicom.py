"""The phantom as a DICOM file."""

from __future__ import annotations

import io

import numpy as np
from pydicom import dcmread

from hilum.adapters.dicom.phantom_dicom import phantom_dicom
from hilum.imaging.phantom import LABEL, phantom_film


def test_the_file_shows_the_very_phantom(reader):
    """Reading the file through window and bit depth gives the drawn pixels back."""
    film = reader.read(phantom_dicom(300, 256, seed=5))
    assert np.array_equal(film.pixels, phantom_film(300, 256, seed=5))


def test_the_same_phantom_is_the_same_instance():
    """Size and seed decide on every byte, UIDs included."""
    assert phantom_dicom(256, 256, 1) == phantom_dicom(256, 256, 1)
    first, second = (dcmread(io.BytesIO(phantom_dicom(256, 256, seed))) for seed in (1, 2))
    assert first.SOPInstanceUID != second.SOPInstanceUID
    assert first.SOPInstanceUID != first.StudyInstanceUID


def test_the_file_says_that_it_is_nobody():
    """Name, description and comments say phantom, and UIDs are valid."""
    ds = dcmread(io.BytesIO(phantom_dicom(256, 256, 1)))
    assert "Phantom" in str(ds.PatientName)
    assert ds.ImageComments == LABEL
    assert all(uid.is_valid for uid in (ds.SOPInstanceUID, ds.SeriesInstanceUID))
