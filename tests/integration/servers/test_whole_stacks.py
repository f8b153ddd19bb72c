"""``python -m hilum_stack`` as a person runs it: the embedded stack and the one on real servers."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest

from hilum_stack.errors import ServerMissing
from hilum_stack.films import write_phantom
from hilum_stack.ports import is_free, reserve_port
from hilum_stack.real import RealStack
from tests.grey_networks import PANELS, write_grey_repository
from tests.servers import run_folder, server_missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DEADLINE_S = 300.0


@dataclass(frozen=True, slots=True)
class Run:
    """One run in the foreground, with its output in a file."""

    popen: subprocess.Popen[bytes]
    output: Path
    port: int

    def told(self) -> str:
        return self.output.read_text()

    def wait_for(self, text: str) -> None:
        self.wait_until(lambda: text in self.told())

    def wait_until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            assert self.popen.poll() is None, self.told()
            assert time.monotonic() < deadline, self.told()
            time.sleep(0.05)

    def family(self) -> dict[str, psutil.Process]:
        """The servers, by what they run."""
        children = psutil.Process(self.popen.pid).children(recursive=True)
        return {" ".join(child.cmdline()): child for child in children}

    def member(self, name: str) -> psutil.Process:
        return next(child for words, child in self.family().items() if name in words)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Data of one test, where PostgreSQL's system user gets in."""
    with run_folder() as path:
        yield path


@contextmanager
def running(kind: str, folder: Path, *films: str, stay: str = "0") -> Iterator[Run]:
    port = reserve_port()
    env = {**os.environ, "STAY": stay, "HILUM_PORT": str(port), "HILUM_CXR_DIR": str(folder / "no")}
    output = folder / f"told-{port}.txt"
    with output.open("wb") as sink:
        popen = subprocess.Popen(
            [
                *(sys.executable, "-m", "hilum_stack", kind),
                *("--folder", str(folder), "--models", str(models(folder)), *films),
            ],
            stdout=sink,
            stderr=subprocess.STDOUT,
            env={name: value for name, value in env.items() if name != "FILES"},
        )
    try:
        yield Run(popen, output, port)
    finally:
        popen.kill()
        popen.wait()


def models(folder: Path) -> Path:
    """Models that say the same of a phantom whatever is shipped; written once a folder."""
    repository = folder / "models"
    return repository if repository.exists() else write_grey_repository(repository)


def finish(run: Run) -> int:
    return run.popen.wait(DEADLINE_S)


def probabilities(told: str) -> dict[str, str]:
    """Finding -> probability, from the printed table."""
    row = r"(?m)^(?:\S+  +)?(\w+)  +(\w+)  +([01]\.\d+)  +(?:[01]\.\d+|-)  +(?:yes|no|-)"
    rows = re.findall(row, told)
    return {f"{panel}/{finding}": probability for panel, finding, probability in rows}


def jobs(run: Run, key: str) -> int:
    """How many jobs the running gateway lists."""
    answer = httpx.get(
        f"http://127.0.0.1:{run.port}/v1/jobs",
        headers={"Authorization": f"Bearer {key}"},
        trust_env=False,
    )
    answer.raise_for_status()
    return len(answer.json()["jobs"])


def test_the_demo_analyses_a_film_and_a_second_run_keeps_data_and_key(folder: Path) -> None:
    """STAY=0 ends after the table; the first run's key opens the second, which knows the film."""
    film = str(write_phantom(folder / "films"))
    with running("demo", folder, film) as run:
        assert finish(run) == 0, run.told()
    assert {name.partition("/")[0] for name in probabilities(run.told())} == set(PANELS)
    assert f"http://127.0.0.1:{run.port}" in run.told()
    assert is_free(run.port)
    assert (folder / "api-key").stat().st_mode & 0o777 == 0o600
    key = (folder / "api-key").read_text()
    with running("demo", folder, film, stay="1") as run:
        run.wait_for("Press Ctrl-C")
        assert (folder / "api-key").read_text() == key
        assert jobs(run, key.strip()) == 1
        with running("demo", folder) as second:
            assert finish(second) == 2
            assert "another stack runs on" in second.told()
        run.popen.send_signal(signal.SIGINT)
        assert finish(run) == 0, run.told()


def test_a_film_that_cannot_be_read_fails_the_run(folder: Path) -> None:
    """The other film is analysed all the same; the status is not 0."""
    broken = folder / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n" + b"no film" * 100)
    with running("demo", folder, str(broken), str(write_phantom(folder / "films"))) as run:
        assert finish(run) not in {0, 2}, run.told()
    assert {name.partition("/")[0] for name in probabilities(run.told())} == set(PANELS)


def test_a_request_to_stop_stops_everything(folder: Path) -> None:
    """SIGTERM (Ctrl-C: see above) leaves no process and no listening port; status 0."""
    with running("demo", folder, stay="1") as run:
        run.wait_for("Press Ctrl-C")
        family = list(run.family().values())
        assert len(family) >= 2, "a gateway and a worker"
        run.popen.send_signal(signal.SIGTERM)
        assert finish(run) == 0, run.told()
    assert not any(member.is_running() for member in family)
    assert is_free(run.port)


def test_a_killed_demo_leaves_nothing(folder: Path) -> None:
    """SIGKILL of the command: the watchdog stops gateway and worker."""
    with running("demo", folder, stay="1") as run:
        run.wait_for("Press Ctrl-C")
        family = list(run.family().values())
        run.popen.kill()
        _, alive = psutil.wait_procs(family, timeout=DEADLINE_S)
    assert alive == []


def test_a_worker_that_dies_is_named(folder: Path) -> None:
    """The run ends with status 2, says which process ended, and stops the others."""
    with running("demo", folder, stay="1") as run:
        run.wait_for("Press Ctrl-C")
        family = list(run.family().values())
        run.member("hilum_worker").kill()
        assert finish(run) == 2
    assert "worker-1 ended with status -9" in run.told()
    assert not any(member.is_running() for member in family)


@pytest.mark.real
def test_real_servers_give_the_findings_of_the_demo(folder: Path) -> None:
    """The same film, the same numbers, on PostgreSQL, Redis, MinIO and Triton; twice."""
    try:
        for server in RealStack(folder / "check").servers:
            server.require_installed()
    except ServerMissing as missing:
        server_missing(missing)
    film = str(write_phantom(folder / "films"))
    with running("demo", folder, film) as run:
        assert finish(run) == 0, run.told()
    expected = probabilities(run.told())
    assert {name.partition("/")[0] for name in expected} == set(PANELS)
    for _ in range(2):
        with running("stack", folder, film) as run:
            assert finish(run) == 0, run.told()
        assert probabilities(run.told()) == expected
