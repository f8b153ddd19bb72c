"""Rows to put into a database."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import sqlalchemy as sa

from hilum.adapters.postgres.tables import JOBS, WORK_FLOWS
from hilum.adapters.postgres.unit_of_work import SqlUnitOfWork
from hilum.domain.audit import AuditEvent
from hilum.domain.finding import (
    Analysis,
    Box,
    CardiothoracicRatio,
    Finding,
    GateRecord,
    Heatmap,
    PanelReading,
    Structure,
    StructuresReading,
)
from hilum.domain.impression import Impression, ImpressionKind, NamedFinding
from hilum.domain.job import Job, JobState, Priority
from hilum.domain.model import CodedConcept, PanelKind, Rank
from hilum.domain.principal import Principal, PrincipalKind
from hilum.domain.study import Instance
from hilum.domain.submission import Source, Submission
from tests.fakes.unit_of_work import InMemoryUnitOfWork

if TYPE_CHECKING:
    from uuid import UUID

    from hilum.application.ports.unit_of_work import UnitOfWork

NOW = datetime(2026, 11, 21, 9, 30, 15, 123456, tzinfo=UTC)
FAR = datetime(9000, 1, 1, tzinfo=UTC)
KEY = Principal(PrincipalKind.API_KEY, "key-1")
LEASE = timedelta(seconds=30)
_FIRST = count(-1, -1)
_COMPARED = ("lease_expires_at", "not_before")


def seconds(number: float) -> timedelta:
    """So many seconds."""
    return timedelta(seconds=number)


@dataclass(frozen=True)
class Film:
    """A submission of one film, and its job."""

    submission: Submission
    instance: Instance
    job: Job


def a_film(**of_job: Any) -> Film:
    """A submission with one instance and a queued job; keywords replace fields of the job."""
    submission = Submission(
        id=uuid4(),
        site=of_job.get("site", "north"),
        principal=KEY,
        source=Source.API,
        patient_ref="P-1",
        priority=of_job.get("priority", Priority.ROUTINE),
        received_at=NOW,
    )
    instance = Instance(
        id=uuid4(),
        study_id=submission.id,
        filename="thorax ä.dcm",
        media_type="application/dicom",
        size_bytes=5_000_000_000,
        sha256="ab" * 32,
        sop_instance_uid="1.2.3",
        object_key=f"films/{submission.id}",
    )
    fields: dict[str, Any] = {
        "id": uuid4(),
        "study_id": submission.id,
        "instance_id": instance.id,
        "site": submission.site,
        "filename": instance.filename,
        "state": JobState.QUEUED,
        "priority": submission.priority,
        "model_set": "ms-1",
        "idempotency_key": uuid4().hex,
        "created_at": NOW,
        "updated_at": NOW,
        **of_job,
    }
    return Film(submission, instance, Job(**fields))


def accept(unit_of_work: UnitOfWork, *films: Film) -> None:
    """Commit films that are new. Their tags stay, and their flows are made."""
    with unit_of_work.begin() as transaction:
        transaction.jobs.add_new([film.job for film in films])
        for film in films:
            transaction.submissions.add_instances(film.submission, [film.instance])
        for priority, site in sorted({(film.job.priority, film.job.site) for film in films}):
            transaction.work_flows.resume(priority, site)


def accepted(unit_of_work: UnitOfWork, **of_job: Any) -> Job:
    """A committed job."""
    film = a_film(**of_job)
    accept(unit_of_work, film)
    return film.job


def claimed(unit_of_work: UnitOfWork, owner: str = "worker-1", **of_job: Any) -> Job:
    """A committed job that a worker runs; it went before all that wait."""
    job = accepted(unit_of_work, fair_tag=next(_FIRST), **of_job)
    running = claim(unit_of_work, owner)
    assert running is not None
    assert running.id == job.id
    return running


def claim(unit_of_work: UnitOfWork, owner: str = "worker-1") -> Job | None:
    """The next job of any priority, taken by a worker."""
    with unit_of_work.begin() as transaction:
        return transaction.jobs.claim(list(Priority), owner, LEASE)


def elapse(unit_of_work: UnitOfWork, length: timedelta) -> None:
    """Let time go by: whatever is compared with the database's clock moves into the past."""
    if isinstance(unit_of_work, InMemoryUnitOfWork):
        rows = unit_of_work.rows
        for job in list(rows.jobs.values()):
            moved = {
                name: moment - length
                for name in _COMPARED
                if (moment := getattr(job, name)) is not None
            }
            rows.jobs[job.id] = replace(job, **moved)
        for key, flow in list(rows.work_flows.items()):
            if flow.paused_until is not None:
                rows.work_flows[key] = replace(flow, paused_until=flow.paused_until - length)
        return
    assert isinstance(unit_of_work, SqlUnitOfWork)
    with unit_of_work.begin() as transaction:
        connection = transaction._connection  # noqa: SLF001 - no port moves time
        for table, names in ((JOBS, _COMPARED), (WORK_FLOWS, ("paused_until",))):
            key = list(table.primary_key.columns)
            rows = connection.execute(sa.select(*key, *(table.c[name] for name in names))).all()
            for row in rows:
                values = dict(zip(names, row[len(key) :], strict=True))
                moved = {name: v - length for name, v in values.items() if v is not None}
                if moved:
                    here = [c == v for c, v in zip(key, row, strict=False)]
                    connection.execute(sa.update(table).where(*here).values(**moved))


