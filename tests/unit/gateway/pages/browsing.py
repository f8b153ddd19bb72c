"""A gateway on fakes, and people who look at its pages."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
from fastapi.testclient import TestClient

from hilum.application.access.manage_keys import ManageKeys
from hilum.application.access.manage_sessions import ManageSessions
from hilum.application.analysis.analyse_film import AnalyseFilm
from hilum.application.intake.submission import SubmissionLimits
from hilum.application.intake.submit_images import SubmitImages
from hilum.application.models.models_of_site import ModelsOfSite
from hilum.application.operations.kinds import OPERATIONS
from hilum.application.operations.manage_operations import ManageOperations
from hilum.application.operations.run_operation import RunOperation
from hilum.application.queue.dependencies import Dependencies
from hilum.application.queue.handler import Kind
from hilum.application.queue.leases import KeepLeases
from hilum.application.queue.manage_sites import ManageSites
from hilum.application.queue.measure_queues import MeasureQueues
from hilum.application.queue.operate_flows import OperateFlows
from hilum.application.queue.operate_jobs import OperateJobs
from hilum.application.queue.run_next import RunNext
from hilum.application.results.read_jobs import ReadJobs
from hilum.application.results.read_submission import ReadSubmission
from hilum.application.results.show_film import ShowFilm
from hilum.domain.attempt import Worker
from hilum.domain.job import ANALYSIS, Priority
from hilum.domain.operation import OPERATION
from hilum.domain.principal import ALL_SITES, Role, local_command
from hilum.domain.retry_policy import RetryPolicy
from hilum_gateway.app import create_app
from hilum_gateway.wiring.container import Container
from hilum_gateway.wiring.settings import Settings
from tests.fakes.clock import SettableClock
from tests.fakes.film_reader import GraymapReader, graymap
from tests.fakes.inference import BandEngine
from tests.fakes.model_catalogue import InMemoryModelCatalogue, small_model
from tests.fakes.object_store import InMemoryObjectStore
from tests.fakes.task_queue import RecordingTaskQueue
from tests.fakes.unit_of_work import InMemoryUnitOfWork

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx
    from fastapi import FastAPI

    from hilum.application.ports.film_reader import FilmReader
    from hilum.domain.model import ModelManifest

ORIGIN = "http://testserver"
FROM_OWN_PAGE = {"Origin": ORIGIN, "Accept": "text/html"}
MAX_FILE_BYTES = 100_000


@dataclass
class FakeGateway:
    """Fakes, the use cases over them, and the application over those."""

    reader: FilmReader = field(default_factory=GraymapReader)
    settings: Settings = field(default_factory=lambda: fake_settings())  # noqa: PLW0108 - defined below
    models: Sequence[ModelManifest] = ()

    def __post_init__(self) -> None:
        self.clock = SettableClock()
        self.unit_of_work = InMemoryUnitOfWork(self.clock)
        self.store = InMemoryObjectStore()
        self.queue = RecordingTaskQueue()
        self.catalogue = InMemoryModelCatalogue(self.models or [small_model()])
        self.of_site = ModelsOfSite(
            catalogue=self.catalogue, unit_of_work=self.unit_of_work, clock=self.clock
        )
        self.engine = BandEngine(self.catalogue.models)
        self.keys = ManageKeys(unit_of_work=self.unit_of_work, clock=self.clock)
        self.container = self._container()
        self.app: FastAPI = create_app(self.container)

    def _container(self) -> Container:
        rows = {"unit_of_work": self.unit_of_work}
        return Container(
            settings=self.settings,
            submit_images=SubmitImages(
                unit_of_work=self.unit_of_work,
                store=self.store,
                queue=self.queue,
                reader=self.reader,
                catalogue=self.of_site,
                clock=self.clock,
                limits=SubmissionLimits(
                    self.settings.image.max_bytes, self.settings.upload.max_files
                ),
            ),
            read_submission=ReadSubmission(**rows),
            read_jobs=ReadJobs(**rows, store=self.store),
            show_film=ShowFilm(**rows, store=self.store, reader=self.reader),
            operate_jobs=OperateJobs(**rows, queue=self.queue, clock=self.clock),
            operate_flows=OperateFlows(**rows),
            manage_sites=ManageSites(**rows, clock=self.clock),
            operations=ManageOperations(**rows, queue=self.queue, kinds=OPERATIONS),
            manage_keys=self.keys,
            manage_sessions=ManageSessions(**rows, clock=self.clock),
            measure_queues=MeasureQueues(**rows),
            catalogue=self.of_site,
            unit_of_work=self.unit_of_work,
            store=self.store,
            queue=self.queue,
            clock=self.clock,
            close=lambda: None,
        )

    def rebuilt(self) -> FakeGateway:
        """Itself, with the application made anew over its present fakes."""
        self.container = self._container()
        self.app = create_app(self.container)
        return self

    def new_key(self, role: Role = Role.ADMIN, site: str = ALL_SITES) -> str:
        """A fresh key's text."""
        text = self.keys.create(f"{role.value} at {site}", role, local_command("test"), site=site)
        assert text is not None
        return text

    def visitor(self, base_url: str = ORIGIN) -> TestClient:
        """A browser that nobody has signed in with yet."""
        return TestClient(
            self.app, base_url=base_url, follow_redirects=False, headers=FROM_OWN_PAGE
        )

    def person(self, role: Role = Role.ADMIN, site: str = ALL_SITES) -> TestClient:
        """A browser, signed in."""
        browser = self.visitor()
        assert sign_in(browser, self.new_key(role, site)).status_code == 303
        return browser

    def work(self, *, max_attempts: int = 12) -> None:
        """Run all work that waits, as a worker does."""
        handler = AnalyseFilm(
            unit_of_work=self.unit_of_work,
            store=self.store,
            reader=self.reader,
            engine=self.engine,
            catalogue=self.of_site,
            clock=self.clock,
        )
        run_next = RunNext(
            unit_of_work=self.unit_of_work,
            kinds={
                ANALYSIS.kind: Kind(handler, RetryPolicy(max_attempts=max_attempts)),
                OPERATION.kind: Kind(
                    RunOperation(unit_of_work=self.unit_of_work, kinds=OPERATIONS), RetryPolicy()
                ),
            },
            leases=KeepLeases(
                unit_of_work=self.unit_of_work,
                clock=self.clock,
                worker=Worker(name="worker:test", host="h", release="1.2.3", queues=(), slots=1),
                lease=timedelta(minutes=1),
                max_run=timedelta(minutes=5),
            ),
            dependencies=Dependencies(handler.probes, unit_of_work=self.unit_of_work, slots=1),
            chance=random.Random(1),  # noqa: S311 - jitter, nothing secret
        )
        while run_next(list(Priority), lambda *_: None):
            pass


