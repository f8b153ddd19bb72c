"""What the worker is told from outside."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from hilum.domain.job import Priority
from hilum.imaging.film import FilmLimits
from hilum.runtime.settings import problems_of
from hilum_worker.settings import WorkerSettings

NEEDED = {
    "HILUM_DATABASE_URL": "sqlite:////x/h.db",
    "HILUM_OBJECT_STORE_URL": "file:///x/objects",
    "HILUM_BROKER_URL": "filesystem:///x/broker",
    "HILUM_INFERENCE_URL": "onnx://",
    "HILUM_MODEL_REPOSITORY": "/x/models",
}


@pytest.fixture
def environment(monkeypatch):
    """The least that a worker needs, and nothing of the machine's own."""
    for name in [name for name in os.environ if name.startswith("HILUM_")]:
        monkeypatch.delenv(name)
    for name, value in NEEDED.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_the_addresses_are_enough(environment):
    """Everything else has a default that suits one worker."""
    settings = WorkerSettings()
    assert settings.model.repository == Path("/x/models")
    assert settings.worker.max_slots == 2
    assert settings.queue.lease_seconds == 15
    assert settings.queue.heartbeat_seconds == 5
    assert FilmLimits(**settings.image.model_dump()) == FilmLimits()
    assert settings.metrics.port is None
    assert settings.worker.queues == ("stat", "routine", "batch", "delivery", "operations")
    assert settings.worker.priorities == tuple(Priority)


@pytest.mark.parametrize("name", sorted(NEEDED))
def test_an_address_that_is_missing_is_named(environment, name):
    """Nothing is guessed."""
    environment.delenv(name)
    with pytest.raises(ValidationError) as raised:
        WorkerSettings()
    assert list(problems_of(raised.value)) == [f"{name}: Field required"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WORKER_MAX_SLOTS", "0"),
        ("QUEUE_LEASE_SECONDS", "0"),
        ("QUEUE_MAX_ATTEMPTS", "0"),
        ("QUEUE_MAX_LOSSES", "0"),
        ("QUEUE_LOW_WATER", "0"),
        ("METRICS_PORT", "70000"),
        ("LOG_LEVEL", "LOUD"),
        ("QUEUE_BACKOFF_CAP_SECONDS", "0.5"),
        ("WORKER_NAME", ""),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(environment, name, value):
    """At the start, not in the middle of a film."""
    environment.setenv(f"HILUM_{name}", value)
    with pytest.raises(ValidationError):
        WorkerSettings()


@pytest.mark.parametrize(
    ("value", "queues"),
    [
        ("stat", ["stat", "delivery", "operations"]),
        ("batch, routine", ["routine", "batch", "delivery", "operations"]),
        ("routine,routine", ["routine", "delivery", "operations"]),
        ("analysis.stat", ["stat", "delivery", "operations"]),
        ("delivery", ["delivery"]),
        ("operations,stat", ["stat", "operations"]),
    ],
)
def test_a_slice_of_the_queues_keeps_the_order_of_urgency(environment, value, queues):
    """However the list was written. Where only priorities are named, other work is done, too."""
    environment.setenv("HILUM_WORKER_QUEUES", value)
    assert list(WorkerSettings().worker.queues) == queues


@pytest.mark.parametrize("value", ["", "urgent", "stat,", "STAT", '["stat"]'])
def test_an_unknown_queue_is_refused_by_its_name(environment, value):
    """With the names that there are."""
    environment.setenv("HILUM_WORKER_QUEUES", value)
    with pytest.raises(ValidationError, match="is no queue; there are stat, routine, batch"):
        WorkerSettings()


def test_two_workers_of_one_machine_have_names_of_their_own(environment):
    """A lease has one owner. The default holds the process's number."""
    assert WorkerSettings().worker.name.endswith(f"-{os.getpid()}")
    environment.setenv("HILUM_WORKER_NAME", "w7")
    assert WorkerSettings().worker.name == "w7"


def test_settings_do_not_change_once_they_are_read(environment):
    """Frozen."""
    with pytest.raises(ValidationError):
        WorkerSettings().queue.low_water = 1
