"""How the process begins, and how it ends where it cannot."""

from __future__ import annotations

import json
import logging

import pytest

from hilum_worker.main import WRONG_SETTINGS, main
from hilum_worker.settings import WorkerSettings
from tests.unit.worker.embedded import MODELS
from tests.unit.worker.test_settings import NEEDED

SECRET = "hunter2"


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """A worker's environment in which nothing is wrong yet; keeps the test run's own logging."""
    root = logging.getLogger()
    kept = root.handlers[:], root.level
    for name in WorkerSettings.model_fields:
        monkeypatch.delenv(f"HILUM_{name.upper()}", raising=False)
    folders = {
        "HILUM_OBJECT_STORE_URL": f"file://{tmp_path}/o",
        "HILUM_MODEL_REPOSITORY": str(MODELS),
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
    environment.setenv("HILUM_WORKER_CONCURRENCY", SECRET)
    assert main() == WRONG_SETTINGS
    told = capsys.readouterr().err
    for name in NEEDED:
        assert f"{name}: Field required" in told.splitlines()
    assert "HILUM_WORKER_CONCURRENCY: " in told
    assert SECRET not in told


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
    assert told in line["message"]
    assert "trace" not in line
    assert SECRET not in error
