"""Measure how fast Hilum, Orthanc and storescp take objects by C-STORE, and what CPU it costs.

    make bench-dicom
    python -m benchmarks.dicom_ingest --sizes 1 --associations 1 4 --rounds 1

DCMTK's ``storescu`` sends, one process for each association. Hilum answers when the bytes are in
MinIO and the rows are committed in PostgreSQL. The receivers take turns in one run. All of it has
a network namespace of its own, so that no relay is measured. Read ratios, not figures.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import psutil
from pydicom import Dataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian

from benchmarks.table import machine
from hilum_stack.enclosed import ENCLOSED, enclose
from hilum_stack.minio import MinioServer
from hilum_stack.orthanc import OrthancServer
from hilum_stack.postgres import PostgresServer
from hilum_stack.redis import RedisServer
from hilum_stack.server import find_program
from hilum_stack.services import Listener, prepare_object_store, upgrade_database
from hilum_stack.storescp import StorescpServer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hilum_stack.server import Server

ROOT: Final = Path(__file__).resolve().parents[1]
OBJECTS: Final = {0.3: 128, 1.0: 96, 10.0: 32}
"""Objects of a run, by their size in MB."""
_UID: Final = "1.2.826.0.1.3680043.8.498."


@dataclass(frozen=True)
class Receiver:
    """Who takes objects.

    Attributes:
        name: For the table.
        ae_title: That is called.
        port: On 127.0.0.1.
        processes: Its servers by name. Of each the CPU time is told.
    """

    name: str
    ae_title: str
    port: int
    processes: Mapping[str, Server]


@dataclass
class Series:
    """Measurements of one receiver with one size and number of associations.

    Attributes:
        rates: Objects a second.
        cpu_ms: CPU milliseconds an object by process, the sender's among them.
    """

    rates: list[float] = field(default_factory=list)
    cpu_ms: dict[str, list[float]] = field(default_factory=dict)


class Objects:
    """Makes objects that nobody has received before."""

    def __init__(self) -> None:
        self._number = 0
        self._chance = np.random.default_rng(1)

    def write(self, folder: Path, megabytes: float, count: int) -> list[Path]:
        """Write DX objects of 16 bits a pixel; each has pixels and UIDs of its own."""
        side = int((megabytes * 1e6 / 2) ** 0.5)
        pixels = self._chance.integers(0, 4096, (side, side), dtype=np.uint16)
        paths = []
        for _ in range(count):
            self._number += 1
            pixels[0, :2] = divmod(self._number, 4096)
            path = folder / f"{self._number}.dcm"
            self._dataset(pixels).save_as(path, enforce_file_format=True)
            paths.append(path)
        return paths

    def _dataset(self, pixels: np.ndarray[tuple[int, int], np.dtype[np.uint16]]) -> Dataset:
        dataset = Dataset()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        run = f"{_UID}{os.getpid()}.{self._number}"
        dataset.SOPClassUID = DigitalXRayImageStorageForPresentation
        dataset.SOPInstanceUID = f"{run}.1"
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = f"{run}.2", f"{run}.3"
        dataset.Modality, dataset.BodyPartExamined, dataset.ViewPosition = "DX", "CHEST", "PA"
        dataset.PresentationIntentType = "FOR PRESENTATION"
        dataset.PatientID, dataset.PatientName = "BENCHMARK", "Benchmark^Synthetic"
        dataset.Rows, dataset.Columns = pixels.shape
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
        dataset.PixelRepresentation = 0
        dataset.WindowCenter, dataset.WindowWidth = 2048, 4096
        dataset.PixelData = pixels.tobytes()
        return dataset


def hilum(folder: Path, running: ExitStack) -> Receiver:
    """Start a listener with real servers behind it."""
    database, store, broker = (
        running.enter_context(kind(folder / kind.name).launch())
        for kind in (PostgresServer, MinioServer, RedisServer)
    )
    env = {
        "HILUM_DATABASE_URL": database.url,  # type: ignore[attr-defined] - each has one
        "HILUM_OBJECT_STORE_URL": store.url,  # type: ignore[attr-defined]
        "HILUM_BROKER_URL": broker.url,  # type: ignore[attr-defined]
        "HILUM_MODEL_REPOSITORY": str(ROOT / "model_repository"),
        "HILUM_LISTENER_UNKNOWN_CALLERS_SITE": "benchmark",
    }
    upgrade_database(env)
    prepare_object_store(env)
    listener = running.enter_context(Listener(folder / "listener", env).launch())
    processes = {"listener": listener, "postgresql": database, "minio": store, "redis": broker}
    return Receiver("Hilum, durable", "HILUM", listener.dicom_port, processes)


def orthanc(folder: Path, running: ExitStack) -> Receiver:
    """Start Orthanc as its package configures it."""
    server = running.enter_context(OrthancServer(folder / "orthanc").launch())
    return Receiver("Orthanc", server.ae_title, server.dicom_port, {"orthanc": server})


def storescp(folder: Path, running: ExitStack) -> Receiver:
    """Start DCMTK's receiver, a process for each association."""
    server = running.enter_context(StorescpServer(folder / "storescp").launch())
    return Receiver("storescp --fork", server.ae_title, server.dicom_port, {"storescp": server})


