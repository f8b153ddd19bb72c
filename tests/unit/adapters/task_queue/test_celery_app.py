"""The Celery application's addresses, and what it refuses to read."""

from __future__ import annotations

import json

import pytest

from hilum.adapters.task_queue.celery_app import VISIBILITY_TIMEOUT_S, create_celery
from hilum.adapters.task_queue.celery_queue import CeleryTaskQueue
from hilum.application.queue.messages import QUEUES, WAKE_TASK
from hilum.domain.job import Priority


@pytest.mark.parametrize(
    "url",
    [
        "",
        "memory://",
        "amqp://user:hush-hush@host//",
        "sentinel://:hush-hush@host:26379",
        "filesystem://",
        "filesystem:///",
        "filesystem://folder/below",
    ],
)
def test_refuses_other_brokers_without_repeating_the_address(url):
    """What is wrong is told; a password inside the address is not."""
    with pytest.raises(ValueError, match="broker") as refused:
        create_celery(url)
    assert "hush" not in str(refused.value)


def test_a_password_may_hold_any_character():
    """Credentials in an address are percent-encoded."""
    with create_celery("redis://:p%40ss%2Fword@redis:6380/3").connection_for_write() as connection:
        assert connection.password == "p@ss/word"
        assert (connection.hostname, connection.port) == ("redis", 6380)
        assert connection.virtual_host == "3"


def test_tls_checks_the_server():
    """``rediss`` without a checked certificate would be no protection."""
    app = create_celery("rediss://:pw@redis:6380/0")
    with app.connection_for_write() as connection:
        assert connection.ssl == {"ssl_cert_reqs": "required"}


def test_the_visibility_timeout_is_one_number_wherever_it_is_read():
    """Celery reads it in three places, and the shortest would win."""
    conf = create_celery("redis://redis/0").conf
    assert conf.broker_transport_options["visibility_timeout"] == VISIBILITY_TIMEOUT_S
    assert conf.result_backend_transport_options["visibility_timeout"] == VISIBILITY_TIMEOUT_S
    assert conf.visibility_timeout == VISIBILITY_TIMEOUT_S
    assert conf.worker_soft_shutdown_timeout < VISIBILITY_TIMEOUT_S


def test_a_folder_may_hold_any_character(tmp_path):
    """A path in an address is percent-encoded."""
    queue = CeleryTaskQueue(create_celery(f"filesystem://{tmp_path}/a%20folder"))
    queue.check()
    queue.wake([Priority.STAT])
    assert (tmp_path / "a folder" / QUEUES[Priority.STAT]).is_dir()


def test_a_wake_up_carries_the_trace_of_who_publishes_it(tmp_path):
    """In its headers, as W3C writes it; and no such header without a trace."""
    traces = [{"traceparent": "00-aa-bb-01", "tracestate": "a=1"}, {}]
    queue = CeleryTaskQueue(create_celery(f"filesystem://{tmp_path}"), lambda: traces[0])
    sent = []
    while traces:
        queue.wake([Priority.STAT])
        (message,) = (tmp_path / QUEUES[Priority.STAT]).glob("*.msg")
        sent.append(json.loads(message.read_text())["headers"])
        message.unlink()
        traces.pop(0)
    with_trace, without = sent
    assert (with_trace["traceparent"], with_trace["tracestate"]) == ("00-aa-bb-01", "a=1")
    assert without.keys() == with_trace.keys() - {"traceparent", "tracestate"}


def test_a_queue_that_nobody_consumes_is_refused(tmp_path):
    """A misspelt queue fails where it is published, instead of keeping wake-ups for ever."""
    app = create_celery(f"filesystem://{tmp_path}/queues")
    with pytest.raises(KeyError):
        app.send_task(WAKE_TASK, queue="hilum.analysis.urgent")
