"""Results and heatmaps: written once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from hilum.adapters.postgres.insertion import insert, insert_absent
from hilum.adapters.postgres.tables import HEATMAPS, RESULTS
from hilum.domain.finding import Analysis, Finding, Heatmap, PanelReading
from hilum.domain.model import CodedConcept

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.engine import Connection

_RESULT = sa.select(
    RESULTS.c.model_set,
    RESULTS.c.panels,
    RESULTS.c["rows"],
    RESULTS.c["columns"],
    RESULTS.c.inverted,
    RESULTS.c.created_at,
).where(RESULTS.c.job_id == sa.bindparam("wanted_id"))
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
            "panels": [_panel_document(panel) for panel in analysis.panels],
            "rows": analysis.rows,
            "columns": analysis.columns,
            "inverted": analysis.inverted,
            "created_at": analysis.created_at,
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
        return True

    def get(self, job_id: UUID) -> Analysis | None:
        """A result without its heatmaps' values: ``heatmaps`` is empty."""
        row = self._connection.execute(_RESULT, {"wanted_id": job_id}).one_or_none()
        if row is None:
            return None
        model_set, panels, rows, columns, inverted, created_at = row
        return Analysis(
            job_id=job_id,
            model_set=model_set,
            panels=tuple(_panel(document) for document in panels),
            heatmaps=(),
            rows=rows,
            columns=columns,
            inverted=inverted,
            created_at=created_at,
        )

    def heatmap(self, job_id: UUID, panel: str, label: str) -> Heatmap | None:
        """One heatmap."""
        wanted = {"wanted_id": job_id, "wanted_panel": panel, "wanted_label": label}
        row = self._connection.execute(_HEATMAP, wanted).one_or_none()
        if row is None:
            return None
        panel, label, rows, columns, values, scale = row
        return Heatmap(panel, label, rows, columns, bytes(values), scale)


def _panel_document(panel: PanelReading) -> dict[str, Any]:
    """The panel as JSON; written out, because ``asdict`` copies deeply and costs ten times this."""
    return {
        "panel": panel.panel,
        "model": panel.model,
        "version": panel.version,
        "findings": [
            {
                "label": finding.label,
                "display": finding.display,
                "probability": finding.probability,
                "operating_point": finding.operating_point,
                "positive": finding.positive,
                "abnormal": finding.abnormal,
                "weak": finding.weak,
                "code": None
                if finding.code is None
                else {
                    "scheme": finding.code.scheme,
                    "value": finding.code.value,
                    "meaning": finding.code.meaning,
                },
            }
            for finding in panel.findings
        ],
    }


def _panel(document: dict[str, Any]) -> PanelReading:
    findings = tuple(_finding(finding) for finding in document["findings"])
    return PanelReading(**{**document, "findings": findings})


def _finding(document: dict[str, Any]) -> Finding:
    code = document["code"]
    return Finding(**{**document, "code": CodedConcept(**code) if code else None})
