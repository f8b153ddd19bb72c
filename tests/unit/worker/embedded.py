"""A real worker process on the embedded adapters, and a gateway's use case to give it films."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hilum.adapters.clock.clock import SystemClock
from hilum.adapters.dicom.film_reader import DicomFilmReader
from hilum.adapters.model_catalogue.model_catalogue import FilesystemModelCatalogue
from hilum.adapters.object_store.object_store import open_object_store
from hilum.adapters.postgres import migrate
from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.unit_of_work import SqlUnitOfWork
from hilum.adapters.task_queue.celery_app import create_celery
from hilum.adapters.task_queue.celery_queue import CeleryTaskQueue
from hilum.application.intake.submission import IncomingFile, SubmissionFields, SubmissionLimits
from hilum.application.intake.submit_images import SubmitImages
from hilum.domain.job import SETTLED, Job, JobState, Priority
from hilum.domain.principal import local_command
from hilum.imaging.film import FilmLimits
from hilum.imaging.png_writer import encode_png
from tests.contract.task_queue.linked_folder import LinkedFolder
from tests.grey_networks import write_grey_repository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from celery import Celery

    from hilum.application.ports.task_queue import TaskQueue

PATIENCE_S = 120.0
_LOOK_S = 0.01


def noise_film(seed: int, size: int = 300) -> bytes:
    """A PNG that nobody has sent before; the larger, the longer it takes to read."""
    rng = np.random.default_rng(seed)
    return encode_png(rng.integers(0, 256, (size, size), dtype=np.uint8))


def wait_until(condition: Callable[[], Any], what: str) -> Any:
    """Wait for a condition to hold; gives what it gave."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        held = condition()
        if held:
            return held
        time.sleep(_LOOK_S)
    raise AssertionError(f"never happened: {what}")


class EmbeddedPlatform:
    """A database, a store and a broker in one folder.

    Args:
        folder: Holds everything.
        broker_url: Of another broker than the folder's.
    """

    def __init__(self, folder: Path, broker_url: str | None = None) -> None:
        self.folder = folder
        self.models = write_grey_repository(folder / "models")
        self.broker = LinkedFolder(folder)
        self._broker_url = broker_url or self.broker.url
        migrate.upgrade(self.environment["HILUM_DATABASE_URL"])
        self.unit_of_work = SqlUnitOfWork(
            create_database_engine(self.environment["HILUM_DATABASE_URL"])
        )

    @property
    def environment(self) -> dict[str, str]:
        """For a worker; quick to notice what is lost."""
        return {
            "HILUM_DATABASE_URL": f"sqlite:///{self.folder}/hilum.db",
            "HILUM_OBJECT_STORE_URL": f"file://{self.folder}/objects",
            "HILUM_BROKER_URL": self._broker_url,
            "HILUM_INFERENCE_URL": "onnx://",
            "HILUM_MODEL_REPOSITORY": str(self.models),
            "HILUM_WORKER_READY_FILE": str(self.folder / "ready"),
            "HILUM_QUEUE_RECONCILE_SECONDS": "0.2",
            "HILUM_QUEUE_LEASE_SECONDS": "10",
        }

    @cached_property
    def celery(self) -> Celery:
        return create_celery(self.environment["HILUM_BROKER_URL"])

    def messages(self, queue: str) -> list[Path]:
        """Wake-ups that wait in a queue of the folder."""
        return list(self.broker.path.glob(f"{queue}/*.msg"))

    def submit(
        self,
        films: Sequence[bytes],
        priority: Priority = Priority.ROUTINE,
        *,
        queue: TaskQueue | None = None,
    ) -> list[Job]:
        """Accept films as a gateway does, and wake the workers, or somebody else."""
        submit = SubmitImages(
            unit_of_work=self.unit_of_work,
            store=open_object_store(self.environment["HILUM_OBJECT_STORE_URL"]),
            queue=queue or CeleryTaskQueue(self.celery),
            reader=DicomFilmReader(FilmLimits()),
            catalogue=FilesystemModelCatalogue(self.models),
            clock=SystemClock(),
            limits=SubmissionLimits(FilmLimits().max_bytes, 1000),
        )
        files = [IncomingFile(f"{n}.png", [film]) for n, film in enumerate(films)]
        submitted = submit(files, lambda: SubmissionFields(priority), local_command("test"), "test")
        return [file.job for file in submitted.accepted]

    def job(self, job: Job) -> Job:
        """A job as it is now."""
        with self.unit_of_work.begin(write=False) as transaction:
            found = transaction.jobs.get(job.id)
        assert found is not None
        return found

    def count(self, state: JobState) -> int:
        """Jobs in a state."""
        with self.unit_of_work.begin(write=False) as transaction:
            return transaction.jobs.counts(None)[state]

    def settled(self, jobs: Sequence[Job]) -> list[Job]:
        """Wait until all of them have settled."""

        def look() -> list[Job]:
            now = [self.job(job) for job in jobs]
            return now if all(job.state in SETTLED for job in now) else []

        return list(wait_until(look, "every job settled"))

    @contextmanager
    def worker(self, **environment: str) -> Iterator[WorkerProcess]:
        """A worker process that takes work; killed at the end if it still runs."""
        process = WorkerProcess(self.folder, {**self.environment, **environment})
        try:
            process.wait_for_ready()
            yield process
        finally:
            process.end()


class WorkerProcess:
    """``python -m hilum_worker``."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.ready_file = Path(environment["HILUM_WORKER_READY_FILE"])
        self._log_path = folder / f"worker-{time.monotonic_ns()}.log"
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("HILUM_")}
        with self._log_path.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "hilum_worker"],
                env={**inherited, **environment},
                stdout=subprocess.DEVNULL,
                stderr=log,
            )

    @property
    def log(self) -> str:
        """Everything that it logged so far."""
        return self._log_path.read_text()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_for_ready(self) -> None:
        """Wait until it takes work."""
        wait_until(lambda: self.ready_file.exists() or not self.alive, "the worker is ready")
        assert self.alive, self.log

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait; gives the exit code."""
        self._process.send_signal(number)
        return self._process.wait(PATIENCE_S)

    def wait(self) -> int:
        """Wait for it to end by itself; gives the exit code."""
        return self._process.wait(PATIENCE_S)

    def end(self) -> None:
        if self.alive:
            self._process.kill()
        self._process.wait()
