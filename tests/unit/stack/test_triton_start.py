"""A Triton that ends before it is ready: once more where its backend aborted it, else told."""

from __future__ import annotations

import sys

import pytest

from hilum_stack.errors import ProcessFailed
from hilum_stack.process import Command
from hilum_stack.triton import LOCK_LOST, TritonServer

# Says something and aborts in its first starts, so many as it is told; then it is ready and waits.
PROGRAM = """
import os, pathlib, signal, sys
folder, text, failures = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
starts = folder / "starts"
count = len(starts.read_text()) if starts.exists() else 0
starts.write_text("x" * (count + 1))
if count < failures:
    print(text, flush=True)
    os.abort()
(folder / "ready").touch()
signal.pause()
"""


class AbortingTriton(TritonServer):
    """A process in Triton's place, which aborts as it is told."""

    text, failures = LOCK_LOST, 1

    def require_installed(self) -> None:
        """It is this interpreter."""

    def _command(self) -> Command:
        told = (str(self.folder), self.text, str(self.failures))
        return Command(self.name, (sys.executable, "-c", PROGRAM, *told), self.log)

    def _ready(self) -> bool:
        return (self.folder / "ready").exists()


@pytest.fixture
def triton(tmp_path):
    """One that is not started."""
    server = AbortingTriton(tmp_path, tmp_path / "models")
    yield server
    server.kill()


def test_an_abort_of_the_python_backend_is_answered_by_one_more_start(triton, tmp_path):
    """The second start is the one that runs."""
    triton.launch()
    assert triton.running
    assert (tmp_path / "starts").read_text() == "xx"


def test_a_second_abort_is_told(triton, tmp_path):
    """A Triton that aborts each time is broken, and its log says how."""
    triton.failures = 5
    with pytest.raises(ProcessFailed, match=LOCK_LOST):
        triton.launch()
    assert (tmp_path / "starts").read_text() == "xx"


def test_another_end_is_told_at_once(triton, tmp_path):
    """A model that cannot be loaded will not load the second time."""
    triton.text = "failed to load model"
    with pytest.raises(ProcessFailed, match="failed to load model"):
        triton.launch()
    assert (tmp_path / "starts").read_text() == "x"
