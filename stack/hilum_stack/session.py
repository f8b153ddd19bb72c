"""A run in the foreground: start, analyse, print, serve until Ctrl-C, leave nothing behind."""

from __future__ import annotations

import signal
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hilum_stack.films import choose_films, write_dicom_phantom
from hilum_stack.pacs import HILUM
from hilum_stack.ports import LOOPBACK
from hilum_stack.round_trip import copy_of, is_dicom, report_text, round_trip
from hilum_stack.server import write_private
from hilum_stack.services import child_environment, cli_command

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hilum_stack.pacs import Pacs
    from hilum_stack.stack import Stack

_LOOK_EVERY_S = 0.5


@dataclass(frozen=True, slots=True)
class Session:
    """What a person asked for.

    Attributes:
        stack: The stack to run.
        files: Films to analyse; empty takes samples.
        cxr_folder: Where samples are looked for.
        stay: Whether to serve after the table.
        key_file: Receives a copy of the running stack's admin key, mode 0600.
    """

    stack: Stack
    files: Sequence[str]
    cxr_folder: Path
    stay: bool
    key_file: Path

    def run(self) -> int:
        """Runs it.

        Returns:
            The exit status: of the analysis; 130 after a Ctrl-C before the table was complete.

        Raises:
            StackError: Something did not start, or ended while it was needed.
        """
        with _interruptible() as stopping:
            try:
                return self._run(stopping)
            except _Interrupted:
                return 130
            finally:
                # From here on nobody interrupts: what was started has to be stopped.
                stopping.expected = True
                _say("Stopping ...")
                self.stack.stop()

    def _run(self, stopping: _Stopping) -> int:
        _say(f"Starting; logs and data are in {self.stack.folder}")
        self.stack.start()
        write_private(self.key_file, self.stack.api_key + "\n")
        films = choose_films(self.files, self.cxr_folder, self.stack.folder)
        status = self._analyse(films)
        if self.stack.pacs is not None:
            self._show_round_trip(self.stack.pacs, films)
        _say(f"Hilum listens on {self.stack.url}")
        _say(f"The API key is in {self.key_file}")
        if self.stack.listener is not None:
            where = f"{LOOPBACK}:{self.stack.listener.dicom_port}"
            _say(f"DICOM: send to AE title HILUM on {where}, e.g. dcmsend --call HILUM ...")
        if self.stay:
            _say("Press Ctrl-C to stop.")
            self._serve(stopping)
        return status

    def _analyse(self, films: Sequence[str]) -> int:
        """Runs ``hilum analyse`` as a person would; its table goes to our standard output."""
        command = cli_command(
            *("analyse", *films, "--url", self.stack.url),
            *("--api-key-file", str(self.key_file)),
        )
        with subprocess.Popen(command, env=child_environment({})) as analysis:
            try:
                while True:
                    try:
                        return analysis.wait(_LOOK_EVERY_S)
                    except subprocess.TimeoutExpired:
                        self.stack.require_running()
            finally:
                if analysis.poll() is None:
                    analysis.terminate()

    def _show_round_trip(self, pacs: Pacs, films: Sequence[str]) -> None:
        """Send the first DICOM image through the PACS and back, and print what came."""
        dicom = [path for path in map(Path, films) if path.is_file() and is_dicom(path)]
        image = dicom[0] if dicom else write_dicom_phantom(self.stack.folder)
        _say(f"{pacs.ae_title} sends a copy of {image} to {HILUM} by C-STORE ...")
        copy = copy_of(image, self.stack.folder)
        returned = round_trip(pacs, copy, self.stack.require_running)
        for one in returned:
            _say(f"  after {one.seconds:4.1f} s came {one.modality:4} {one.description}")
        for one in returned:
            if one.modality == "SR":
                _say(report_text(one.content))
        _say("Research use only, not for diagnosis.")

    def _serve(self, stopping: _Stopping) -> None:
        stopping.expected = True
        while not stopping.asked.wait(_LOOK_EVERY_S):
            self.stack.require_running()


class _Interrupted(BaseException):
    """A signal asked us to stop. Not an Exception: nobody on the way may swallow it."""


class _Stopping:
    """What SIGINT, SIGTERM and SIGHUP do.

    The first one interrupts what is being started. Later ones, and all of them once ``expected``
    is set, only set ``asked``: a second Ctrl-C must not interrupt the stopping.
    """

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.expected = False

    def __call__(self, number: int, _frame: object) -> None:
        first = not self.asked.is_set()
        self.asked.set()
        if first and not self.expected:
            raise _Interrupted(number)


@contextmanager
def _interruptible() -> Iterator[_Stopping]:
    stopping = _Stopping()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, stopping) for number in numbers}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a command prints
