"""The rows in memory: the same conditions and answers as the database, in plain Python."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from hilum.adapters.clock.clock import SystemClock
from hilum.application.ports.submissions import BackFilled, SubmissionRecord
from hilum.domain.audit import GENESIS, AuditRecord
from hilum.domain.delivery import DELIVERY
from hilum.domain.errors import InternalError
from hilum.domain.finding import GateRecord, ResultOverview
from hilum.domain.job import ANALYSIS
from hilum.domain.operation import OPERATION

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from hilum.domain.access import ApiKey, Session
    from hilum.domain.association import Association
    from hilum.domain.attempt import Attempt, Worker
    from hilum.domain.audit import AuditEvent
    from hilum.domain.delivery import Delivery
    from hilum.domain.destination import Destination
    from hilum.domain.finding import Analysis, Heatmap, PanelReading
    from hilum.domain.job import Job, Priority
    from hilum.domain.operation import Operation
    from hilum.domain.peer import Peer
    from hilum.domain.site_models import Promotion, SiteOperatingPoint
    from hilum.domain.site_rule import SiteRule
    from hilum.domain.study import Instance
    from hilum.domain.submission import Submission, SubmissionItem
    from hilum.domain.work_flow import WorkFlow


@dataclass
class Rows:
    """Everything that is stored."""

    parents: dict[UUID, Submission] = field(default_factory=dict)
    submissions: dict[UUID, SubmissionRecord] = field(default_factory=dict)
    instances: dict[UUID, Instance] = field(default_factory=dict)
    jobs: dict[UUID, Job] = field(default_factory=dict)
    work_flows: dict[tuple[Priority, str], WorkFlow] = field(default_factory=dict)
    operations: dict[UUID, Operation] = field(default_factory=dict)
    operation_flows: dict[tuple[Priority, str], WorkFlow] = field(default_factory=dict)
    destinations: dict[str, Destination] = field(default_factory=dict)
    deliveries: dict[UUID, Delivery] = field(default_factory=dict)
    delivery_flows: dict[tuple[Priority, str], WorkFlow] = field(default_factory=dict)
    delivery_contexts: dict[UUID, tuple[bytes, str]] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)
    workers: dict[str, Worker] = field(default_factory=dict)
    results: dict[UUID, Analysis] = field(default_factory=dict)
    gates: dict[UUID, GateRecord] = field(default_factory=dict)
    api_keys: dict[str, ApiKey] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    operating_points: dict[tuple[str, ...], SiteOperatingPoint] = field(default_factory=dict)
    promotions: dict[tuple[str, str, int], Promotion] = field(default_factory=dict)
    site_rules: dict[tuple[str, str], SiteRule] = field(default_factory=dict)
    sites: dict[str, float] = field(default_factory=dict)
    peers: dict[UUID, Peer] = field(default_factory=dict)
    associations: dict[UUID, Association] = field(default_factory=dict)
    in_study: set[UUID] = field(default_factory=set)
    removals: dict[str, datetime] = field(default_factory=dict)
    sent_again: dict[UUID, datetime] = field(default_factory=dict)
    audit: list[AuditRecord] = field(default_factory=list)
    writable: bool = True
    now: Callable[[], datetime] = SystemClock().now

    def copy(self, *, writable: bool) -> Rows:
        """A copy whose changes do not show here."""
        return Rows(
            dict(self.parents),
            dict(self.submissions),
            dict(self.instances),
            dict(self.jobs),
            dict(self.work_flows),
            dict(self.operations),
            dict(self.operation_flows),
            dict(self.destinations),
            dict(self.deliveries),
            dict(self.delivery_flows),
            dict(self.delivery_contexts),
            list(self.attempts),
            dict(self.workers),
            dict(self.results),
            dict(self.gates),
            dict(self.api_keys),
            dict(self.sessions),
            dict(self.operating_points),
            dict(self.promotions),
            dict(self.site_rules),
            dict(self.sites),
            dict(self.peers),
            dict(self.associations),
            set(self.in_study),
            dict(self.removals),
            dict(self.sent_again),
            list(self.audit),
            writable,
            self.now,
        )

    def work(self, kind: str) -> dict[UUID, Any]:
        """The items of a kind of work."""
        return {
            ANALYSIS.kind: self.jobs,
            DELIVERY.kind: self.deliveries,
            OPERATION.kind: self.operations,
        }[kind]

    def flows(self, kind: str) -> dict[tuple[Priority, str], WorkFlow]:
        """The flows of a kind of work."""
        return {
            ANALYSIS.kind: self.work_flows,
            DELIVERY.kind: self.delivery_flows,
            OPERATION.kind: self.operation_flows,
        }[kind]

    def require_writable(self) -> None:
        """Refuse a change in a read-only transaction."""
        if not self.writable:
            raise InternalError("a read-only transaction was asked to write")

    def require_references(self) -> None:
        """Refuse a commit that leaves a row pointing nowhere."""
        for job in self.jobs.values():
            if job.instance_id not in self.instances or job.study_id not in self.parents:
                raise InternalError("a job has no instance or no study")
        for instance in self.instances.values():
            if instance.study_id not in self.parents:
                raise InternalError("an instance has no study")


class InMemorySubmissions:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def add(
        self, submission: Submission, items: Sequence[SubmissionItem], *, is_parent: bool = False
    ) -> None:
        self._rows.require_writable()
        if is_parent:
            self._add_parent(submission)
        if submission.id in self._rows.submissions:
            raise InternalError("this submission exists")
        # Read back without what only the sender holds.
        sender = replace(submission.principal, name="", grants=())
        kept = replace(submission, principal=sender)
        self._rows.submissions[submission.id] = SubmissionRecord(kept, list(items))

    def grow(
        self, submission: Submission, items: Sequence[SubmissionItem], *, is_parent: bool = False
    ) -> None:
        self._rows.require_writable()
        known = self._rows.submissions.get(submission.id)
        if is_parent:
            self._rows.parents.setdefault(submission.id, submission)
        if known is None:
            self.add(submission, items)
            return
        if {item.position for item in known.items} & {item.position for item in items}:
            raise InternalError("this item exists")
        both = sorted([*known.items, *items], key=lambda item: item.position)
        self._rows.submissions[submission.id] = SubmissionRecord(known.submission, both)

    def settle(self, submission_id: UUID, items: Sequence[SubmissionItem]) -> None:
        self._rows.require_writable()
        submission, kept = self._rows.submissions[submission_id]
        changed = {item.position: item for item in items}
        now = [changed.get(item.position, item) for item in kept]
        self._rows.submissions[submission_id] = SubmissionRecord(submission, now)

    def get(self, submission_id: UUID) -> SubmissionRecord | None:
        return self._rows.submissions.get(submission_id)

    def back_fill(self, after: UUID | None, limit: int) -> BackFilled:  # noqa: ARG002 - the port's
        """Nothing: no other release writes here."""
        return BackFilled(None, 0)

    def add_instances(
        self, submission: Submission, instances: Sequence[Instance], *, has_parent: bool = False
    ) -> None:
        self._rows.require_writable()
        if instances and not has_parent:
            self._rows.parents.setdefault(submission.id, submission)
        for instance in instances:
            if instance.id in self._rows.instances:
                raise InternalError("this instance exists")
            self._rows.instances[instance.id] = replace(instance, series=None)
            if instance.series is not None:
                self._rows.in_study.add(instance.id)

    def _add_parent(self, submission: Submission) -> None:
        if submission.id in self._rows.parents:
            raise InternalError("this parent exists")
        self._rows.parents[submission.id] = submission

    def instance(self, instance_id: UUID) -> Instance | None:
        return self._rows.instances.get(instance_id)

    def is_in_study(self, instance_id: UUID) -> bool:
        return instance_id in self._rows.in_study


class InMemoryResults:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def add(self, analysis: Analysis) -> bool:
        self._rows.require_writable()
        if analysis.job_id not in self._rows.jobs:
            raise InternalError("a result has no job")
        if self._rows.results.setdefault(analysis.job_id, analysis) is not analysis:
            return False
        if analysis.gate is not None:
            self.add_gate(
                GateRecord(analysis.job_id, analysis.model_set, analysis.gate, analysis.created_at)
            )
        return True

    def get(self, job_id: UUID) -> Analysis | None:
        analysis = self._rows.results.get(job_id)
        return replace(analysis, heatmaps=()) if analysis else None

    def overviews(self, job_ids: Sequence[UUID]) -> Mapping[UUID, ResultOverview]:
        found = {job_id: self._rows.results.get(job_id) for job_id in job_ids}
        return {
            job_id: ResultOverview(result.panels, result.impression)
            for job_id, result in found.items()
            if result
        }

    def heatmap(self, job_id: UUID, panel: str, label: str) -> Heatmap | None:
        analysis = self._rows.results.get(job_id)
        heatmaps = analysis.heatmaps if analysis else ()
        return next((h for h in heatmaps if (h.panel, h.label) == (panel, label)), None)

    def add_gate(self, gate: GateRecord) -> bool:
        self._rows.require_writable()
        if gate.job_id not in self._rows.jobs:
            raise InternalError("a gate's record has no job")
        return self._rows.gates.setdefault(gate.job_id, gate) is gate

    def gate(self, job_id: UUID) -> PanelReading | None:
        record = self._rows.gates.get(job_id)
        return record.reading if record else None


class InMemoryApiKeys:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def add(self, key: ApiKey, *, granted_by: str) -> None:  # noqa: ARG002 - the port's name
        self._rows.require_writable()
        if key.id in self._rows.api_keys:
            raise InternalError("this id exists")
        self._rows.api_keys[key.id] = key

    def get(self, key_id: str) -> ApiKey | None:
        return self._rows.api_keys.get(key_id)

    def all(self) -> Sequence[ApiKey]:
        return sorted(self._rows.api_keys.values(), key=lambda key: (key.created_at, key.id))

    def revoke(self, key_id: str, now: datetime) -> ApiKey | None:
        self._rows.require_writable()
        key = self._rows.api_keys.get(key_id)
        if key is None or key.revoked_at is not None:
            return None
        self._rows.api_keys[key_id] = revoked = replace(key, revoked_at=now)
        return revoked


class InMemorySessions:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def add(self, session: Session) -> None:
        self._rows.require_writable()
        self._rows.sessions.setdefault(session.id_digest, session)

    def get(self, id_digest: str) -> Session | None:
        return self._rows.sessions.get(id_digest)

    def revoke(self, id_digest: str, now: datetime) -> None:
        self._rows.require_writable()
        session = self._rows.sessions.get(id_digest)
        if session is not None and session.revoked_at is None:
            self._rows.sessions[id_digest] = replace(session, revoked_at=now)

    def ended(self, digests: Collection[str], now: datetime) -> frozenset[str]:
        known = self._rows.sessions
        return frozenset(one for one in digests if one in known and not known[one].is_open(now))

    def remove_expired(self, now: datetime) -> None:
        self._rows.require_writable()
        kept = {key: one for key, one in self._rows.sessions.items() if one.expires_at > now}
        self._rows.sessions = kept


class InMemoryAuditLog:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def append(self, events: Sequence[AuditEvent]) -> None:
        if not events:
            return
        self._rows.require_writable()
        for event in events:
            last = self._rows.audit[-1] if self._rows.audit else None
            previous = last.hash if last else GENESIS
            sequence = last.sequence + 1 if last else 1
            self._rows.audit.append(AuditRecord.sealed(sequence, event, previous))

    def records(self, after_sequence: int = 0, limit: int = 1000) -> Sequence[AuditRecord]:
        return [r for r in self._rows.audit if r.sequence > after_sequence][:limit]
