"""Logs: one JSON object a line, with the job that it is about."""

from __future__ import annotations

import io
import json
import logging
import threading
import warnings

import pytest
import structlog
from structlog.contextvars import bound_contextvars

from hilum.runtime.logs import start_logging


@pytest.fixture
def lines():
    """Gives the logged lines; puts the logging of the test run back afterwards."""
    root = logging.getLogger()
    kept = root.handlers[:], root.level
    names = ("celery", "kombu", "amqp", "kombu.connection")
    levels = {name: logging.getLogger(name).level for name in names}
    stream = io.StringIO()
    start_logging("INFO", stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.captureWarnings(False)
    root.handlers[:], root.level = kept
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def test_a_line_is_json_with_time_level_logger_and_message(lines):
    """Arguments are filled in, line breaks do not make two lines."""
    logging.getLogger("a.b").warning("film %s\nof %d", "ü", 3, extra={"attempts": 2})
    (line,) = lines()
    assert line.pop("time").endswith("+00:00")
    assert line == {"level": "WARNING", "logger": "a.b", "message": "film ü\nof 3", "attempts": 2}


def test_a_trace_is_a_field(lines):
    """So that it stays with its line."""
    try:
        {}["x"]
    except KeyError:
        logging.getLogger("a").exception("failed")
    (line,) = lines()
    assert line["trace"].startswith("Traceback")
    assert line["trace"].endswith("KeyError: 'x'")


def test_lines_inside_a_job_name_it_and_threads_do_not_mix(lines):
    """Also those of libraries; after the job its name is gone."""
    inside, outside = threading.Event(), threading.Event()

    def other():
        with bound_contextvars(job_id="two"):
            inside.wait()
            logging.getLogger("b").info("b")
            outside.set()

    thread = threading.Thread(target=other)
    thread.start()
    with bound_contextvars(job_id="one"):
        inside.set()
        outside.wait()
        logging.getLogger("a").info("a")
    thread.join()
    logging.getLogger("c").info("c")
    assert {line["message"]: line.get("job_id") for line in lines()} == {
        "a": "one",
        "b": "two",
        "c": None,
    }


def test_what_celery_says_of_every_task_is_left_out(lines):
    """Its warnings are not, and neither are Python's."""
    logging.getLogger("celery.worker.strategy").info("Task received")
    logging.getLogger("celery.worker.consumer").warning("connection lost")
    warnings.warn("careful", stacklevel=1)
    messages = [line["message"] for line in lines()]
    assert messages[0] == "connection lost"
    assert "careful" in messages[1]
    assert len(messages) == 2


def test_a_value_that_json_does_not_know_is_written_as_text(lines):
    """A log line never fails."""
    logging.getLogger("a").info("x", extra={"where": {1, 2}})
    assert lines()[0]["where"] == "{1, 2}"


def test_a_structlog_event_is_a_line_of_the_same_form(lines):
    """Its fields are members, and what is bound to the context is on it."""
    with bound_contextvars(request_id="r-1", principal="key:k", site="north"):
        structlog.get_logger("a").warning("timer.failed", timer="heartbeat")
    (line,) = lines()
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "WARNING",
        "logger": "a",
        "message": "timer.failed",
        "timer": "heartbeat",
        "request_id": "r-1",
        "principal": "key:k",
        "site": "north",
    }


def test_an_event_below_the_level_is_left_out(lines):
    """For structlog's loggers as for standard ones."""
    structlog.get_logger("a").debug("nothing.claimed")
    logging.getLogger("a").debug("nothing claimed")
    assert lines() == []
