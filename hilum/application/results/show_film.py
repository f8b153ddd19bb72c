"""Show a film that was read: its preview, and the heatmaps and outlines over it.

Most films of a screening programme are never looked at, so a preview is made when somebody asks
for it first, and kept. Only a film that a worker has read can be shown: what would crash a decoder
has crashed a worker, not the process that answers requests.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hilum.application.queue.operate_jobs import require_film, visible_job
from hilum.domain.errors import NotFound, ObjectMissing, ObjectStoreUnavailable
from hilum.domain.object_keys import preview_key
from hilum.domain.principal import Permission, Principal
from hilum.imaging.polarity import negative
from hilum.imaging.preview import encode_preview, preview_pixels

if TYPE_CHECKING:
    from uuid import UUID

    from hilum.application.ports.film_reader import FilmReader
    from hilum.application.ports.object_store import ObjectStore
    from hilum.application.ports.unit_of_work import Transaction, UnitOfWork
    from hilum.domain.finding import Analysis, Heatmap, StructuresReading
    from hilum.domain.job import Job

_LOG = logging.getLogger(__name__)
_AT_ONCE: Final = 2
"""Images that are decoded at the same time. Whoever waits holds no file in memory."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a preview is made from."""

    job_id: UUID
    object_key: str
    inverted: bool
    pixel_aspect: float | None

    @property
    def preview_key(self) -> str:
        return preview_key(self.job_id)


class ShowFilm:
    """Pictures of completed jobs. A job of another site does not exist for a principal."""

    def __init__(self, *, unit_of_work: UnitOfWork, store: ObjectStore, reader: FilmReader) -> None:
        self._unit_of_work = unit_of_work
        self._store = store
        self._reader = reader
        self._turns = threading.Semaphore(_AT_ONCE)

    def preview(self, job_id: UUID, principal: Principal) -> bytes:
        """The film in its stored orientation, small, see :mod:`hilum.imaging.preview`.

        A film that the gate stopped was decoded by a worker, too: it is shown as it came.

        Raises:
            NotFound: No such job for this principal, or no worker has looked at its film (yet).
            FilmExpired: The film was removed after its time.
        """
        with self._unit_of_work.begin(write=False) as transaction:
            job = visible_job(transaction, job_id, principal, Permission.READ_IMAGES)
            shown = self._shown(transaction, job, "preview")
        return self._preview(shown)

    def heatmap(
        self, job_id: UUID, panel: str, label: str, principal: Principal
    ) -> tuple[bytes, Heatmap]:
        """The preview and one heatmap that spans it.

        Raises:
            NotFound: No such job for this principal, or it has no such heatmap (yet).
            FilmExpired: The film was removed after its time.
        """
        wanted = f"heatmap {panel}/{label}"
        with self._unit_of_work.begin(write=False) as transaction:
            job = visible_job(transaction, job_id, principal, Permission.READ_RESULTS)
            shown = self._shown(transaction, job, wanted)
            heatmap = transaction.results.heatmap(job_id, panel, label)
        if heatmap is None:
            raise NotFound(f"job {job_id} has no {wanted}")
        return self._preview(shown), heatmap

    def structures(
        self, job_id: UUID, panel: str, principal: Principal
    ) -> tuple[StructuresReading, Analysis]:
        """What a panel outlined on the film, and the result that it is part of.

        Raises:
            NotFound: No such job for this principal, or it has no such panel (yet).
        """
        with self._unit_of_work.begin(write=False) as transaction:
            visible_job(transaction, job_id, principal, Permission.READ_RESULTS)
            analysis = transaction.results.get(job_id)
        if analysis is not None:
            for reading in analysis.structures:
                if reading.panel == panel:
                    return reading, analysis
        raise NotFound(f"job {job_id} has no outlines {panel}")

    def _shown(self, transaction: Transaction, job: Job, wanted: str) -> _Shown:
        require_film(job)
        analysis = transaction.results.get(job.id)
        instance = transaction.submissions.instance(job.instance_id)
        decoded = analysis is not None or transaction.results.gate(job.id) is not None
        if instance is None or not decoded:
            raise NotFound(f"job {job.id} has no {wanted}")
        if analysis is None:
            return _Shown(job.id, instance.object_key, inverted=False, pixel_aspect=None)
        return _Shown(job.id, instance.object_key, analysis.inverted, analysis.pixel_aspect)

    def _preview(self, shown: _Shown) -> bytes:
        try:
            return self._store.get(shown.preview_key)
        except ObjectMissing:
            pass
        with self._turns:
            stored = self._made(shown)
        try:
            self._store.put(shown.preview_key, [stored], media_type="image/jpeg")
        except ObjectStoreUnavailable as error:
            facts = {"job_id": str(shown.job_id), "error": error.sentence}
            _LOG.warning("preview.dropped", extra=facts)
        return stored

    def _made(self, shown: _Shown) -> bytes:
        film = self._reader.read(self._store.get(shown.object_key), for_processing=True)
        # A result of a release before 0.3.0 has its places on pixels that were shown square.
        aspect = film.header.pixel_aspect if shown.pixel_aspect is None else shown.pixel_aspect
        small = preview_pixels(film.pixels, aspect=aspect)
        return encode_preview(negative(small) if shown.inverted else small)
