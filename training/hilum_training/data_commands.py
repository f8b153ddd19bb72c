"""``python -m hilum_training data``: check folders of films, make them a pack, report."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hilum_training.films.pack import pack_folder
from hilum_training.films.readers.check import check_dataset
from hilum_training.films.readers.errors import DatasetInvalid
from hilum_training.films.readers.pack_writer import write_pack
from hilum_training.films.readers.registry import LAYOUTS, read_dataset

if TYPE_CHECKING:
    import argparse

REPORT: Final = Path(__file__).resolve().parents[1] / "reports" / "data"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``data`` with its own commands; options carry ``data_command``."""
    data = commands.add_parser("data", help="check, list and report the films to learn from")
    parts = data.add_subparsers(dest="data_command", required=True)
    check = parts.add_parser("check", help="read a folder as a layout and say what is wrong in it")
    check.add_argument("layout", help=f"one of {', '.join(LAYOUTS)}")
    check.add_argument("folder", type=Path)
    check.add_argument(
        "--partial", action="store_true", help="the folder holds a part of the data set"
    )
    pack = parts.add_parser("pack", help="make data sets into a film pack, for HILUM_CXR_DIR")
    pack.add_argument("out", type=Path, help="a folder that is empty or not there yet")
    pack.add_argument("datasets", nargs="+", metavar="LAYOUT=FOLDER")
    pack.add_argument(
        "--partial", action="store_true", help="leave out films whose file is not there"
    )
    parts.add_parser("layouts", help="list the layouts that can be read")
    report = parts.add_parser("report", help="write the data report with its figures")
    report.add_argument("--pack", type=Path, help="instead of HILUM_CXR_DIR")
    report.add_argument("--out", type=Path, default=REPORT, help="folder of the report")


def run(options: argparse.Namespace) -> int:
    """Run a ``data`` command; returns the exit code: 0, or 1 for films that are not fit."""
    commands = {"check": _check, "layouts": _layouts, "pack": _pack, "report": _report}
    try:
        return commands[options.data_command](options)
    except DatasetInvalid as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _check(options: argparse.Namespace) -> int:
    reading = read_dataset(options.layout, options.folder, partial=options.partial)
    check = check_dataset(reading, options.folder)
    sys.stdout.write(check.text())
    return 1 if check.problems else 0


def _pack(options: argparse.Namespace) -> int:
    named = [name.partition("=") for name in options.datasets]
    datasets = []
    for layout, mark, folder in named:
        if not mark or [other for other, _, _ in named].count(layout) > 1:
            sys.stderr.write("name each data set once, as LAYOUT=FOLDER\n")
            return 1
        reading = read_dataset(layout, Path(folder), partial=options.partial)
        datasets.append((layout, Path(folder), reading))
    count = write_pack(options.out, datasets)
    sys.stdout.write(f"{count} films in {options.out}; use it with HILUM_CXR_DIR={options.out}\n")
    return 0


def _layouts(_options: argparse.Namespace) -> int:
    for name, layout in LAYOUTS.items():
        sys.stdout.write(f"{name:<18} {layout.title} (holds {layout.top})\n")
    return 0


def _report(options: argparse.Namespace) -> int:
    from hilum_training.data_report.report import write_report  # noqa: PLC0415 - loads matplotlib

    folder = write_report(options.pack or pack_folder(), options.out)
    sys.stdout.write(f"{folder}\n")
    return 0