def fake_settings(**changes: dict[str, object]) -> Settings:
    """Settings that reach nothing; changes are given by group."""
    values: dict[str, dict[str, object]] = {
        "database": {"url": "sqlite:///nowhere"},
        "object_store": {"url": "file:///nowhere"},
        "broker": {"url": "filesystem:///nowhere"},
        "model": {"repository": "/nowhere"},
        "session": {"secret": "not-a-secret-but-long-enough-to-be-one"},
        "image": {"max_bytes": MAX_FILE_BYTES},
        "upload": {"max_files": 4},
    }
    for group, settings in changes.items():
        values[group] = values.get(group, {}) | settings
    return Settings.model_validate(values)


def film_bytes(seed: int = 1) -> bytes:
    """A film for the fake reader: bright below, dark above."""
    noise = np.random.default_rng(seed).integers(0, 40, (72, 96))
    ramp = np.linspace(0, 200, 72)[:, np.newaxis]
    return graymap((ramp + noise).astype(np.uint8))


def sign_in(browser: TestClient, key: str, **fields: str) -> httpx.Response:
    """Send the sign-in form."""
    return browser.post("/sign-in", data={"api_key": key, **fields})


def send(browser: TestClient, *names: str, seed: int = 1, **fields: str) -> httpx.Response:
    """Send the upload form with a film of each name, all different."""
    files = [("files", (name, film_bytes(seed + at))) for at, name in enumerate(names)]
    return browser.post("/films", files=files, data=fields)
