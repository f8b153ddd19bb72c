"""Each line of the log is an event with literal fields."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType

SCRIPTS = Path(__file__).parents[3] / "scripts"
HEAD = "import logging\n_LOG = logging.getLogger(__name__)\n"


@pytest.fixture
def script(monkeypatch) -> ModuleType:
    """The module beside the generator."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module("log_events")


def test_every_line_of_the_product_is_an_event_with_a_meaning(script):
    """No logger in `hilum` or `services` is given a sentence, and no event lacks a meaning."""
    events, wrong = script.of_product()
    assert wrong == []
    assert script.unexplained(events) == []
    assert {"wakeup.failed", "request.ended", "attempt.ended", "engine.built"} <= {*events}


@pytest.mark.parametrize(
    "line",
    [
        "_LOG.warning('no wake-ups: %s', 1)",
        "_LOG.warning('wakeup.failed: %s', 1)",
        "_LOG.warning('wakeup.failed', 1)",
        "_LOG.info('Wakeup.failed')",
        "_LOG.info('wakeup')",
        "_LOG.exception(f'wakeup.{1}')",
        "_LOG.log(level, f'wakeup.{1}')",
        "logging.error('it failed')",
        "logging.getLogger('a').critical('it failed')",
        "_LOG.info('wakeup.failed', extra=given())",
        "_LOG.info('wakeup.failed', extra={**given()})",
        "_LOG.info('wakeup.failed', extra={'name': 1})",
        "_LOG.info('wakeup.failed', extra={'time': 1})",
        "_LOG.info('wakeup.failed', **given())",
    ],
)
def test_a_line_that_is_no_event_is_found(script, line):
    """A sentence, a value in the event, and a field that hides or is none are each told once."""
    events, wrong = script.found([("hilum/a.py", f"{HEAD}{line}\n")])
    assert events == {}
    (told,) = wrong
    assert told.startswith("hilum/a.py:3: ")


@pytest.mark.parametrize(
    ("lines", "levels", "fields"),
    [
        ("_LOG.warning('a.b', extra={'x': 1})", {"WARNING"}, ["x"]),
        ("_LOG.warning('a.b', x=1, exc_info=True)", {"WARNING"}, ["x"]),
        (
            "facts = {'y': 1}\nfacts = {'x': 1}\n_LOG.exception('a.b', extra=facts)",
            {"ERROR"},
            ["x"],
        ),
        (
            "level = logging.INFO if x.right else logging.ERROR\n_LOG.log(level, 'a.b')",
            {"INFO", "ERROR"},
            [],
        ),
        ("math.log('a b')\n_LOG.info('a.b')", {"INFO"}, []),
    ],
)
def test_an_event_is_told_with_level_fields_and_module(script, lines, levels, fields):
    """As keywords, as a dictionary, or as the name of one."""
    events, wrong = script.found([("services/worker/hilum_worker/a.py", HEAD + lines)])
    assert wrong == []
    event = events["a.b"]
    assert (event.levels, [*event.fields]) == (levels, fields)
    assert event.modules == {"hilum_worker.a"}
