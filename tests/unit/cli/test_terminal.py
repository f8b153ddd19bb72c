"""What a person sees on a terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest

from tests.unit.worker.embedded import noise_film


@pytest.fixture
def on_terminal(tmp_path):
    """Runs the command on a terminal of 60 columns; gives exit code and what was shown."""

    def run(*arguments: object, **environment: str) -> tuple[int, str]:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
        inherited = {
            name: value
            for name, value in os.environ.items()
            # A size in the environment goes before the terminal's own.
            if not name.startswith("HILUM_") and name not in {"COLUMNS", "LINES"}
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "hilum_cli", *map(str, arguments)],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=tmp_path,
            env={**inherited, "TERM": "xterm", **environment},
        )
        os.close(theirs)
        shown = b""
        while True:
            try:
                piece = os.read(ours, 4096)
            except OSError:  # Linux says so when the other end is closed
                break
            if not piece:
                break
            shown += piece
        os.close(ours)
        return process.wait(), shown.decode()

    return run


def test_a_narrow_terminal_folds_cells_and_cuts_none(on_terminal, database):
    """Every letter of a long name is there, on several lines."""
    name = "Ж" * 80
    environment = {"HILUM_DATABASE_URL": database}
    on_terminal("db", "upgrade", **environment)
    on_terminal("keys", "create", "--role", "viewer", "--name", name, **environment)
    code, shown = on_terminal("keys", "list", **environment)
    assert code == 0
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert plain.count("Ж") == len(name)
    assert all(len(line.rstrip()) <= 60 for line in plain.splitlines())


def test_progress_is_shown_while_films_are_sent_and_read(on_terminal, stack, tmp_path):
    """And the findings after it."""
    (tmp_path / "a.png").write_bytes(noise_film(90))
    environment = {"HILUM_API_URL": stack.url, "HILUM_API_KEY": stack.api_key}
    code, shown = on_terminal("analyse", "a.png", **environment)
    assert code == 0, shown
    for word in ("sending", "analysing", "1/1", "pneumonia", "not for diagnosis"):
        assert word in shown
