"""How the process begins, and how it ends where it cannot."""

from __future__ import annotations

import json
import logging
import os
from types import SimpleNamespace

import pytest

from hilum.domain.job import JobState
from hilum_worker.main import ALL_HANG, WRONG_SETTINGS, beat, main
from tests.grey_networks import write_grey_repository
from tests.unit.worker.embedded import EmbeddedPlatform, noise_film
from tests.unit.worker.test_settings import NEEDED

SECRET = "hunter2"


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """A worker's environment in which nothing is wrong yet; keeps the test run's own logging."""
    root = logging.getLogger()
    kept = root.handlers[:], root.level
    for name in [name for name in os.environ if name.startswith("HILUM_")]:
        monkeypatch.delenv(name)
    folders = {
        "HILUM_OBJECT_STORE_URL": f"file://{tmp_path}/o",
        "HILUM_MODEL_REPOSITORY": str(write_grey_repository(tmp_path / "models")),
    }
    for name, value in {**NEEDED, **folders}.items():
        monkeypatch.setenv(name, value)
    yield monkeypatch
    logging.captureWarnings(False)
    root.handlers[:], root.level = kept


def test_missing_settings_are_named(environment, capsys):
    """Each on its line, under the name of its variable; what was set is not repeated."""
    for name in NEEDED:
        environment.delenv(name)
    environment.setenv("HILUM_WORKER_MAX_SLOTS", SECRET)
    assert main() == WRONG_SETTINGS
    told = capsys.readouterr().err
    for name in NEEDED:
        assert f"{name}: Field required" in told.splitlines()
    assert "HILUM_WORKER_MAX_SLOTS: " in told
    assert SECRET not in told


@pytest.mark.parametrize(
    ("hanging", "lone", "left"),
    [(1, False, []), (2, False, [ALL_HANG]), (2, True, []), (3, True, [ALL_HANG])],
)
def test_a_worker_leaves_where_every_slot_hangs(monkeypatch, hanging, lone, left):
    """The slot that runs without the broker is one more while it runs something."""
    leases = SimpleNamespace(beat=lambda **_: None, given_up=hanging)
    settings = SimpleNamespace(worker=SimpleNamespace(max_slots=2))
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    monkeypatch.setattr(logging, "shutdown", lambda: None)
    container = SimpleNamespace(
        leases=leases,
        settings=settings,
        drain=SimpleNamespace(stopping=False),
        dependencies=SimpleNamespace(breakers={}),
    )
    beat(container, SimpleNamespace(drains=lone))
    assert codes == left


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("HILUM_MODEL_REPOSITORY", "/nowhere", "invalid_manifest"),
        ("HILUM_BROKER_URL", f"amqp://u:{SECRET}@h", "broker"),
        ("HILUM_OBJECT_STORE_URL", f"ftp://u:{SECRET}@h", "store"),
        ("HILUM_INFERENCE_URL", "grpc://h", "inference"),
        ("HILUM_DATABASE_URL", f"mysql://u:{SECRET}@h/d", "mysql"),
    ],
)
def test_a_wrong_address_ends_the_process_with_a_sentence(environment, capsys, name, value, told):
    """No trace, no secret, and a code that tells that no restart helps."""
    environment.setenv(name, value)
    assert main() == WRONG_SETTINGS
    error = capsys.readouterr().err
    (line,) = [json.loads(line) for line in error.splitlines()]
    assert line["message"] == "start.failed"
    assert told in line["error"]
    assert "trace" not in line
    assert SECRET not in error


def test_a_worker_whose_threads_all_hang_leaves(tmp_path):
    """With a code of its own; its films are read by the worker that is started in its place."""
    platform = EmbeddedPlatform(tmp_path)
    (job,) = platform.submit([noise_film(1)])
    # Reading from a pipe that nobody writes to hangs like a decoder that does.
    with platform.unit_of_work.begin(write=False) as transaction:
        instance = transaction.submissions.instance(job.instance_id)
    path = tmp_path / "objects" / instance.object_key
    film = path.read_bytes()
    path.unlink()
    os.mkfifo(path)
    impatient = {"HILUM_QUEUE_MAX_RUN_SECONDS": "1", "HILUM_WORKER_MAX_SLOTS": "1"}
    with platform.worker(**impatient) as worker:
        assert worker.wait() == ALL_HANG
        assert '"worker.hung", "threads": 1' in worker.log
        worker.ready_file.unlink()
    path.unlink()
    path.write_bytes(film)
    with platform.worker():
        (done,) = platform.settled([job])
    assert (done.state, done.losses) == (JobState.COMPLETED, 1)
