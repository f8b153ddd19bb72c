"""Analyse one image: fetch it, decode it, ask the models.

Stages, whose milliseconds are kept with the job: ``fetch``, ``decode`` and ``infer``
(preprocessing, boxes and outlines included).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from hilum.application.analysis.gate import gate_refusal
from hilum.application.analysis.pipeline import analyse
from hilum.application.intake.raw_images import read_for
from hilum.application.queue.handler import Outcome
from hilum.application.queue.probes import probe_object_store
from hilum.domain.errors import (
    Dependency,
    InternalError,
    NotAFrontalChestXray,
    ObjectMissing,
    OutOfMemory,
)
from hilum.domain.finding import Analysis, GateRecord
from hilum.domain.job import Job, JobEvent, Reason
from hilum.domain.principal import DEFAULT_SITE

if TYPE_CHECKING:
    from collections.abc import Callable

    from hilum.application.ports.clock import Clock
    from hilum.application.ports.film_reader import FilmReader
    from hilum.application.ports.inference import InferenceEngine
    from hilum.application.ports.model_catalogue import ModelCatalogue
    from hilum.application.ports.object_store import ObjectStore
    from hilum.application.ports.unit_of_work import Transaction, UnitOfWork
    from hilum.application.queue.handler import Stopwatch
    from hilum.domain.study import Instance


class AnalyseFilm:
    """Handles jobs, see :class:`hilum.application.queue.handler.Handler`."""

    def __init__(
        self,
        *,
        unit_of_work: UnitOfWork,
        store: ObjectStore,
        reader: FilmReader,
        engine: InferenceEngine,
        catalogue: ModelCatalogue,
        clock: Clock,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._store = store
        self._reader = reader
        self._engine = engine
        self._catalogue = catalogue
        self._clock = clock
        self.probes: dict[Dependency, Callable[[], object]] = {
            Dependency.OBJECT_STORE: partial(probe_object_store, store),
            Dependency.INFERENCE: self._ask_gate,
        }

    def load(self, transaction: Transaction, job: Job) -> Instance:
        """Return the job's instance."""
        instance = transaction.submissions.instance(job.instance_id)
        if instance is None:  # the schema forbids it
            raise InternalError(f"job {job.id} has no instance")
        return instance

    def run(self, job: Job, loaded: Instance, watch: Stopwatch) -> Outcome:
        """Analyse the image of a job."""
        with watch.stage("fetch"):
            content = self._store.get(loaded.object_key)
        if len(content) != loaded.size_bytes:
            raise ObjectMissing(
                f"{loaded.object_key} has {len(content)} bytes, accepted {loaded.size_bytes}"
            )
        models = self._catalogue.of_site(job.site)
        try:
            with watch.stage("decode"):
                film = read_for(job.site, self._reader, content, self._unit_of_work)
            with watch.stage("infer"):
                read = analyse(film, models, self._engine)
        except MemoryError as error:
            raise OutOfMemory("the worker has no memory left") from error
        now = self._clock.now()
        notes = tuple(sorted(read.notes))
        if read.gate is not None and not read.passed:
            gate = GateRecord(job.id, models.version, read.gate, now)
            refusal = NotAFrontalChestXray(gate_refusal(gate.reading))
            return Outcome(
                JobEvent.REJECT,
                Reason(refusal.code, refusal.detail),
                notes,
                lambda transaction: transaction.results.add_gate(gate),
            )
        analysis = Analysis(
            job_id=job.id,
            model_set=models.version,
            panels=read.panels,
            heatmaps=read.heatmaps,
            rows=film.pixels.shape[0],
            columns=film.pixels.shape[1],
            created_at=now,
            inverted=read.inverted,
            gate=read.gate,
            structures=read.structures,
            impression=read.impression,
            pixel_aspect=film.header.pixel_aspect,
        )
        return Outcome(notes=notes, record=lambda transaction: transaction.results.add(analysis))

    def _ask_gate(self) -> None:
        """Probe the inference server with a blank image."""
        models = self._catalogue.of_site(DEFAULT_SITE)
        model = models.gate[0] if models.gate else models.models[0]
        self._engine.infer(model, np.zeros((1, *model.film_input.shape), np.uint8))
