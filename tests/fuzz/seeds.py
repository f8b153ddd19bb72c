"""Small files of each kind that mutation begins with, made anew: no image is kept."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image
from pydicom import uid

from tests.unit.adapters.dicom import films
from tests.unit.imaging.pictures import jpeg, png, saved

_SCENE = films.scene(bits=12)
_GREY = films.scene(bits=8)
_CORPUS = "corpus"


def seeds() -> dict[str, bytes]:
    """Files by name."""
    colour = np.stack([_GREY] * 3, axis=-1)
    exif = Image.Exif()
    exif[0x0112] = 6
    return {
        "native": films.film(_SCENE, bits=12, WindowCenter=2000, WindowWidth=4000),
        "implicit": films.native(uid.ImplicitVRLittleEndian, _SCENE, bits=12),
        "big endian": films.big_endian(_SCENE, bits=12),
        "deflated": films.native(uid.DeflatedExplicitVRLittleEndian, _SCENE, bits=12),
        "rle": films.compressed(uid.RLELossless, _SCENE, bits=12),
        "jpeg-ls": films.compressed(uid.JPEGLSLossless, _SCENE, bits=12),
        "jpeg 2000": films.jpeg_2000(uid.JPEG2000Lossless, _SCENE, bits=12),
        "jpeg": films.jpeg_baseline(_GREY),
        "colour jpeg": films.jpeg_baseline(colour),
        "png": png(_GREY),
        "16-bit png": png(_SCENE),
        "rgba png": saved(Image.fromarray(colour).convert("RGBA"), "PNG"),
        "palette png": saved(Image.fromarray(_GREY).convert("P"), "PNG"),
        "jpeg file": jpeg(_GREY, exif=exif),
        "progressive jpeg file": _progressive(),
    }


def _progressive() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(_GREY).save(buffer, "JPEG", progressive=True, quality=80)
    return buffer.getvalue()
