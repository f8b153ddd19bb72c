"""Memory of a gateway and of a worker with their pooled reader processes.

Run as ``python -m benchmarks.readers``. Sends JPEG 2000 images of several sizes to the real stack,
asks for their previews, and notes the proportional set size of each process tree: the peak, and
idle. Writes ``benchmarks/out/readers.json``.
"""

from __future__ import annotations

import argparse
import io
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
from pydicom import dcmread
from pydicom.uid import JPEG2000Lossless, generate_uid
from rich.console import Console
from rich.table import Table

from benchmarks.accounting import Accounting, tree_bytes
from benchmarks.fresh_stack import fresh_stack
from benchmarks.results import Results
from benchmarks.table import machine
from hilum.adapters.dicom.phantom_dicom import phantom_dicom

if TYPE_CHECKING:
    from hilum_stack.real import RealStack

OUT = Path(__file__).resolve().parent / "out"
_MIB = 2**20
_PHANTOM = 1000
_SCALES = (1, 3, 5, 6)
_IMAGES = 4
_AT_ONCE = 4


def encoded_images(scale: int) -> list[bytes]:
    """Make square JPEG 2000 images of 12 bits with noise, equal but for what names them."""
    dataset = dcmread(io.BytesIO(phantom_dicom(_PHANTOM, _PHANTOM, scale)))
    pixels = dataset.pixel_array.repeat(scale, axis=0).repeat(scale, axis=1) // 2
    pixels += np.random.default_rng(scale).integers(0, 25, pixels.shape, dtype=np.uint8)
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.PixelData = pixels.astype("<u2").tobytes()
    dataset.compress(JPEG2000Lossless, encoding_plugin="pylibjpeg")
    images = []
    for _ in range(_IMAGES):
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        buffer = io.BytesIO()
        dataset.save_as(buffer, enforce_file_format=True)
        images.append(buffer.getvalue())
    return images


def measure() -> dict[str, Any]:
    """Send images of each size, and note memory."""
    with fresh_stack(1) as stack:
        key = stack.api_key_path.read_text(encoding="utf-8").strip()
        watched = {
            name: pid
            for name, pid in stack.processes.items()
            if name.startswith(("worker", "gate"))
        }
        idle = {name: tree_bytes(pid) / _MIB for name, pid in watched.items()}
        rows = [{"megapixels": 0.0, "idle": idle, "peak": idle}]
        headers = {"Authorization": f"Bearer {key}"}
        with httpx.Client(base_url=stack.url, headers=headers, timeout=600) as client:
            for scale in _SCALES:
                images = encoded_images(scale)
                with Accounting(watched, interval_s=0.1) as accounting:
                    _look_at(stack, client, images)
                time.sleep(2)
                rows.append(
                    {
                        "megapixels": (_PHANTOM * scale) ** 2 / 1e6,
                        "idle": {name: tree_bytes(pid) / _MIB for name, pid in watched.items()},
                        "peak": {
                            name: account.peak_bytes / _MIB
                            for name, account in accounting.accounts.items()
                        },
                    }
                )
    return {"machine": machine(), "images": _IMAGES, "at_once": _AT_ONCE, "mib": rows}


def _look_at(stack: RealStack, client: httpx.Client, images: list[bytes]) -> None:
    """Have images analysed, then displayed, as many at once as there are threads for it."""
    files = [("files", (f"{index}.dcm", image)) for index, image in enumerate(images)]
    sent = client.post("/v1/studies", files=files).raise_for_status()
    jobs = [job["job_id"] for job in sent.json()["jobs"]]
    Results(stack.env["HILUM_DATABASE_URL"]).wait_until_settled()
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        for answer in threads.map(lambda job: client.get(f"/v1/jobs/{job}/preview.png"), jobs):
            answer.raise_for_status()


def main() -> None:
    """Command line."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    report = measure()
    OUT.mkdir(exist_ok=True)
    (OUT / "readers.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    names = list(report["mib"][0]["idle"])
    table = Table("megapixels", *(f"{name}, {kind}" for kind in ("idle", "peak") for name in names))
    for row in report["mib"]:
        values = (row[kind][name] for kind in ("idle", "peak") for name in names)
        table.add_row(f"{row['megapixels']:.1f}", *(f"{value:.0f}" for value in values))
    console = Console()
    console.print(report["machine"])
    console.print(table)


if __name__ == "__main__":
    main()
