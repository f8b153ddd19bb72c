"""Containers as a hospital's cluster runs them: any user, no rights, a root that is only read."""

from __future__ import annotations

import json
import subprocess
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from images.container_engine import limits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from images.container_engine import ContainerEngine

STRANGER = "4242:0"
"""A user that no image knows, as OpenShift makes them up."""

TMP = "/tmp:mode=1777"  # noqa: S108 - the one place that a container may write to
_LONGEST_S = 300.0  # against a container that never ends; far above what any step takes


@dataclass(frozen=True, slots=True)
class Finished:
    """What a program left behind."""

    code: int
    out: str
    error: str


@dataclass(frozen=True, slots=True)
class Run:
    """How a container is run.

    Attributes:
        reference: The image.
        command: Arguments of its entrypoint, or what follows ``entrypoint``.
        entrypoint: Takes the place of the image's.
        environment: Variables.
        mounts: Host folders by their place inside; all may be written to.
        network: ``none``, or ``host`` for servers on the loopback address.
        user: Whom the process runs as.
    """

    reference: str
    command: tuple[str, ...] = ()
    entrypoint: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    mounts: Mapping[str, Path] = field(default_factory=dict)
    network: str = "none"
    user: str = STRANGER

    def arguments(self, engine: ContainerEngine, *how: str) -> list[str]:
        """The whole command line."""
        line = [engine.program, "run", *how, "--read-only", "--tmpfs", TMP]
        line += ["--user", self.user, "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
        line += ["--network", self.network, "--no-healthcheck", *limits()]
        if engine.is_podman:
            line += ["--runtime", "runc"]
        for name, value in self.environment.items():
            line += ["--env", f"{name}={value}"]
        for place, folder in self.mounts.items():
            line += ["--volume", f"{folder}:{place}"]
        if self.entrypoint is not None:
            line += ["--entrypoint", self.entrypoint]
        return [*line, self.reference, *self.command]


@dataclass(frozen=True, slots=True)
class Container:
    """A container that runs."""

    engine: ContainerEngine
    name: str
    reference: str

    def logs(self) -> str:
        """Everything it has written so far."""
        done = finish([self.engine.program, "logs", self.name])
        return done.out + done.error

    def execute(self, *command: str) -> Finished:
        """Runs a command inside it."""
        return finish([self.engine.program, "exec", self.name, *command])

    @property
    def is_running(self) -> bool:
        """Whether its program still runs."""
        return bool(self._shown()["State"]["Running"])

    def health(self) -> Finished:
        """Runs the health check that its image brings."""
        kind, *command = health_check(self.engine, self.reference)
        assert kind == "CMD"
        return self.execute(*command)

    def _shown(self) -> dict[str, Any]:
        shown: dict[str, Any] = json.loads(self.engine.ask("container", "inspect", self.name))[0]
        return shown


def health_check(engine: ContainerEngine, reference: str) -> list[str]:
    """What an image says is to be run to see how it is: ``["CMD", ...]`` or ``["NONE"]``."""
    shown = json.loads(engine.ask("image", "inspect", reference))[0]
    test: list[str] = (shown.get("Healthcheck") or shown["Config"]["Healthcheck"])["Test"]
    return test


def finish(command: list[str]) -> Finished:
    """Runs a command to its end."""
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=_LONGEST_S)
    return Finished(done.returncode, done.stdout, done.stderr)


def run_to_end(engine: ContainerEngine, run: Run) -> Finished:
    """Runs a container until its program ends, and removes it."""
    return finish(run.arguments(engine, "--rm"))


@contextmanager
def running(engine: ContainerEngine, run: Run) -> Iterator[Container]:
    """Runs a container for as long as the block lasts."""
    name = f"hilum-test-{uuid.uuid4().hex[:12]}"
    started = finish(run.arguments(engine, "--detach", "--name", name))
    assert started.code == 0, started.error
    try:
        yield Container(engine, name, run.reference)
    finally:
        finish([engine.program, "rm", "--force", "--volumes", name])
