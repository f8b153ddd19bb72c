"""How long a backup and a restore take, and what is lost between them.

Run as ``make bench-restore`` or ``python -m benchmarks.restore --films 400``. Everything runs on
this machine. Prints a table and writes ``benchmarks/out/restore.json``.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from benchmarks.films import distinct_films
from benchmarks.rehearsal import Figures, Rehearsal
from benchmarks.table import machine

if TYPE_CHECKING:
    from collections.abc import Sequence

OUT = Path(__file__).resolve().parent / "out"
_MORE = 100_000


def measure(films: int) -> Figures:
    """Rehearse a restore with so many films before the first backup."""
    with tempfile.TemporaryDirectory(prefix="hilum-restore-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        contents = (film.content for film in distinct_films(_MORE))
        with Rehearsal(folder, contents) as rehearsal:
            rehearsal.send(films)
            rehearsal.back_up_first()
            rehearsal.back_up_under_load(at_least_after=10)
            rehearsal.settle()
            rehearsal.lose_everything()
            rehearsal.restore()
            return rehearsal.figures


def show(figures: Figures) -> None:
    """Print what was measured."""
    megabytes = figures.bytes_in_backup / 1e6
    table = Table("measured", "figure", "rate")
    table.add_row("films before the first backup", str(figures.films_first), "")
    table.add_row(
        "first backup, nothing else going on",
        f"{figures.first_backup_s:.1f} s",
        f"{figures.films_first / figures.first_backup_s:.0f} films/s",
    )
    table.add_row("next backup, films flowing", f"{figures.backup_s:.1f} s", "")
    table.add_row("films in it", str(figures.films_in_backup), f"{megabytes:.0f} MB")
    table.add_row("its dump", f"{figures.dump_bytes / 1e6:.1f} MB", "")
    table.add_row("accepted after it began, lost", str(figures.films_lost), "")
    table.add_row(
        "restore with every film read back",
        f"{figures.restore_s:.1f} s",
        f"{megabytes / figures.restore_s:.0f} MB/s",
    )
    table.add_row(
        "until a new film was read", f"{figures.until_first_new_result_s:.1f} s", "services started"
    )
    Console(width=100).print(table)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--films", type=int, default=400)
    figures = measure(parser.parse_args(arguments).films)
    report: dict[str, Any] = {"machine": machine(), **asdict(figures)}
    OUT.mkdir(exist_ok=True)
    (OUT / "restore.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    show(figures)


if __name__ == "__main__":
    main()
