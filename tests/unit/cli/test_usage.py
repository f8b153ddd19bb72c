"""What the command says where nothing can be done."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hilum_stack.ports import reserve_port


@pytest.mark.parametrize(
    "arguments",
    [
        ("analyse",),
        ("analyse", "missing.png"),
        ("analyse", ".", "--priority", "urgent"),
        ("jobs", "--state", "lost"),
        ("jobs", "--limit", "0"),
        ("keys", "create"),
        ("nonsense",),
    ],
)
def test_a_wrong_command_line_ends_with_2(command, arguments):
    """Before anything is sent."""
    ended = command(*arguments)
    assert ended.exit_code == 2
    assert "Usage: " in ended.stderr


def test_a_folder_without_films_ends_with_2(command):
    """There was nothing to do."""
    ended = command("analyse", ".")
    assert ended.exit_code == 2
    assert "no films" in ended.stderr


def test_a_gateway_that_is_not_there_ends_with_3(command):
    """One line with its address."""
    Path("a.png").touch()
    url = f"http://127.0.0.1:{reserve_port()}"
    for arguments in (("analyse", "a.png"), ("status",), ("jobs",)):
        ended = command(*arguments, HILUM_API_URL=url, HILUM_API_KEY="hilum_a.b")
        assert ended.exit_code == 3
        assert url in ended.stderr
        assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8080", "ftp://h", "http://", "http://h:port", "http://[x"]
)
def test_an_address_that_is_none_is_told(command, url):
    """Not a trace."""
    ended = command("jobs", "--url", url, HILUM_API_KEY="hilum_a.b")
    assert ended.exit_code in {2, 3}
    assert ended.stderr.startswith("Error: ")
    assert ended.exception is None or isinstance(ended.exception, SystemExit)


@pytest.mark.parametrize(
    ("content", "told"),
    [(None, "does not exist"), (b"", "no API key"), (b"\xff", "cannot be read")],
)
def test_a_key_that_is_not_there_ends_with_3(command, content, told):
    """The text says where it was looked for."""
    path = Path("somewhere")
    if content is not None:
        path.write_bytes(content)
    ended = command("jobs", "--api-key-file", path)
    assert ended.exit_code == 3
    assert told in ended.stderr
    assert "somewhere" in ended.stderr


def test_without_any_key_the_three_places_are_named(command):
    """Option, variable, file."""
    ended = command("jobs")
    assert ended.exit_code == 3
    for place in ("--api-key-file", "HILUM_API_KEY", ".hilum/api-key"):
        assert place in ended.stderr


def test_the_module_runs_as_the_command_does():
    """``python -m hilum_cli``."""
    run = subprocess.run(
        [sys.executable, "-m", "hilum_cli", "--help"], capture_output=True, text=True, check=True
    )
    assert "Usage: hilum" in run.stdout
    assert "not for diagnosis" in run.stdout
    for name in ("analyse", "status", "jobs", "retry", "discard", "db", "keys", "audit"):
        assert name in run.stdout