def stored(unit_of_work: UnitOfWork, job_id: UUID) -> Job:
    """The job as it is committed now."""
    with unit_of_work.begin(write=False) as transaction:
        job = transaction.jobs.get(job_id)
    assert job is not None
    return job


def an_analysis(job: Job) -> Analysis:
    """A result with findings, heatmaps, boxes, the gate's scores and structures."""
    findings = (
        Finding("normal", "Normal", 0.1, 0.5, positive=False, abnormal=False, weak=False),
        Finding(
            "covid19",
            "COVID-19",
            1e-07,
            0.333333,
            positive=False,
            abnormal=True,
            weak=True,
            code=CodedConcept("SCT", "840539006", "COVID-19"),
            heatmap=True,
            boxes=(Box(0.1, 20.0, 33.333333, 1e-07, 2.5), Box(0, 0, 1, 1, 0.25)),
        ),
    )
    heatmaps = tuple(
        Heatmap("pneumonia", finding.label, 2, 3, bytes([0, 255, 39, 92, 1, index]), 0.1 + index)
        for index, finding in enumerate(findings)
    )
    panel = PanelReading("pneumonia", "pneumonia-compact", "1.0.0", findings)
    other = PanelReading(
        panel="pathology",
        model="chest",
        version="2.0.0",
        findings=(),
        display="Findings ä",
        kind=PanelKind.MULTI_LABEL,
        caution="Labels were mined from reports.",
    )
    out_of_scope = replace(
        findings[1],
        label="bacterial",
        operating_point=None,
        positive=None,
        rank=Rank.EXPERIMENTAL,
        reason="age_outside_scope",
        map_in_lungs=0.25,
        prevalence=0.05,
        predictive_value=0.3333,
    )
    panel = replace(
        panel, findings=(*findings, out_of_scope), scope_reason="age_outside_scope", child=True
    )
    return Analysis(
        job_id=job.id,
        model_set=job.model_set,
        panels=(panel, other),
        heatmaps=heatmaps,
        rows=2048,
        columns=1500,
        created_at=NOW,
        gate=a_gate_reading(),
        structures=(a_structures_reading(), replace(a_structures_reading(), panel="ribs")),
        impression=Impression(
            ImpressionKind.FINDING,
            (NamedFinding("pneumonia", "covid19", "COVID-19 ä", 1e-07),),
            "",
            "Finding: COVID-19.",
        ),
        pixel_aspect=0.1 + 0.2,
    )


def a_gate_reading(frontal: float = 0.987654) -> PanelReading:
    """What a gate says."""
    scores = {"frontal": frontal, "lateral": round(1 - frontal, 6)}
    findings = tuple(
        Finding(label, label, score, 0.5, positive=score >= 0.5, abnormal=False, weak=False)
        for label, score in scores.items()
    )
    return PanelReading("gate", "gate", "1.0.0", findings, "Gate", PanelKind.GATE)


def a_structures_reading() -> StructuresReading:
    """Two structures, one of them not seen."""
    outline = ((0.25, 1.5), (700.125, 2.0), (350.0, 1999.99))
    return StructuresReading(
        panel="lungs",
        model="lungs",
        version="1.0.0",
        structures=(
            Structure("right_lung", "Right lung", (outline, outline[:2]), 0.213, ("tiny",)),
            Structure("heart", "Heart", (), 0.0, ("absent",)),
        ),
        cardiothoracic=CardiothoracicRatio(0.47, "lung_borders", "", (500.5, 900.25), (100, 1200)),
        display="Lungs",
        caution="Lung fields without the part behind the heart.",
    )


def a_stop(job: Job) -> GateRecord:
    """The record of a film that the gate stopped."""
    return GateRecord(job.id, job.model_set, a_gate_reading(0.02), NOW)


def an_event(number: int = 0, **details: Any) -> AuditEvent:
    """An audit event."""
    return AuditEvent(KEY, "job.accepted", "job", f"job-{number}", NOW, "request-1", details)
