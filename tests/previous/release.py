"""The previous release, run from its commit in an environment of its own."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hilum.runtime.settings import settings_of
from hilum_gateway.wiring.settings import Settings
from hilum_stack.paths import CACHE, ROOT
from hilum_stack.services import child_environment
from hilum_worker.settings import WorkerSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

COMMIT: Final = "60c3faae4717a807a5cd4f92d0d6e2918d34e677"
"""Last commit of the previous release: what main held before the work queue changed."""

_SERVE: Final = Path(__file__).with_name("serve.py")


class CommitMissing(RuntimeError):
    """This checkout has no history that reaches the previous release: a shallow clone, or none."""


@dataclass(frozen=True, slots=True)
class Served:
    """A running stack.

    Attributes:
        url: Address of its gateway.
        api_key: Key of an administrator.
        env: Settings with which further gateways and workers join it.
        process: Process id of what serves it.
    """

    url: str
    api_key: str
    env: Mapping[str, str]
    process: int


@dataclass(frozen=True, slots=True)
class Release:
    """A release in a folder.

    Attributes:
        folder: Its checkout.
        python: Interpreter of its environment.
    """

    folder: Path
    python: Path

    @contextmanager
    def serve(
        self, kind: str, folder: Path, env: Mapping[str, str], workers: int = 1
    ) -> Iterator[Served]:
        """Run a whole stack of this release until the end of the block.

        Args:
            kind: ``embedded``, ``real`` or ``joined`` (a gateway and workers alone, on the servers
                that ``env`` names).
            folder: Holds data and logs.
            env: Settings of gateway and workers.
            workers: Number of worker processes.

        Raises:
            RuntimeError: The stack did not start.
        """
        command = [str(self.python), str(_SERVE), kind, str(folder), str(workers)]
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=folder,
            env=self.environment(env),
        ) as serving:
            assert serving.stdin is not None
            assert serving.stdout is not None
            try:
                line = serving.stdout.readline()
                if not line:
                    raise RuntimeError(f"the {kind} stack of {self.folder} did not start")
                yield Served(**json.loads(line), process=serving.pid)
            finally:
                serving.stdin.close()

    def run(self, *arguments: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """Run ``hilum ARGUMENTS...`` of this release."""
        return subprocess.run(
            [str(self.python), "-m", "hilum_cli", *arguments],
            cwd=self.folder,  # `-m` puts it on sys.path, before what is installed
            env=self.environment(env),
            capture_output=True,
            text=True,
            check=False,
        )

    def environment(self, env: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of a process of this release: no path of another one in it."""
        ours = child_environment(env)
        if self.folder != ROOT:
            ours.pop("PYTHONPATH", None)
            # It knows former names of settings alone, and this spelling of an address.
            former = {
                setting.name: setting.old
                for process in (Settings, WorkerSettings)
                for setting in settings_of(process)
                if setting.old is not None
            }
            ours |= {
                former.get(name, name): value.replace("postgresql://", "postgresql+psycopg2://", 1)
                for name, value in env.items()
            }
        return ours


def this_release() -> Release:
    """Return what this checkout holds."""
    return Release(ROOT, Path(sys.executable))


def previous_release() -> Release:
    """Return the previous release, checked out and installed under ``.cache/previous``.

    Raises:
        CommitMissing: A shallow clone does not reach its commit.
        subprocess.CalledProcessError: It cannot be installed.
    """
    folder = CACHE / "previous" / COMMIT[:12]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / ".venv" / ".installed").exists():
            _check_out(folder)
            _install(folder)
    return Release(folder, folder / ".venv" / "bin" / "python")


def _check_out(folder: Path) -> None:
    known = subprocess.run(
        ["git", "cat-file", "-e", f"{COMMIT}^{{commit}}"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if known.returncode != 0:
        asked = ["git", "rev-parse", "--is-shallow-repository"]
        shallow = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
        if shallow.stdout.strip() == "false":
            raise RuntimeError(f"the whole history has no commit {COMMIT}")
        raise CommitMissing(f"git has no commit {COMMIT}: `git fetch --unshallow` brings it")
    folder.mkdir(exist_ok=True)
    with subprocess.Popen(["git", "archive", COMMIT], cwd=ROOT, stdout=subprocess.PIPE) as archive:
        subprocess.run(["tar", "-x", "-C", str(folder)], stdin=archive.stdout, check=True)
    # The servers that were built for this checkout serve it, too.
    if not (folder / ".cache").exists():
        (folder / ".cache").symlink_to(CACHE)


def _install(folder: Path) -> None:
    """Let the release make its environment itself, as a person would."""
    spared: dict[str, Any] = {
        name: value for name, value in os.environ.items() if not name.startswith("MAKE")
    }
    spared.pop("PYTHONPATH", None)
    subprocess.run(
        ["make", "-C", str(folder), ".venv/.installed", f"PYTHON={sys.executable}"],
        check=True,
        env=spared,
        capture_output=True,
    )
