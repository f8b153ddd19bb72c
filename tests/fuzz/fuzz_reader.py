"""``make fuzz``: coverage-guided fuzzing of the reader with Atheris, for a number of seconds.

Begins with ``tests/fuzz/corpus``, the seeds and what earlier runs kept in ``.cache/fuzz/corpus``. A
finding ends the run and lies in ``.cache/fuzz/findings``. It is made small and put into
``tests/fuzz/corpus``, with the code that it is to be refused with in its name.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["hilum", "pydicom", "PIL"]):
    from hilum.imaging import budget

    # Instrumented code is slow. A smaller budget takes the same paths.
    budget.BUDGET = replace(budget.BUDGET, elements=500)

    from hilum.adapters.dicom.film_reader import DicomFilmReader
    from hilum.domain.errors import Rejected
    from hilum.imaging.film import FilmLimits
    from tests.fuzz.seeds import seeds

READER = DicomFilmReader(FilmLimits(max_pixels=1_000_000))
KEPT = Path(".cache/fuzz")
CPU_S = 5
OPTIONS = (
    # Wall-clock time on a busy machine, for what never ends.
    *("-timeout=300", "-report_slow_units=300"),
    *("-rss_limit_mb=600", "-max_len=262144", "-print_final_stats=1"),
    f"-artifact_prefix={KEPT}/findings/",
)


def look_at(data: bytes) -> None:
    """Inspect and read; anything but an image or a refusal within its time is a finding."""
    before = time.process_time()
    for look in (lambda: READER.inspect(data, len(data)), lambda: READER.read(data)):
        try:
            look()
        except Rejected:
            continue
    used = time.process_time() - before
    assert used < CPU_S, f"{used:.1f} s of CPU time"


def main(seconds: str) -> None:
    """Fuzz; the exit status tells of a finding."""
    for folder in ("corpus", "findings", "seeds"):
        (KEPT / folder).mkdir(parents=True, exist_ok=True)
    for name, data in seeds().items():
        (KEPT / "seeds" / name).write_bytes(data)
    folders = (f"{KEPT}/corpus", f"{KEPT}/seeds", "tests/fuzz/corpus")
    atheris.Setup([sys.argv[0], f"-max_total_time={seconds}", *OPTIONS, *folders], look_at)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1])
