"""Results, heatmaps and what the gate said: written once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from hilum.adapters.postgres.insertion import insert, insert_absent
from hilum.adapters.postgres.repositories.reading_documents import (
    document_of_impression,
    document_of_panel,
    document_of_structures,
    impression_of_document,
    panel_of,
    structures_of,
)
from hilum.adapters.postgres.tables import GATE_READINGS, HEATMAPS, RESULTS
from hilum.domain.finding import Analysis, GateRecord, Heatmap, ResultOverview

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from sqlalchemy.engine import Connection

    from hilum.domain.finding import PanelReading

_RESULT_COLUMNS = sa.select(
    RESULTS.c.model_set,
    RESULTS.c.panels,
    RESULTS.c["rows"],
    RESULTS.c["columns"],
    RESULTS.c.inverted,
    RESULTS.c.created_at,
    RESULTS.c.structures,
    GATE_READINGS.c.reading,
    RESULTS.c.impression,
    RESULTS.c.pixel_aspect,
)
_RESULT = _RESULT_COLUMNS.select_from(
    RESULTS.outerjoin(GATE_READINGS, GATE_READINGS.c.job_id == RESULTS.c.job_id)
).where(RESULTS.c.job_id == sa.bindparam("wanted_id"))
_OVERVIEWS = sa.select(RESULTS.c.job_id, RESULTS.c.panels, RESULTS.c.impression).where(
    RESULTS.c.job_id.in_(sa.bindparam("wanted_ids", expanding=True))
)
_GATE = sa.select(GATE_READINGS.c.reading).where(
    GATE_READINGS.c.job_id == sa.bindparam("wanted_id")
)
_HEATMAP = sa.select(
    HEATMAPS.c.panel,
    HEATMAPS.c.label,
    HEATMAPS.c["rows"],
    HEATMAPS.c["columns"],
    HEATMAPS.c["values"],
    HEATMAPS.c.scale,
).where(
    HEATMAPS.c.job_id == sa.bindparam("wanted_id"),
    HEATMAPS.c.panel == sa.bindparam("wanted_panel"),
    HEATMAPS.c.label == sa.bindparam("wanted_label"),
)


class SqlResultRepository:
    """See :class:`hilum.application.ports.repositories.ResultRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, analysis: Analysis) -> bool:
        """Write a result; False if the job has one already."""
        result = {
            "job_id": analysis.job_id,
            "model_set": analysis.model_set,
            "panels": [document_of_panel(panel) for panel in analysis.panels],
            "rows": analysis.rows,
            "columns": analysis.columns,
            "inverted": analysis.inverted,
            "created_at": analysis.created_at,
            "structures": [document_of_structures(reading) for reading in analysis.structures],
            "impression": document_of_impression(analysis.impression),
            "pixel_aspect": analysis.pixel_aspect,
        }
        if not insert_absent(self._connection, RESULTS.c.job_id, [result]):
            return False
        heatmaps = [
            {
                "job_id": analysis.job_id,
                "panel": heatmap.panel,
                "label": heatmap.label,
                "rows": heatmap.rows,
                "columns": heatmap.columns,
                "values": heatmap.values,
                "scale": heatmap.scale,
            }
            for heatmap in analysis.heatmaps
        ]
        insert(self._connection, HEATMAPS, heatmaps)
        if analysis.gate is not None:
            said = GateRecord(
                analysis.job_id, analysis.model_set, analysis.gate, analysis.created_at
            )
            self.add_gate(said)
        return True

    def get(self, job_id: UUID) -> Analysis | None:
        """A result without its heatmaps' values: ``heatmaps`` is empty."""
        row = self._connection.execute(_RESULT, {"wanted_id": job_id}).one_or_none()
        if row is None:
            return None
        model_set, panels, rows, columns, inverted, created_at, structures, gate, said, aspect = row
        return Analysis(
            job_id=job_id,
            model_set=model_set,
            panels=tuple(panel_of(document) for document in panels),
            heatmaps=(),
            rows=rows,
            columns=columns,
            inverted=inverted,
            created_at=created_at,
            gate=None if gate is None else panel_of(gate),
            structures=tuple(structures_of(document) for document in structures or ()),
            impression=impression_of_document(said),
            pixel_aspect=aspect or 1.0,
        )

    def overviews(self, job_ids: Sequence[UUID]) -> Mapping[UUID, ResultOverview]:
        """Return what a list shows of those of these jobs that have a result, in one query."""
        if not job_ids:
            return {}
        rows = self._connection.execute(_OVERVIEWS, {"wanted_ids": list(job_ids)})
        return {
            job_id: ResultOverview(
                tuple(panel_of(document) for document in documents), impression_of_document(said)
            )
            for job_id, documents, said in rows
        }

    def heatmap(self, job_id: UUID, panel: str, label: str) -> Heatmap | None:
        """One heatmap."""
        wanted = {"wanted_id": job_id, "wanted_panel": panel, "wanted_label": label}
        row = self._connection.execute(_HEATMAP, wanted).one_or_none()
        if row is None:
            return None
        panel, label, rows, columns, values, scale = row
        return Heatmap(panel, label, rows, columns, bytes(values), scale)

    def add_gate(self, gate: GateRecord) -> bool:
        """Write what the gate said of a film; False if the job has that already."""
        row = {
            "job_id": gate.job_id,
            "model_set": gate.model_set,
            "reading": document_of_panel(gate.reading),
            "created_at": gate.created_at,
        }
        return bool(insert_absent(self._connection, GATE_READINGS.c.job_id, [row]))

    def gate(self, job_id: UUID) -> PanelReading | None:
        """What the gate said of a job's film."""
        reading = self._connection.execute(_GATE, {"wanted_id": job_id}).scalar_one_or_none()
        return None if reading is None else panel_of(reading)
