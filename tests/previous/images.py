"""The images whose answers are kept: phantoms that every checkout makes, and 200 of the pack."""

from __future__ import annotations

import csv
import io
import os
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from hilum.imaging.golden_films import golden_films
from hilum.imaging.phantom import phantom_film
from hilum_stack.paths import DEFAULT_CXR_FOLDER
from tests.unit.adapters.dicom.films import film

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

SHARES: Final = {
    "kermany": 40,
    "kermany_native": 20,
    "nih14": 50,
    "covid_cxnet": 20,
    "shenzhen": 20,
    "cohen": 20,
    "montgomery": 15,
    "dc1000": 5,
    "ddh_jordan": 5,
}
"""Images of the pack by source; with its five DICOM files they are 200."""
DICOM_FILES: Final = 5


def phantoms() -> dict[str, bytes]:
    """Return phantom images by name: chests of several shapes, shapes of known grey, DICOM."""
    found: dict[str, bytes] = {}
    for seed, (rows, columns) in enumerate([(320, 256), (256, 320), (512, 512), (1024, 832)]):
        chest = phantom_film(rows, columns, seed=seed)
        found[f"chest-{seed}.png"] = png(chest)
        found[f"inverted-{seed}.png"] = png(255 - chest)
        found[f"rotated-{seed}.png"] = png(np.rot90(chest))
    for number, shape in enumerate(golden_films(224)):
        found[f"shape-{number}.png"] = png(shape[..., 0])
    chest = phantom_film(320, 256, seed=9)
    found["plain.dcm"] = film(chest, bits=8)
    found["monochrome1.dcm"] = film(chest, bits=8, PhotometricInterpretation="MONOCHROME1")
    found["mirrored.dcm"] = film(chest, bits=8, PatientOrientation=["R", "F"])
    found["child.dcm"] = film(chest, bits=8, PatientAge="004Y")
    found["lateral.dcm"] = film(chest, bits=8, ViewPosition="LL")
    found["squeezed.dcm"] = film(chest, bits=8, PixelAspectRatio=[2, 1])
    found["raw.dcm"] = film(chest, bits=8, PresentationIntentType="FOR PROCESSING")
    found["truncated.dcm"] = film(chest, bits=8)[:-1000]
    found["empty.png"] = b""
    return found


def png(pixels: NDArray[np.uint8]) -> bytes:
    """Return a picture as a PNG file."""
    encoded = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(encoded, "PNG")
    return encoded.getvalue()


def pack_folder() -> Path | None:
    """Return the folder of the image pack, or None where there is none."""
    folder = Path(os.environ.get("HILUM_CXR_DIR") or DEFAULT_CXR_FOLDER)
    return folder if (folder / "manifest.csv").is_file() else None


def of_the_pack(folder: Path) -> dict[str, bytes]:
    """Return 200 images of the pack by their path in it: evenly taken from each source."""
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    files = [file for source, share in SHARES.items() for file in _evenly(rows, source, share)]
    files += sorted(f"dicom/{path.name}" for path in (folder / "dicom").glob("*.dcm"))[:DICOM_FILES]
    return {file: (folder / file).read_bytes() for file in files}


def _evenly(rows: list[dict[str, str]], source: str, share: int) -> Iterator[str]:
    files = sorted(row["file"] for row in rows if row["source"] == source)
    return (
        islice(files, 0, None, len(files) // share)
        if len(files) < share
        else iter(files[number * len(files) // share] for number in range(share))
    )
