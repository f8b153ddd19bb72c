"""JPEG Lossless and 12-bit JPEG Extended: decoded by GDCM, in a process of its own.

No other decoder here reads these two. GDCM does, and on damaged codestreams it was seen to call
``abort()``, which no ``except`` catches: in the worker it would take the job, the lease and every
thread with it. The start of a process (a tenth of a second) is paid by films of these two transfer
syntaxes alone.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from hilum.domain.errors import CpuTimeExceeded, UnreadableFilm
from hilum.imaging.budget import BUDGET

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hilum.adapters.dicom.image_pixel import ImagePixel

_CHILD: Final = Path(__file__).with_name("gdcm_child.py")
_BYTE: Final = 8


def gdcm_installed() -> bool:
    """Whether this environment holds GDCM (which this process refuses to import, see above)."""
    return PathFinder.find_spec("gdcm") is not None


def decode_with_gdcm(
    frame: bytes, syntax: str, precision: int, pixel: ImagePixel
) -> NDArray[np.unsignedinteger]:
    """Decode one JPEG frame.

    Args:
        frame: The codestream, already held against the dataset.
        syntax: Transfer Syntax UID.
        precision: Bits per sample of the codestream, which counts, not the dataset's.
        pixel: Description of the picture.

    Returns:
        uint8 or uint16 [H, W] for one sample per pixel, [H, W, 3] for three: patterns, not
        sign-extended, in the colours of the codestream.

    Raises:
        UnreadableFilm: GDCM refused the codestream or died over it.
        CpuTimeExceeded: It took more CPU time than the budget allows, or gave no answer in time.
    """
    width = 1 if precision <= _BYTE else 2
    # GDCM aborts over fewer bits than a byte has, and decodes them as 8.
    picture = [syntax, pixel.rows, pixel.columns, max(precision, _BYTE), pixel.samples]
    seconds = BUDGET.cpu_seconds_of(len(frame))
    arguments = [*picture, seconds]
    try:
        child = subprocess.run(
            [sys.executable, "-I", str(_CHILD), *map(str, arguments)],
            input=frame,
            capture_output=True,
            timeout=BUDGET.wall_seconds_of(len(frame)),
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise CpuTimeExceeded("The pixel data takes too long to decode.") from error
    if child.returncode == -signal.SIGXCPU:
        raise CpuTimeExceeded(f"Decoding the image takes more than {seconds} seconds of CPU time.")
    size = pixel.rows * pixel.columns * pixel.samples * width
    if child.returncode != 0 or len(child.stdout) != size:
        raise UnreadableFilm("The pixel data cannot be decoded.")
    decoded = np.frombuffer(child.stdout, f"<u{width}")
    if pixel.samples == 1:
        return decoded.reshape(pixel.rows, pixel.columns)
    return decoded.reshape(pixel.rows, pixel.columns, pixel.samples)
