"""The reader beside DCMTK, GDCM and pydicom: the same file, the same picture."""

from __future__ import annotations

import io
import os
from itertools import product

import numpy as np
import pytest
from pydicom import dcmread, uid
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_modality_lut, apply_windowing
from pydicom.sequence import Sequence

from tests.unit.adapters.dicom import films
from tests.unit.adapters.dicom.dcmtk import MISSING, by_dcmtk
from tests.unit.adapters.dicom.recast import recast

if MISSING and os.environ.get("CI") != "true":
    pytest.skip(f"apt-get install {' '.join(MISSING)}", allow_module_level=True)

LOSSLESS = {
    "implicit": lambda p, b: films.native(uid.ImplicitVRLittleEndian, p, bits=b),
    "explicit": lambda p, b: films.native(uid.ExplicitVRLittleEndian, p, bits=b),
    "big endian": lambda p, b: films.big_endian(p, bits=b),
    "deflated": lambda p, b: films.native(uid.DeflatedExplicitVRLittleEndian, p, bits=b),
    "rle": lambda p, b: films.compressed(uid.RLELossless, p, bits=b),
    "jpeg-ls": lambda p, b: films.compressed(uid.JPEGLSLossless, p, bits=b),
    "jpeg 2000": lambda p, b: films.jpeg_2000(uid.JPEG2000Lossless, p, bits=b),
    "jpeg lossless": lambda p, b: films.through_gdcm("JPEGLosslessProcess14_1", p, bits=b),
}
# Where pydicom says nothing, and why. DCMTK is compared everywhere.
PYDICOM_LACKS = {
    "jpeg lossless": "its decoders of this syntax may not be loaded into this process",
    "voi": "its functions take entries of 8 and 16 bits alone",
    "modality": "as for voi",
    "voi after rescale": "as for voi",
}
LUTS = ("window", "rescale", "voi", "modality", "voi after rescale")


def lut(low, size, bits, *, big):
    """A curve over ``size`` inputs from ``low`` on: a sequence of one table."""
    curve = np.rint((np.arange(size) / (size - 1.0)) ** 1.5 * (2**bits - 1))
    item = Dataset()
    item.add_new((0x0028, 0x3002), "SS" if low < 0 else "US", [size % 65536, low, bits])
    if low >= 0 and size == 65536:
        item[0x0028, 0x3002].VR = "US"
    item.add_new((0x0028, 0x3003), "LO", "a curve")
    item.add_new((0x0028, 0x3004), "LO", "US")
    item.add_new((0x0028, 0x3006), "OW", curve.astype(">u2" if big else "<u2").tobytes())
    return Sequence([item])


def attributes(kind, bits, *, signed, big):
    """What decides how values of a depth are shown, for a kind of LUT."""
    span = 2**bits
    low = -span // 2 if signed else 0
    middle, width = low + span // 2, span * 3 // 4
    window = {"WindowCenter": middle, "WindowWidth": width}
    rescaled = {"RescaleSlope": 2, "RescaleIntercept": -100}
    # Signed values move up, so that the first value fits in 16 bits.
    shift = span // 4 if signed else -span // 4
    shifted = {"RescaleSlope": 1, "RescaleIntercept": shift}
    size = min(span, 65535)
    return {
        "window": window,
        "rescale": {"WindowCenter": middle * 2 - 100, "WindowWidth": width * 2, **rescaled},
        "voi": {"VOILUTSequence": lut(low, size, 10, big=big)},
        "modality": {
            "ModalityLUTSequence": lut(low, size, 12, big=big),
            "WindowCenter": 2000,
            "WindowWidth": 3000,
        },
        "voi after rescale": {
            "VOILUTSequence": lut(low + shift, size, 12, big=big),
            **shifted,
        },
    }[kind]


def film_of(syntax, bits, signed, photometric, kind):
    """The scene in a cell of the matrix."""
    values = films.scene(bits=bits).astype(np.int32) - (2 ** (bits - 1) if signed else 0)
    letter = ("i" if signed else "u") + ("1" if bits <= 8 else "2")
    encoded = LOSSLESS[syntax](values.astype(letter), bits)
    described = attributes(kind, bits, signed=signed, big=syntax == "big endian")
    return recast(encoded, PhotometricInterpretation=photometric, **described)


def by_pydicom(data):
    """What pydicom's functions make of the file."""
    ds = dcmread(io.BytesIO(data))
    values = apply_windowing(apply_modality_lut(ds.pixel_array, ds), ds)
    bits = ds.BitsStored
    low = -(2 ** (bits - 1)) if ds.PixelRepresentation else 0
    # Its windowing fills the range of the stored values, rescaled.
    slope, intercept = float(ds.get("RescaleSlope", 1)), float(ds.get("RescaleIntercept", 0))
    unit = (values - low * slope - intercept) / ((2**bits - 1) * slope)
    unit = 1 - unit if ds.PhotometricInterpretation == "MONOCHROME1" else unit
    return np.rint(unit * 255)


def cells():
    """Each syntax x depth x sign, with the kinds of LUT and the polarities taken in turn."""
    every = product(LOSSLESS, (8, 10, 12, 16), (False, True))
    for turn, (syntax, bits, signed) in enumerate(every):
        kind, photometric = LUTS[turn % len(LUTS)], f"MONOCHROME{1 + turn // 3 % 2}"
        name = f"{syntax}-{bits}-{'signed' if signed else 'unsigned'}-{photometric[-1]}-{kind}"
        yield pytest.param(syntax, bits, signed, photometric, kind, id=name)


@pytest.mark.parametrize(("syntax", "bits", "signed", "photometric", "kind"), cells())
def test_the_picture_agrees_within_one_grey(
    syntax, bits, signed, photometric, kind, reader, tmp_path
):
    """Syntax x bits x sign x polarity x LUT: DCMTK, GDCM and pydicom show the same."""
    data = film_of(syntax, bits, signed, photometric, kind)
    shown = reader.read(data).pixels.astype(int)
    assert np.abs(shown - by_dcmtk(data, tmp_path)).max() <= 1
    if not {syntax, kind} & PYDICOM_LACKS.keys():
        assert np.abs(shown - by_pydicom(data)).max() <= 1
