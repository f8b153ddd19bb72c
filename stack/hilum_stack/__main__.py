"""``python -m hilum_stack demo`` and ``python -m hilum_stack stack``."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hilum_stack.embedded import EmbeddedStack
from hilum_stack.errors import StackError
from hilum_stack.films import files_of, require_films
from hilum_stack.pacs import open_pacs
from hilum_stack.paths import DEFAULT_CXR_FOLDER, MODEL_REPOSITORY, RUN_FOLDER
from hilum_stack.ports import require_free
from hilum_stack.real import RealStack
from hilum_stack.server import make_folder
from hilum_stack.session import Session

if TYPE_CHECKING:
    from hilum_stack.stack import Stack

DEFAULT_PORT = 8080
DEFAULT_DICOM_PORT = 11112
_ENVIRONMENT = """\
environment:
  FILES           films to analyse, instead of files on the command line
  STAY=0          stop after the table
  PACS=1          take images over DICOM, too (HILUM_LISTENER_PORT, default 11112), and send results
                  to a PACS that runs beside: Orthanc, in the demo a receiver where it is missing
  HILUM_PORT      port of the web address (default 8080)
  HILUM_CXR_DIR   collection of films to take two from (default ../shared/cxr)
"""


def main(argv: list[str] | None = None) -> int:
    """Runs a whole Hilum in the foreground.

    Returns:
        The exit status: 0 if every film was analysed, 2 if something could not be run.
    """
    asked = _parser().parse_args(argv)
    try:
        port = _port("HILUM_PORT", DEFAULT_PORT)
        require_free(port)
        films = asked.files or files_of(os.environ.get("FILES", ""))
        require_films(films)
        return Session(
            stack=_stack(asked, port),
            files=films,
            cxr_folder=Path(os.environ.get("HILUM_CXR_DIR") or DEFAULT_CXR_FOLDER),
            stay=os.environ.get("STAY", "1") != "0",
            key_file=asked.folder / "api-key",
        ).run()
    except StackError as error:
        print(f"hilum: {error}", file=sys.stderr)  # noqa: T201 - a command prints
        return 2


def _stack(asked: argparse.Namespace, port: int) -> Stack:
    dicom_port = None
    if os.environ.get("PACS", "0") != "0":
        dicom_port = _port("HILUM_LISTENER_PORT", DEFAULT_DICOM_PORT)
    real = asked.kind == "stack"
    folder = asked.folder / asked.kind
    pacs = None
    if dicom_port is not None:
        make_folder(folder, RealStack.folder_mode if real else EmbeddedStack.folder_mode)
        pacs = open_pacs(folder / "pacs", dicom_port, require_orthanc=real)
    common = {"port": port, "model_repository": asked.models, "dicom_port": dicom_port}
    if real:
        return RealStack(folder, workers=asked.workers, pacs=pacs, **common)
    return EmbeddedStack(folder, pacs=pacs, **common)


def _port(name: str, default: int) -> int:
    text = os.environ.get(name, "")
    if not text:
        return default
    if not text.isdecimal() or not 1 <= int(text) <= 65_535:  # noqa: PLR2004 - TCP's range
        raise StackError(f"{name}={text!r} is not a port (1 to 65535)")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m hilum_stack",
        description="Run a whole Hilum on this machine. Research use only, not for diagnosis.",
        epilog=_ENVIRONMENT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="demo|stack")
    demo = kinds.add_parser("demo", help="SQLite, a folder, ONNX Runtime: no server needed")
    real = kinds.add_parser("stack", help="real PostgreSQL, Redis, MinIO and Triton")
    for kind in (demo, real):
        kind.add_argument("files", nargs="*", help="DICOM, PNG or JPEG files, or folders of them")
        kind.add_argument(
            "--folder", type=Path, default=RUN_FOLDER, help="data, logs, API key (default .hilum)"
        )
        kind.add_argument(
            "--models",
            type=Path,
            default=MODEL_REPOSITORY,
            help="models to serve (default model_repository)",
        )
    real.add_argument("--workers", type=int, default=2, help="worker processes (default 2)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
