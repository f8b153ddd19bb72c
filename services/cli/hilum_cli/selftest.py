"""One film through a whole installation: in at the gateway, its findings and a picture out."""

from __future__ import annotations

import secrets
import tempfile
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from hilum.domain.access import parse_key
from hilum.domain.errors import HilumError
from hilum.domain.job import JobState
from hilum.domain.principal import Role
from hilum.imaging.phantom import phantom_png
from hilum_cli.failure import Failure
from hilum_cli.following import follow
from hilum_cli.local_principal import local_principal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from hilum_cli.bootstrap import Database
    from hilum_cli.gateway import Gateway

KEY_NAME: Final = "selftest"

_SIDE: Final = 512
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_FORGOTTEN_AFTER: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was tried.

    Attributes:
        name: Stable, for programs.
        passed: Whether it went well.
        detail: One sentence.
        seconds: How long it took.
    """

    name: str
    passed: bool
    detail: str
    seconds: float


@dataclass(slots=True)
class Report:
    """What came of it; steps after one that failed are not tried."""

    steps: list[Step] = field(default_factory=list)
    job_id: str | None = None

    @property
    def passed(self) -> bool:
        """Whether every step went well."""
        return bool(self.steps) and all(step.passed for step in self.steps)

    def document(self) -> dict[str, Any]:
        """For ``--json``."""
        steps = [asdict(step) for step in self.steps]
        return {"passed": self.passed, "job_id": self.job_id, "steps": steps}


@dataclass(frozen=True, slots=True)
class SelfTest:
    """What is tested and how.

    Attributes:
        database: Where a key is made for the test, and revoked after it.
        open_gateway: Opens a client of the gateway with a key.
        site: Owns the film, so that it stands in nobody's worklist.
        priority: Queue that is tested.
        patience_s: How long the film may take, in seconds.
        told: Called with each step as it ends.
    """

    database: Database
    open_gateway: Callable[[str], Gateway]
    site: str
    priority: str
    patience_s: float
    told: Callable[[Step], None]

    def run(self) -> Report:
        """Run it. What goes wrong is told in the report."""
        report = Report()
        key: str | None = None
        try:
            with self._step(report, "database") as say:
                key = self._new_key()
                say("a key was made for this test")
            with self.open_gateway(key) as gateway:
                self._through(gateway, report)
        except _StepFailed:
            pass
        finally:
            if key is not None:
                self._revoke(key, report)
        return report

    def _through(self, gateway: Gateway, report: Report) -> None:
        with self._step(report, "gateway") as say:
            ready, document = gateway.readiness()
            if not ready:
                raise Failure(f"the gateway is not ready: {_unwell(document)}")
            say(f"the gateway is {document.get('status')}")
        with self._step(report, "submission") as say:
            report.job_id = job_id = self._submit(gateway)
            say(f"a film was accepted as job {job_id}")
        with self._step(report, "analysis") as say:
            job = self._ended(gateway, job_id)
            say(f"a worker has read it as {self.priority}")
        with self._step(report, "findings") as say:
            say(_findings(job))
        with self._step(report, "picture") as say:
            picture = gateway.picture(job_id, "preview.png")
            if not picture.startswith(_PNG):
                raise Failure("the preview is no PNG file")
            say(f"the preview has {len(picture)} bytes")

    def _new_key(self) -> str:
        """A key for this site; those of tests that were killed are revoked on the way."""
        forgotten_before = datetime.now(UTC) - _FORGOTTEN_AFTER
        for old in self.database.keys.all(local_principal()):
            forgotten = old.revoked_at is None and old.created_at < forgotten_before
            if old.name == KEY_NAME and forgotten:
                self.database.keys.revoke(old.id, local_principal())
        key = self.database.keys.create(KEY_NAME, Role.SUBMITTER, local_principal(), site=self.site)
        if key is None:  # only where one was asked for on a condition
            raise Failure("no key was made")
        return key

    def _revoke(self, key: str, report: Report) -> None:
        parsed = parse_key(key)
        try:
            with self._step(report, "key") as say:
                if parsed is None:
                    raise Failure("the key has no id")
                self.database.keys.revoke(parsed[0], local_principal())
                say("the key was revoked")
        except _StepFailed:
            pass

    def _submit(self, gateway: Gateway) -> str:
        with tempfile.TemporaryDirectory() as folder:
            film = Path(folder) / "selftest-phantom-not-a-patient.png"
            # Another film each time: one that is known would be answered without being read.
            film.write_bytes(phantom_png(_SIDE, _SIDE, seed=secrets.randbits(63)))
            answer = gateway.submit([film], {"priority": self.priority, "site": self.site})
        (job,) = answer["jobs"]
        if not job.get("job_id"):
            raise Failure(f"the film was refused: {job}")
        return str(job["job_id"])

    def _ended(self, gateway: Gateway, job_id: str) -> Mapping[str, Any]:
        until = time.monotonic() + self.patience_s

        def pause(seconds: float) -> None:
            if time.monotonic() > until:
                raise Failure(_unfinished(gateway.job(job_id), self.patience_s))
            time.sleep(seconds)

        (job,) = follow(gateway, [job_id], pause=pause)
        if JobState(job["state"]) is not JobState.COMPLETED:
            raise Failure(f"the film ended as {job['state']}: {_reason(job)}")
        return job

    @contextmanager
    def _step(self, report: Report, name: str) -> Iterator[Callable[[str], None]]:
        """Times a step and keeps what it says, or why it failed."""
        began = time.monotonic()
        detail = ""

        def say(text: str) -> None:
            nonlocal detail
            detail = text

        passed = False
        try:
            yield say
            passed = True
        except HilumError as error:
            detail = f"{error.code}: {error.detail}"
        except click.ClickException as error:
            detail = error.message
        step = Step(name, passed, detail, round(time.monotonic() - began, 3))
        report.steps.append(step)
        self.told(step)
        if not passed:
            raise _StepFailed(name)


class _StepFailed(Exception):
    """The report says why."""


def _findings(job: Mapping[str, Any]) -> str:
    """One sentence on the findings.

    Raises:
        Failure: There are none, or a probability is none.
    """
    panels = (job.get("result") or {}).get("panels") or []
    found = [finding for panel in panels for finding in panel["findings"]]
    if not found:
        raise Failure("the film was read, and its result has no findings")
    if not all(0.0 <= finding["probability"] <= 1.0 for finding in found):
        raise Failure("a finding has a probability outside [0, 1]")
    return f"{len(found)} findings in {len(panels)} panels"


def _unfinished(job: Mapping[str, Any], patience_s: float) -> str:
    waited = f"the film was accepted and is not read after {patience_s:g} s"
    if job["state"] == JobState.RUNNING:
        return f"{waited}: a worker has begun it, so the worker or its Triton is slow or hangs"
    if job.get("attempts"):
        return f"{waited}: {job['attempts']} attempts failed, the last with {_reason(job)}"
    return f"{waited}: no worker has taken it; does one run that reads its queue?"


def _reason(job: Mapping[str, Any]) -> str:
    reason = job.get("reason") or {}
    return f"{reason.get('code', 'no reason')}: {reason.get('detail', '')}"


def _unwell(document: Mapping[str, Any]) -> str:
    checks = document.get("checks") or {}
    unwell = [
        f"{name} ({check.get('detail')})" for name, check in checks.items() if not check.get("ok")
    ]
    return ", ".join(unwell) or str(document)
