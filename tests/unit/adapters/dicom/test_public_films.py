"""Published films, where the collection is at hand (``HILUM_CXR_DIR``)."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread, uid

from hilum.imaging.polarity import looks_inverted
from tests.unit.adapters.dicom import films

ROOT = Path(__file__).parents[4]
FOLDER = Path(os.environ.get("HILUM_CXR_DIR") or ROOT / "../shared/cxr")

pytestmark = pytest.mark.skipif(
    not FOLDER.joinpath("dicom").is_dir(),
    reason="no collection of chest films at HILUM_CXR_DIR (default ../shared/cxr)",
)


def dicom(name):
    return FOLDER.joinpath("dicom", name).read_bytes()


def test_every_published_dicom_is_read(reader):
    """Each DICOM file of the collection is read in its full size, inspected alike."""
    files = sorted(FOLDER.glob("dicom/*.dcm"))
    assert files
    for path in files:
        data = path.read_bytes()
        film = reader.read(data)
        assert film.header == reader.inspect(data[: 256 * 1024], len(data))
        assert film.pixels.shape == (film.header.rows, film.header.columns)
        assert film.pixels.std() > 20


def test_jpeg_2000_and_near_lossless_jpeg_ls_of_one_film_agree(reader):
    """The 15-bit film shows the same through either codec."""
    first = reader.read(dicom("WG04_RG1_chest_PA_CR_JPEG2000.dcm"))
    second = reader.read(dicom("WG04_RG1_chest_PA_CR_JPEGLSnear.dcm"))
    difference = np.abs(first.pixels.astype(int) - second.pixels)
    assert difference.max() <= 3
    assert difference.mean() < 0.5


def test_a_true_monochrome1_twin_of_a_published_film(reader):
    """Stored values inverted and labelled MONOCHROME1: the very same film."""
    data = dicom("RSNA2018_sample_chest_PA_MONOCHROME2.dcm")
    stored = dcmread(io.BytesIO(data)).pixel_array
    twin = films.film(255 - stored, bits=8, PhotometricInterpretation="MONOCHROME1")
    assert np.array_equal(reader.read(twin).pixels, reader.read(data).pixels)


def test_the_relabelled_film_is_the_negative(reader):
    """The same stored values under MONOCHROME1 show inverted: 255 minus the original."""
    original = reader.read(dicom("RSNA2018_sample_chest_PA_MONOCHROME2.dcm"))
    relabelled = reader.read(dicom("RSNA2018_sample_relabelled_MONOCHROME1.dcm"))
    assert np.array_equal(relabelled.pixels, 255 - original.pixels)


@pytest.mark.parametrize(
    "syntax",
    [uid.ExplicitVRLittleEndian, uid.RLELossless, uid.JPEGLSLossless, uid.JPEG2000Lossless],
)
def test_a_published_15_bit_film_recoded_without_loss(syntax, reader):
    """Decoded, and a part of it stored again in any lossless syntax, it looks the same."""
    ds = dcmread(io.BytesIO(dicom("WG04_RG1_chest_PA_CR_JPEG2000.dcm")))
    shown = reader.read(dicom("WG04_RG1_chest_PA_CR_JPEG2000.dcm")).pixels
    attributes = {
        "PhotometricInterpretation": ds.PhotometricInterpretation,
        "WindowCenter": ds.WindowCenter,
        "WindowWidth": ds.WindowWidth,
    }
    part = (slice(700, 1200), slice(600, 1101))
    again = films.dataset(ds.pixel_array[part], bits=15, **attributes)
    if syntax.is_compressed:
        plug_in = {uid.RLELossless: "pydicom", uid.JPEGLSLossless: "pyjpegls"}.get(syntax, "")
        again.compress(syntax, encoding_plugin=plug_in)
    assert np.array_equal(reader.read(films.file_of(again)).pixels, shown[part])


def test_every_published_png_and_jpeg_is_read(reader):
    """Each native film of the collection is read in its full size."""
    files = sorted(path for path in FOLDER.glob("native/*") if path.suffix != ".csv")
    assert files
    for path in files:
        data = path.read_bytes()
        film = reader.read(data)
        header = reader.inspect(data[: 256 * 1024], len(data))
        assert film.pixels.shape == (header.rows, header.columns)


def test_only_the_relabelled_film_looks_inverted(reader):
    """Of all published chest films, the one with a false MONOCHROME1 tag shows as a negative."""
    chests = [*FOLDER.glob("native/*.png"), *FOLDER.glob("native/*.jp*g")]
    chests += FOLDER.glob("dicom/*chest*.dcm")
    chests += FOLDER.glob("dicom/*relabelled*.dcm")
    inverted = {
        path.name for path in chests if looks_inverted(reader.read(path.read_bytes()).pixels)
    }
    assert inverted == {"RSNA2018_sample_relabelled_MONOCHROME1.dcm"}
