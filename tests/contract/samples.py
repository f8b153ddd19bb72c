"""Rows to put into a database."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

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
from hilum.domain.study import Instance, Study

if TYPE_CHECKING:
    from uuid import UUID

    from hilum.application.ports.unit_of_work import UnitOfWork

NOW = datetime(2026, 11, 21, 9, 30, 15, 123456, tzinfo=UTC)
KEY = Principal(PrincipalKind.API_KEY, "key-1")
LEASE = timedelta(seconds=30)


def seconds(number: float) -> timedelta:
    """So many seconds."""
    return timedelta(seconds=number)


@dataclass(frozen=True)
class Film:
    """A study of one film, and its job."""

    study: Study
    instance: Instance
    job: Job


def a_film(**of_job: Any) -> Film:
    """A study with one instance and a queued job; keywords replace fields of the job."""
    study = Study(
        id=uuid4(),
        site=of_job.get("site", "north"),
        patient_ref="P-1",
        priority=of_job.get("priority", Priority.ROUTINE),
        submitted_by="key-1",
        received_at=NOW,
    )
    instance = Instance(
        id=uuid4(),
        study_id=study.id,
        filename="thorax ä.dcm",
        media_type="application/dicom",
        size_bytes=5_000_000_000,
        sha256="ab" * 32,
        sop_instance_uid="1.2.3",
        object_key=f"films/{study.id}",
    )
    fields: dict[str, Any] = {
        "id": uuid4(),
        "study_id": study.id,
        "instance_id": instance.id,
        "site": study.site,
        "filename": instance.filename,
        "state": JobState.QUEUED,
        "priority": study.priority,
        "model_set": "ms-1",
        "idempotency_key": uuid4().hex,
        "created_at": NOW,
        "updated_at": NOW,
        **of_job,
    }
    return Film(study, instance, Job(**fields))


def accept(unit_of_work: UnitOfWork, *films: Film) -> None:
    """Commit films that are new."""
    with unit_of_work.begin() as transaction:
        transaction.jobs.add_new([film.job for film in films])
        for film in films:
            transaction.studies.add(film.study, [film.instance])


def accepted(unit_of_work: UnitOfWork, **of_job: Any) -> Job:
    """A committed job."""
    film = a_film(**of_job)
    accept(unit_of_work, film)
    return film.job


def claimed(
    unit_of_work: UnitOfWork, owner: str = "worker-1", now: datetime = NOW, **of_job: Any
) -> Job:
    """A committed job that a worker runs."""
    job = accepted(unit_of_work, **of_job)
    with unit_of_work.begin() as transaction:
        running = transaction.jobs.claim(job.id, owner, now, LEASE)
    assert running is not None
    return running


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
