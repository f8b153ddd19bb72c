"""The command line of the stack."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from hilum_stack import __main__ as command
from hilum_stack.errors import ServerMissing
from hilum_stack.ports import LOOPBACK, reserve_port
from hilum_stack.real import RealStack
from hilum_stack.server import find_program

if TYPE_CHECKING:
    from pathlib import Path


def test_a_taken_port_stops_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 2, a clear sentence, and no data folder."""
    with socket.create_server((LOOPBACK, 0)) as listener:
        port = listener.getsockname()[1]
        monkeypatch.setenv("HILUM_PORT", str(port))
        assert command.main(["demo", "--folder", str(tmp_path)]) == 2
    assert f"port {port} on 127.0.0.1 is in use" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["http", "0", "65536", "-1", "80 80"])
def test_a_port_that_is_none_is_told(
    text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 2 and the value."""
    monkeypatch.setenv("HILUM_PORT", text)
    assert command.main(["demo"]) == 2
    assert f"HILUM_PORT='{text}' is not a port" in capsys.readouterr().err


def test_a_missing_film_stops_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 2, its name and not those that are there, and no data folder."""
    there = tmp_path / "there.png"
    there.touch()
    monkeypatch.setenv("HILUM_PORT", str(reserve_port()))
    monkeypatch.setenv("FILES", f"'{there}' gone.png")
    assert command.main(["demo", "--folder", str(tmp_path / "run")]) == 2
    assert capsys.readouterr().err == "hilum: no such file or folder: gone.png\n"
    assert not (tmp_path / "run").exists()


def test_a_missing_server_names_the_way_to_get_it(tmp_path: Path) -> None:
    """The error says what was looked for and where, and which command installs it."""
    with pytest.raises(
        ServerMissing, match=r"Redis is not installed.*no-such-server.*make services"
    ):
        find_program("Redis", "no-such-server", tmp_path)


def test_a_stack_without_its_servers_starts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With Redis not installed the start fails before the first process."""
    stack = RealStack(tmp_path, port=reserve_port())
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServerMissing):
        stack.start()
    assert stack.processes == {}
    assert all(server.process is None for server in stack.servers)