def cpu_s(server: Server) -> float:
    """Return CPU seconds of a server, its processes and those of them that have ended."""
    root = psutil.Process(server.pid)
    total = 0.0
    for process in (root, *root.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def send(receiver: Receiver, portions: Sequence[Sequence[Path]], series: Series) -> None:
    """Send portions at once, each over an association of its own, and add what it took.

    Raises:
        RuntimeError: A sender was not answered with success throughout.
    """
    count = sum(map(len, portions))
    before = {name: cpu_s(server) for name, server in receiver.processes.items()}
    sent_before, began = _children_s(), time.monotonic()
    program = str(find_program("DCMTK", "storescu"))
    address = ("--call", receiver.ae_title, "127.0.0.1", str(receiver.port))
    senders = [
        subprocess.Popen(
            [program, *address, *map(str, portion)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for portion in portions
    ]
    for sender in senders:
        _, told = sender.communicate()
        if sender.returncode:
            raise RuntimeError(f"{receiver.name}: {told}")
    series.rates.append(count / (time.monotonic() - began))
    spent = {name: cpu_s(server) - before[name] for name, server in receiver.processes.items()}
    for name, seconds in {**spent, "storescu": _children_s() - sent_before}.items():
        series.cpu_ms.setdefault(name, []).append(1000 * seconds / count)


def _children_s() -> float:
    times = psutil.Process().cpu_times()
    return float(times.children_user + times.children_system)


def measure(
    receivers: Sequence[Receiver], sizes: Sequence[float], associations: Sequence[int], rounds: int
) -> dict[tuple[float, int, str], Series]:
    """Let the receivers take turns with each size and number of associations."""
    objects, found = Objects(), {}
    for size in sizes:
        for number in associations:
            for _ in range(rounds):
                for receiver in receivers:
                    key = (size, number, receiver.name)
                    with tempfile.TemporaryDirectory() as folder:
                        paths = objects.write(Path(folder), size, OBJECTS.get(size, 64))
                        portions = [paths[first::number] for first in range(number)]
                        send(receiver, portions, found.setdefault(key, Series()))
    return found


def show(found: Mapping[tuple[float, int, str], Series]) -> None:
    """Print a table."""
    print("| MB | associations | receiver | objects/s | of Orthanc's | CPU ms an object |")
    print("| ---: | ---: | --- | ---: | ---: | --- |")
    for (size, number, name), series in found.items():
        rate = statistics.median(series.rates)
        peer = found.get((size, number, "Orthanc"))
        ratio = f"{rate / statistics.median(peer.rates):.2f}" if peer else ""
        cpu = ", ".join(
            f"{process} {statistics.median(spent):.1f}" for process, spent in series.cpu_ms.items()
        )
        print(f"| {size:g} | {number} | {name} | {rate:.0f} | {ratio} | {cpu} |")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark in a network namespace of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=float, nargs="+", default=list(OBJECTS), help="in MB")
    parser.add_argument("--associations", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    if not os.environ.get(ENCLOSED):
        again = [sys.executable, "-m", "benchmarks.dicom_ingest", *(arguments or sys.argv[1:])]
        env = {**os.environ, ENCLOSED: "1"}
        return subprocess.run(enclose(again), env=env, check=False).returncode
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        Path(folder).chmod(0o755)
        receivers = [start(Path(folder), running) for start in (hilum, orthanc, storescp)]
        found = measure(receivers, options.sizes, options.associations, options.rounds)
    print(machine())
    show(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
