"""What DCMTK shows of a file, with GDCM in front of it where DCMTK has no decoder."""

from __future__ import annotations

import io
import shutil
import subprocess
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from pydicom import dcmread, uid

if TYPE_CHECKING:
    from pathlib import Path

_PACKAGES = {
    "dcm2pnm": "dcmtk",
    "dcmj2pnm": "dcmtk",
    "dcml2pnm": "dcmtk",
    "gdcmconv": "libgdcm-tools",
}
MISSING = sorted({package for name, package in _PACKAGES.items() if shutil.which(name) is None})
"""Debian packages that have to be installed first."""

_PROGRAMS = {
    **dict.fromkeys(uid.JPEGTransferSyntaxes, "dcmj2pnm"),
    **dict.fromkeys(uid.JPEGLSTransferSyntaxes, "dcml2pnm"),
}


def by_dcmtk(data: bytes, folder: Path) -> np.ndarray:
    """Have the first VOI LUT, else the first window, applied to a file, without overlays."""
    ds = dcmread(io.BytesIO(data))
    syntax = ds.file_meta.TransferSyntaxUID
    path, target = folder / "film.dcm", folder / "film.pgm"
    path.write_bytes(data)
    if syntax in uid.JPEG2000TransferSyntaxes:
        raw = folder / "raw.dcm"
        _run("gdcmconv", "--raw", path, raw)
        path = raw
    voi = "+Wl" if "VOILUTSequence" in ds else "+Wi"
    _run(_PROGRAMS.get(syntax, "dcm2pnm"), "-q", "-O", voi, "1", "+op", path, target)
    return np.asarray(Image.open(target))


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True, capture_output=True)
