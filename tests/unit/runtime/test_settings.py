"""Names of settings: one rule for all, and the old ones for one release."""

from __future__ import annotations

import re

import pytest

from hilum.imaging.film import FilmLimits
from hilum.runtime.setting_groups import EverySetting, Image, known_names
from hilum.runtime.settings import misnamed, settings_of
from hilum_cli.settings import CliSettings
from hilum_gateway.wiring.settings import Settings
from hilum_listener.settings import ListenerSettings
from hilum_worker.settings import WorkerSettings

EVERY = {setting.name: setting for setting in settings_of(EverySetting)}
NEEDED = {
    "HILUM_DATABASE_URL": "sqlite:////x/h.db",
    "HILUM_OBJECT_STORE_URL": "file:///x/objects",
    "HILUM_BROKER_URL": "filesystem:///x/broker",
    "HILUM_INFERENCE_URL": "onnx://",
    "HILUM_MODEL_REPOSITORY": "/x/models",
    "HILUM_SESSION_SECRET": "x" * 40,
}
PROCESSES = (Settings, WorkerSettings, ListenerSettings, CliSettings)

OLD = [
    "HOST",
    "PORT",
    "TRUSTED_PROXIES",
    "SECURE_COOKIES",
    "MAX_FILE_BYTES",
    "MAX_REQUEST_BYTES",
    "MAX_FILES",
    "MAX_PIXELS",
    "MAX_COMPRESSION_RATIO",
    "UPLOAD_STALL_S",
    "REQUEST_THREADS",
    "UPLOAD_THREADS",
    "UPLOAD_THREADS_PER_KEY",
    "UPLOAD_THREADS_PER_ADDRESS",
    "UPLOAD_MIN_BYTES_PER_S",
    "MAX_CONNECTIONS",
    "MAX_CONNECTIONS_PER_ADDRESS",
    "HEADER_TIMEOUT_S",
    "EVENTS_POLL_S",
    "EVENTS_HEARTBEAT_S",
    "EVENTS_KEY_CHECK_S",
    "SHUTDOWN_GRACE_S",
    "DATABASE_URL",
    "OBJECT_STORE_URL",
    "BROKER_URL",
    "MODEL_REPOSITORY",
    "SESSION_SECRET",
    "METRICS_PORT",
    "METRICS_HOST",
    "TLS_CERTIFICATE",
    "TLS_KEY",
    "LOG_LEVEL",
    "INFERENCE_URL",
    "WORKER_NAME",
    "WORKER_CONCURRENCY",
    "WORKER_QUEUES",
    "WORKER_READY_FILE",
    "LEASE_SECONDS",
    "MAX_RUN_SECONDS",
    "RECONCILE_SECONDS",
    "RING_PATIENCE_SECONDS",
    "LOW_WATER",
    "MAX_ATTEMPTS",
    "MAX_LOSSES",
    "BACKOFF_BASE_SECONDS",
    "BACKOFF_CAP_SECONDS",
    "URL",
    "API_KEY",
    "BACKUP_STORE_URL",
]
"""The settings of release 0.2.0."""


@pytest.fixture
def environment(monkeypatch) -> pytest.MonkeyPatch:
    """The least that a process needs."""
    for name, value in NEEDED.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_every_setting_of_the_previous_release_has_a_name_now():
    """None was lost: each is still called so, or is the old name of one."""
    assert [name for name in OLD if f"HILUM_{name}" not in known_names()] == []


def test_the_unit_of_a_setting_is_the_end_of_its_name():
    """A number is a count that begins with MAX_, or says its unit; none has the unit `_S`."""
    exempt = {
        *("HILUM_HTTP_PORT", "HILUM_METRICS_PORT", "HILUM_LISTENER_PORT"),
        *("HILUM_QUEUE_LOW_WATER", "HILUM_LISTENER_PROCESSES"),
    }
    for name, setting in EVERY.items():
        if setting.field.annotation in {int, float} and name not in exempt:
            assert re.search(r"_SECONDS?$|_BYTES$|_MAX_|_RATIO$", name), name
        assert not name.endswith(("_S", "_MS", "_MINUTES", "_MB")), name


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.__name__)
def test_a_process_has_groups_that_every_process_knows(process):
    """What is missing from the list of all would be called unknown by the other processes."""
    assert {setting.name for setting in settings_of(process)} <= EVERY.keys()


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.__name__)
def test_an_old_name_is_read_and_told_of(environment, process):
    """It goes before the new one, which an image may have set by itself."""
    for setting in settings_of(process):
        if setting.old is None or setting.field.annotation not in {int, float, str}:
            continue
        group = next(
            name
            for name, outer in process.model_fields.items()
            if outer.annotation is setting.group
        )
        with environment.context() as changed:
            changed.setenv(setting.name, "10")
            changed.setenv(setting.old, "12")
            assert getattr(getattr(process(), group), setting.key) in {12, "12"}, setting.old
            told = list(misnamed(process, known_names(), {setting.old: "12"}))
        assert told == [
            f"{setting.old} is now called {setting.name}; the old name works for one release"
        ]


def test_an_unknown_name_is_told_of_with_the_nearest_one():
    """Its value is not repeated, and names of others are known."""
    others = {"HILUM_WORKER_MAX_SLOTS": "2", "HILUM_TRITON_INTRA_OP_THREADS": "1", "PATH": "/"}
    told = misnamed(Settings, known_names(), {"HILUM_IMAGE_MAX_BYTE": "s3cret", **others})
    assert list(told) == ["HILUM_IMAGE_MAX_BYTE is no setting; did you mean HILUM_IMAGE_MAX_BYTES?"]


def test_the_limits_of_an_image_are_those_of_the_decoder():
    """A process that is told nothing decodes what the library does."""
    assert FilmLimits(**Image().model_dump()) == FilmLimits()
