"""A restore, rehearsed: films flow while a backup is made, everything is lost, and comes back.

Both stacks are real: PostgreSQL, Redis, MinIO, Triton, a gateway, workers. The backups lie in a
second MinIO, as they would in another building.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import subprocess
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import psycopg

from benchmarks.films import BenchmarkFilm
from benchmarks.load import form, upload
from benchmarks.results import Results
from hilum_stack.minio import MinioServer
from hilum_stack.real import RealStack
from hilum_stack.services import child_environment, cli_command

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_JOBS = "SELECT id::text, state, to_jsonb(r) FROM jobs LEFT JOIN results r ON r.job_id = id"
_AUDIT = "SELECT sequence, action, object_id, hash FROM audit_events ORDER BY sequence"


@dataclass(frozen=True, slots=True)
class Sent:
    """A film that was accepted: its bytes, its job, and when (Unix seconds) it was answered."""

    content: bytes
    job_id: str
    begun: float
    answered: float


@dataclass(frozen=True, slots=True)
class Contents:
    """What a platform holds: state and result of each job, and the audit log."""

    states: Mapping[str, str]
    results: Mapping[str, Any]
    audit: Sequence[tuple[Any, ...]]


@dataclass(slots=True)
class Figures:
    """What was measured; seconds and bytes."""

    films_first: int = 0
    films_in_backup: int = 0
    films_lost: int = 0
    bytes_in_backup: int = 0
    dump_bytes: int = 0
    first_backup_s: float = 0.0
    backup_s: float = 0.0
    restore_s: float = 0.0
    until_first_new_result_s: float = 0.0


@dataclass
class Rehearsal:
    """A rehearsal as it goes on.

    Attributes:
        folder: Of its own; holds both stacks and the backups.
        films: New ones, as many as are asked for.
        models: The model repository, or None for the shipped one.
        env: Further settings of gateway and workers.
    """

    folder: Path
    films: Iterator[bytes]
    models: Path | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)
    figures: Figures = field(default_factory=Figures)
    backup_begun: float = 0.0
    api_key: str = ""
    manifest: dict[str, Any] = field(default_factory=dict)
    vault: MinioServer = field(init=False)
    stack: RealStack = field(init=False)
    _open: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def __enter__(self) -> Self:
        """Start the store of the backups and the first stack."""
        try:
            self.vault = MinioServer(self.folder / "vault")
            self._open.callback(self.vault.stop)
            self.vault.launch()
            self.stack = self._fresh("first")
            self.api_key = self.stack.api_key
            self._hilum("store", "prepare", "--object-store-url", self.vault.url)
        except BaseException:
            self._open.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stop everything."""
        self._open.close()

    def send(self, number: int) -> None:
        """Send so many films, and wait until they are read."""
        for _ in range(number):
            self._send_one()
        self.settle()
        self.figures.films_first = len(self.sent)

    def back_up_first(self) -> None:
        """The backup of the night before, with nothing going on."""
        begun = time.monotonic()
        self._hilum("backup", "create")
        self.figures.first_backup_s = time.monotonic() - begun

    def back_up_under_load(self, *, at_least_after: int) -> None:
        """Make a backup while films are sent, and go on sending when it is complete."""
        stopping = threading.Event()
        failures: list[BaseException] = []

        def send() -> None:
            try:
                while not stopping.is_set():
                    self._send_one()
            except BaseException as error:  # noqa: BLE001 - told by the main thread
                failures.append(error)

        before = len(self.sent)
        sender = threading.Thread(target=send)
        sender.start()
        try:
            _wait(lambda: bool(failures) or len(self.sent) > before, "films flow")
            self.backup_begun = time.time()
            begun = time.monotonic()
            self._hilum("backup", "create")
            self.figures.backup_s = time.monotonic() - begun
            complete = len(self.sent)
            _wait(
                lambda: bool(failures) or len(self.sent) >= complete + at_least_after,
                "films go on to flow",
            )
        finally:
            stopping.set()
            sender.join()
        if failures:
            raise failures[0]
        self.manifest = json.loads(self._hilum("backup", "list", "--json"))[-1]
        self.figures.bytes_in_backup = self.manifest["object_bytes"]
        self.figures.dump_bytes = self.manifest["dump"]["size_bytes"]

    def settle(self) -> None:
        """Wait until no job is queued or running."""
        Results(self.stack.postgres.url).wait_until_settled()

    def lose_everything(self) -> None:
        """Stop the stack and delete database, films, queue and keys."""
        self.stack.stop()
        self.stack.postgres.remove()
        shutil.rmtree(self.stack.folder)

    def restore(self) -> str:
        """A fresh installation, stopped, restored and started again; what the command said.

        The clock runs from the command on: what a cluster takes to be installed is not in it.
        """
        self.stack = self._fresh("second")
        services = [*self.stack.workers, self.stack.gateway]
        for service in services:
            if service is not None:
                service.stop()
        begun = time.monotonic()
        said = self._hilum("backup", "restore", "--deep")
        self.figures.restore_s = time.monotonic() - begun
        held = self.contents()
        self.figures.films_in_backup = len(held.states)
        self.figures.films_lost = sum(film.job_id not in held.states for film in self.sent)
        for service in services:
            if service is not None:
                service.launch()
        job_id = self._send_one().job_id
        Results(self.stack.postgres.url).wait_for(job_id)
        self.figures.until_first_new_result_s = time.monotonic() - begun
        self.sent.pop()
        return said

    def contents(self) -> Contents:
        """What the running stack holds, read without Hilum's own code."""
        with psycopg.connect(self.stack.postgres.url) as connection:
            jobs = connection.execute(_JOBS).fetchall()
            return Contents(
                states={job_id: state for job_id, state, _ in jobs},
                results={job_id: result for job_id, _, result in jobs},
                audit=connection.execute(_AUDIT).fetchall(),
            )

    def get(self, path: str) -> tuple[int, bytes]:
        """Ask the gateway with the key of the first stack; status and body."""
        with contextlib.closing(self._connection()) as connection:
            connection.request("GET", path, headers={"Authorization": f"Bearer {self.api_key}"})
            answer = connection.getresponse()
            return answer.status, answer.read()

    def hilum(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the ``hilum`` command on the running stack and the backups."""
        env = {**self.stack.env, "HILUM_BACKUP_STORE_URL": self.vault.url}
        return subprocess.run(
            cli_command(*arguments),
            env=child_environment(env),
            capture_output=True,
            text=True,
            check=False,
        )

    def _hilum(self, *arguments: str) -> str:
        done = self.hilum(*arguments)
        if done.returncode != 0:
            raise RuntimeError(f"hilum {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def _fresh(self, name: str) -> RealStack:
        options = {} if self.models is None else {"model_repository": self.models}
        stack = RealStack(self.folder / name, workers=os.cpu_count() or 1, env=self.env, **options)
        self._open.callback(stack.stop)
        stack.start()
        return stack

    def _send_one(self) -> Sent:
        content = next(self.films)
        begun = time.time()
        with contextlib.closing(self._connection()) as connection:
            job_id = upload(connection, self.api_key, form(BenchmarkFilm("film", content)))
        film = Sent(content, job_id, begun, time.time())
        self.sent.append(film)
        return film

    def _connection(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.stack.url)
        return http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=120)


def _wait(condition: Any, what: str, patience_s: float = 600.0) -> None:
    deadline = time.monotonic() + patience_s
    pause = threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"never happened: {what}")
        pause.wait(0.02)
